//! What all public errors have in common: each becomes an `io::Error`, each may grow, and none
//! tells what its source tells.
//!
//! Which errors there are is read from the sources, so that none is forgotten here.

use std::{
    collections::BTreeSet,
    error::Error,
    fs,
    fs::File,
    io,
    marker::PhantomData,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use mp_core::{FdsError, GroupError, MessageRef, Name, Param, ParamError, Primary, StartError, inspect};
use mp_typed::{DecodeError, EncodeError, Message};

/// That it is an error and becomes an `io::Error` is checked by the compiler.
const fn converts<E>(_: PhantomData<E>, name: &'static str) -> &'static str
where
    E: Error + Into<io::Error> + Send + Sync + 'static,
{
    name
}

macro_rules! public_errors {
    ($($krate:ident { $($error:ident),* $(,)? })*) => {
        [$($(converts(PhantomData::<$krate::$error>, concat!(stringify!($krate), "::", stringify!($error))),)*)*]
    };
}

const PUBLIC_ERRORS: [&str; 25] = public_errors! {
    mp_core {
        BindError, FdsError, GroupError, Malformed, MessageError, NameError, ParamError, PathTooLong,
        RegisterError, Rejection, ReplyError, RequestError, SendError, StartError,
    }
    inspect {
        InspectError, MonitorError,
    }
    mp_typed {
        DecodeError, DecodeFault, EncodeError, EncodeFault, ReplyError, RequestError, SealedError, SendError,
        SharedError,
    }
};

fn sources(dir: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("text");
            found.push((path, text));
        }
    }
    found
}

/// The public types of a crate that derive `Error`, each with whether it is `#[non_exhaustive]`.
fn derived_in(krate: &str) -> Vec<(String, bool)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut found = Vec::new();
    for (_, text) in sources(&root.join(krate).join("src")) {
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let derives_error = line.starts_with("#[derive(")
                && line.split([',', ' ', '(', ')']).any(|part| part == "Error" || part == "thiserror::Error");
            if !derives_error {
                continue;
            }
            let mut may_grow = false;
            let declared = lines.by_ref().find(|line| {
                may_grow |= line.trim() == "#[non_exhaustive]";
                line.contains("enum ") || line.contains("struct ")
            });
            let declared = declared.expect("a derive stands before a type");
            if let Some(rest) = declared.strip_prefix("pub enum ").or(declared.strip_prefix("pub struct ")) {
                let name = rest.split(|c: char| !c.is_alphanumeric()).next().expect("a name");
                found.push((format!("{}::{name}", krate.replace('-', "_")), may_grow));
            }
        }
    }
    found
}

#[test]
fn every_public_error_becomes_an_io_error_and_may_grow() {
    let derived: Vec<_> = ["mp-core", "mp-typed"].into_iter().flat_map(derived_in).collect();
    let names: BTreeSet<_> = derived.iter().map(|(name, _)| name.as_str()).collect();
    // Those of `inspect` are a module's of the core.
    let expected = PUBLIC_ERRORS.map(|name| name.replace("inspect::", "mp_core::"));
    assert_eq!(names, expected.iter().map(String::as_str).collect());
    let fixed: Vec<_> = derived.iter().filter(|(_, may_grow)| !may_grow).collect();
    assert!(fixed.is_empty(), "without #[non_exhaustive]: {fixed:?}");
}

fn os() -> io::Error {
    io::Error::from_raw_os_error(libc::EMFILE)
}

fn group() -> GroupError {
    GroupError::Io { what: "open the directory", path: "/run/dpdk/x".into(), source: os() }
}

fn too_many_fds() -> FdsError {
    let null = File::open("/dev/null").expect("it is always there");
    let fds = [null.as_fd(); 9];
    match MessageRef::new(&Name::from_static("x"), b"", &fds) {
        Err(mp_core::MessageError::Fds(error)) => error,
        other => panic!("nine descriptors: {other:?}"),
    }
}

fn too_long() -> ParamError {
    Param::new([0; 257]).expect_err("one byte too many")
}

fn long_path() -> StartError {
    let dir = Path::new("/").join("p".repeat(108));
    Primary::builder("x").runtime_dir(dir).start().map(drop).expect_err("one byte too many")
}

#[derive(Debug, Message)]
#[message(name = "text")]
struct Text {
    #[message(max_len = 2)]
    #[allow(dead_code, reason = "it is encoded and decoded")]
    text: String,
}

fn not_encoded() -> EncodeError {
    mp_typed::encode(&Text { text: "three".into() }).map(drop).expect_err("it is too long")
}

fn not_decoded() -> DecodeError {
    mp_typed::decode::<Text>(&[9], mp_core::Fds::new()).expect_err("it ends too early")
}

/// One of each variant that has a cause, or is one in another's place.
fn with_causes() -> Vec<Box<dyn Error + Send + Sync>> {
    vec![
        group().into(),
        long_path().into(),
        mp_core::BindError::Group(group()).into(),
        StartError::Group(group()).into(),
        StartError::Bind(mp_core::BindError::Group(group())).into(),
        StartError::Io(os()).into(),
        mp_core::RequestError::TooManyFds(too_many_fds()).into(),
        mp_core::RequestError::Group(group()).into(),
        mp_core::RequestError::Io(os()).into(),
        mp_core::SendError::TooManyFds(too_many_fds()).into(),
        mp_core::SendError::Group(group()).into(),
        mp_core::SendError::Io(os()).into(),
        mp_core::MessageError::Param(too_long()).into(),
        mp_core::ReplyError::Message(too_many_fds().into()).into(),
        mp_core::ReplyError::Io(os()).into(),
        mp_core::Rejection::Malformed(mp_core::Malformed::Length).into(),
        not_encoded().into(),
        not_decoded().into(),
        mp_typed::SendError::Encode(not_encoded()).into(),
        mp_typed::SendError::Group(group()).into(),
        mp_typed::SendError::Io(os()).into(),
        mp_typed::SendError::from(mp_core::SendError::TooManyFds(too_many_fds())).into(),
        mp_typed::RequestError::Encode(not_encoded()).into(),
        mp_typed::RequestError::Decode(not_decoded()).into(),
        mp_typed::RequestError::Group(group()).into(),
        mp_typed::RequestError::Io(os()).into(),
        mp_typed::ReplyError::Encode(not_encoded()).into(),
        mp_typed::ReplyError::Io(os()).into(),
        mp_typed::SealedError::Io(os()).into(),
        mp_typed::SharedError::Io(os()).into(),
        // As an `io::Error` around them.
        io::Error::from(StartError::Io(os())).into(),
        io::Error::from(mp_core::RequestError::Group(group())).into(),
        io::Error::from(mp_typed::RequestError::Io(os())).into(),
    ]
}

#[test]
fn no_error_tells_what_its_source_tells() {
    let mut with_source = 0;
    for error in with_causes() {
        let mut outer: &dyn Error = &*error;
        while let Some(source) = outer.source() {
            let (text, cause) = (outer.to_string(), source.to_string());
            assert!(
                !text.contains(&cause),
                "{outer:?} tells its cause, which who prints the chain prints again"
            );
            with_source += 1;
            outer = source;
        }
    }
    assert!(with_source > 10, "{with_source} have a source");
}
