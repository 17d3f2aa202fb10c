//! Values of any size in sealed memory: what a receiver believes, and what it refuses in words.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails ends it, in its helpers too")]

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Seek, SeekFrom, Write},
    os::fd::{AsFd, OwnedFd},
    os::unix::net::UnixStream,
};

use mp_typed::{Sealed, SealedError};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Table {
    routes: BTreeMap<String, u32>,
    note: Option<String>,
}

fn table(entries: u32) -> Table {
    Table { routes: (0..entries).map(|n| (format!("10.0.{n}.0/24"), n)).collect(), note: Some("α".into()) }
}

const ALL: SealFlags =
    SealFlags::SEAL.union(SealFlags::SHRINK).union(SealFlags::GROW).union(SealFlags::WRITE);

fn memory(bytes: &[u8], seals: SealFlags) -> OwnedFd {
    let memory = memfd_create(c"test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
    File::from(memory.try_clone().unwrap()).write_all(bytes).unwrap();
    fcntl_add_seals(&memory, seals).unwrap();
    memory
}

fn open(sealed: &Sealed<Table>) -> Sealed<Table> {
    Sealed::try_from(sealed.as_fd().try_clone_to_owned().unwrap()).unwrap()
}

#[test]
fn a_value_of_megabytes_comes_out_as_it_went_in() {
    for entries in [0, 1, 700, 100_000] {
        let sealed = Sealed::new(&table(entries)).unwrap();
        let received = open(&sealed);
        assert_eq!(received.len(), sealed.len());
        assert_eq!(received.read(sealed.len()).unwrap(), table(entries));
        assert_eq!(received.read(usize::MAX).unwrap(), table(entries), "it can be read again");
    }
}

#[test]
fn where_the_offset_stands_does_not_matter() {
    let sealed = Sealed::new(&table(9)).unwrap();
    let mut file = File::from(sealed.as_fd().try_clone_to_owned().unwrap());
    file.seek(SeekFrom::Start(1 << 40)).unwrap();
    assert_eq!(sealed.read(1 << 20).unwrap(), table(9));
    assert_eq!(file.stream_position().unwrap(), 1 << 40, "reading did not move it");
}

#[test]
fn nobody_can_change_what_was_sealed() {
    let sealed = Sealed::new(&table(3)).unwrap();
    let mut file = File::from(sealed.as_fd().try_clone_to_owned().unwrap());
    file.seek(SeekFrom::Start(0)).unwrap();
    assert!(file.write_all(b"x").is_err());
    assert!(file.set_len(0).is_err() && file.set_len(1 << 20).is_err());
    assert!(fcntl_add_seals(&sealed, SealFlags::FUTURE_WRITE).is_err(), "nor add a seal");
}

#[test]
fn each_seal_that_is_missing_is_named() {
    let cases = [
        (SealFlags::SHRINK, "F_SEAL_SHRINK"),
        (SealFlags::GROW, "F_SEAL_GROW"),
        (SealFlags::WRITE, "F_SEAL_WRITE"),
        (SealFlags::SEAL, "F_SEAL_SEAL"),
    ];
    for (seal, name) in cases {
        let error = Sealed::<Table>::try_from(memory(b"", ALL.difference(seal))).unwrap_err();
        assert!(matches!(&error, SealedError::NotSealed { missing } if missing == name), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    let error = Sealed::<Table>::try_from(memory(b"", SealFlags::empty())).unwrap_err();
    assert!(error.to_string().contains("F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE"), "{error}");
}

#[test]
fn what_is_no_memory_is_refused() {
    let file: OwnedFd = File::open("/dev/null").unwrap().into();
    let socket: OwnedFd = UnixStream::pair().unwrap().0.into();
    let text: OwnedFd = File::open("/proc/self/status").unwrap().into();
    for descriptor in [file, socket, text] {
        let error = Sealed::<Table>::try_from(descriptor).unwrap_err();
        assert!(matches!(error, SealedError::NotMemory), "{error}");
    }
}

#[test]
fn a_value_over_the_limit_is_not_read() {
    let sealed = Sealed::new(&table(700)).unwrap();
    let error = sealed.read(sealed.len() - 1).unwrap_err();
    assert!(matches!(error, SealedError::TooLarge { len, limit } if len == sealed.len() && limit == len - 1));
    // Two gibibytes that nobody has written: the limit keeps them out of this process.
    let huge = memfd_create(c"huge", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
    rustix::fs::ftruncate(&huge, 2 << 30).unwrap();
    fcntl_add_seals(&huge, ALL).unwrap();
    let huge = Sealed::<Table>::try_from(huge).unwrap();
    assert!(matches!(huge.read(1 << 20), Err(SealedError::TooLarge { len, .. }) if len == 2 << 30));
}

#[test]
fn bytes_that_lie_about_lengths_cost_nothing() {
    let text = Sealed::<String>::try_from(memory(&u64::MAX.to_le_bytes(), ALL)).unwrap();
    assert!(matches!(text.read(1 << 20), Err(SealedError::Decode(_))));
    let numbers = Sealed::<Vec<u64>>::try_from(memory(&(1_u64 << 40).to_le_bytes(), ALL)).unwrap();
    assert!(matches!(numbers.read(1 << 20), Err(SealedError::Decode(_))));
    let claims_much = [0xff; 64];
    let short = Sealed::<Table>::try_from(memory(&claims_much, ALL)).unwrap();
    assert!(matches!(short.read(1 << 20), Err(SealedError::Decode(_))));
    // A list of units takes no bytes: what it claims must not be repeated for an eternity.
    let units = Sealed::<Vec<()>>::try_from(memory(&u64::MAX.to_le_bytes(), ALL)).unwrap();
    assert!(matches!(units.read(1 << 20), Err(SealedError::Decode(_))));
    let more = Sealed::<u32>::try_from(memory(&[0; 9], ALL)).unwrap();
    let error = more.read(64).unwrap_err();
    assert!(matches!(error, SealedError::TrailingBytes { used: 4, left: 5 }), "{error}");
}
