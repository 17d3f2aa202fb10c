//! `mpctl call`.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    time::Duration,
};

use mp_core::{Fds, MAX_FDS, MessageRef, Outcome, Reply, RequestError, inspect};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Context,
    describe::{no_such, understood},
    made,
    peer::Peer,
    request::outcome,
};
use crate::{
    cli::{CallArgs, FieldPath},
    failure::Failure,
    interrupt::Awaited,
    schema::{Body, Definition, Written, read, write},
    show::{Answers, Fd, Sent, Show},
};

pub(super) fn run(context: &Context, args: &CallArgs) -> Result<bool, Failure> {
    let peer = context.peer(&args.to)?;
    let (call, timeout) = (args.clone(), context.timeout);
    let made = made::cleaned_up(&peer, move |peer| Called::make(peer, &call, timeout))?;
    let Awaited::Done(called) = made else { return Ok(false) };
    let outcome = match called? {
        Called::Answered { reply, response } => {
            context.output.print(&Answer::of(*reply, &response, args)?)?;
            return Ok(true);
        }
        Called::Sent => {
            context.output.print(&Sent::new(&peer.socket, &Outcome::Sent))?;
            return Ok(true);
        }
        Called::Unanswered(error) => outcome(&error).ok_or_else(|| Failure::of_request(&error))?,
    };
    context.output.print(&Answers::new(&peer.socket, &outcome, None))?;
    context.advise(&peer, &outcome, &args.name);
    Ok(false)
}

/// What came of it.
enum Called {
    Answered {
        reply: Box<Reply>,
        response: Box<Body>,
    },
    /// A one-way message has no answer.
    Sent,
    Unanswered(RequestError),
}

impl Called {
    /// Asks what the action takes, and then the action.
    fn make(peer: &Peer, args: &CallArgs, timeout: Duration) -> Result<Self, Failure> {
        let told = inspect::describe(peer.target(), timeout);
        let told = told.map_err(|error| Failure::of_inspect(&error, &peer.to_string()))?;
        let definition = definition(&understood(&told, peer)?, peer, args)?;
        let call = Call::prepare(args, &definition)?;
        let Some(response) = definition.response else {
            peer.send(call.message(), timeout).map_err(|error| Failure::of_send(&error))?;
            return Ok(Self::Sent);
        };
        Ok(match peer.request(call.message(), timeout) {
            Ok(reply) => Self::Answered { reply: Box::new(reply), response: Box::new(response) },
            Err(error) => Self::Unanswered(error),
        })
    }
}

/// What the action takes, if that is known.
fn definition(
    description: &crate::schema::Description,
    peer: &Peer,
    args: &CallArgs,
) -> Result<Definition, Failure> {
    let name = args.name.to_string();
    let action = description.actions.iter().find(|action| action.name == name);
    let action = action.ok_or_else(|| no_such(description, peer, &name))?;
    action.definition.clone().ok_or_else(|| {
        Failure::Usage(format!(
            "{name:?} takes bytes, of which {peer} tells no type: use `mpctl request {name}` with --hex, --text or --as"
        ))
    })
}

/// A request, checked and encoded, with its files open.
#[derive(Debug)]
struct Call {
    name: mp_core::Name,
    payload: Vec<u8>,
    files: Vec<File>,
    fingerprint: u64,
}

impl Call {
    fn prepare(args: &CallArgs, definition: &Definition) -> Result<Self, Failure> {
        let text = match args.value.as_deref() {
            Some("-") => read_some()?,
            Some(text) => text.to_owned(),
            None => "null".to_owned(),
        };
        let value: Value = serde_json::from_str(&text).map_err(|error| {
            Failure::Usage(format!("this is no JSON: {error}; a text stands in quotes: '\"eth0\"'"))
        })?;
        if args.fds.len() > MAX_FDS {
            let count = args.fds.len();
            return Err(Failure::Usage(format!(
                "{count} files are too many for a message, which carries {MAX_FDS}"
            )));
        }
        let fields: Vec<_> = args.fds.iter().map(|given| given.field.clone()).collect();
        let Written { bytes, fds } = write(&definition.body, &value, &fields)
            .map_err(|fault| Failure::Usage(format!("{:?}: {fault}", args.name)))?;
        let open = |index: &usize| {
            let path = &args.fds[*index].path;
            File::open(path)
                .map_err(|error| Failure::Usage(format!("cannot open {path:?}: {error}; check --fd")))
        };
        let files = fds.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { name: args.name, payload: bytes, files, fingerprint: definition.fingerprint })
    }

    /// With the fingerprint that was told: if the member has another type by now, it says so.
    fn message(&self) -> MessageRef<'_> {
        let fds: Vec<BorrowedFd<'_>> = self.files.iter().map(AsFd::as_fd).collect();
        let message = MessageRef::new(&self.name, &self.payload, &fds).expect("the schema bounds both");
        message.with_fingerprint(self.fingerprint)
    }
}

fn read_some() -> Result<String, Failure> {
    const MOST: u64 = 1 << 20;
    let mut text = String::new();
    let read = io::stdin().lock().take(MOST).read_to_string(&mut text);
    read.map_err(|error| Failure::Usage(format!("cannot read the standard input: {error}")))?;
    Ok(text)
}

/// An answer.
#[derive(Debug, Serialize)]
struct Answer {
    peer: String,
    pid: u32,
    outcome: &'static str,
    answer: Value,
}

impl Show for Answer {}

/// The answer alone.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.answer)
    }
}

impl Answer {
    fn of(reply: Reply, response: &Body, args: &CallArgs) -> Result<Self, Failure> {
        let Reply { message, peer } = reply;
        let mut shown = Shown {
            fds: &message.fds,
            wanted: args.save.iter().collect(),
            fields: Vec::new(),
            saved: Vec::new(),
        };
        let mut fd = |field: &str, index: usize| shown.show(field, index);
        let answer = read(response, &message.param, message.fds.len(), &mut fd).map_err(|fault| {
            Failure::Failed(format!("the answer is not what the member says it answers: {fault}"))
        })?;
        shown.save()?;
        let peer_path = peer.address().map(|address| address.path().to_string_lossy().into_owned());
        Ok(Self { peer: peer_path.unwrap_or_default(), pid: peer.pid(), outcome: "replied", answer })
    }
}

/// What is shown of the files that came, and which are saved.
struct Shown<'a> {
    fds: &'a Fds,
    /// Each is for the next file of its field.
    wanted: Vec<&'a FieldPath>,
    fields: Vec<String>,
    saved: Vec<(usize, &'a FieldPath)>,
}

impl Shown<'_> {
    fn show(&mut self, field: &str, index: usize) -> Value {
        self.fields.push(field.to_owned());
        let Some(fd) = self.fds.iter().nth(index) else { return Value::Null };
        let Fd { target, size } = Fd::of(fd);
        match self.wanted.iter().position(|wanted| wanted.field == field) {
            Some(at) => {
                let wanted = self.wanted.remove(at);
                self.saved.push((index, wanted));
                json!({ "saved": wanted.path.to_string_lossy(), "size": size })
            }
            None => json!({ "file": target, "size": size }),
        }
    }

    fn save(self) -> Result<(), Failure> {
        if let Some(FieldPath { field, .. }) = self.wanted.first() {
            let there = if self.fields.is_empty() { "none".to_owned() } else { self.fields.join(", ") };
            return Err(Failure::Failed(format!("no file came as {field:?}, for --save: there is {there}")));
        }
        for (index, FieldPath { field, path }) in self.saved {
            let fd = self.fds.iter().nth(index).map(|fd| fd.try_clone_to_owned());
            let saved = fd.map_or(Ok(()), |fd| save_one(fd?, path));
            saved.map_err(|error| Failure::Failed(format!("cannot save {field:?} to {path:?}: {error}")))?;
        }
        Ok(())
    }
}

/// Copies a file from its beginning, wherever its offset stands; nothing else has content that stays.
fn save_one(fd: OwnedFd, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let from = File::from(fd);
    if !from.metadata()?.is_file() {
        return Err(io::Error::other("it is no file, and only those have content to save"));
    }
    let to = File::create(path)?;
    let (mut buffer, mut at) = (vec![0; 1 << 16], 0);
    loop {
        match from.read_at(&mut buffer, at)? {
            0 => return Ok(()),
            len => {
                to.write_all_at(&buffer[..len], at)?;
                at += len as u64;
            }
        }
    }
}
