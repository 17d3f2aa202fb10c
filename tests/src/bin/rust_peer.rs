//! A Rust process driven line by line: `rust_peer primary|secondary|client RUNTIME-DIRECTORY`.
//!
//! It is to mp-core what `dpdk/peer.c` is to DPDK: the protocol is that of `dpdk/lines.h`, and the commands that DPDK has
//! in common with mp-core are the same. So a test can put it where a DPDK process would be.

use std::{
    env,
    error::Error,
    fmt,
    fs::{self, File},
    io::{self, BufRead, Write},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::{FileExt, MetadataExt},
    },
    process,
    str::FromStr,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use mp_core::{
    Actions, Client, Message, Name, Outcome, Peer, Primary, RegisterError, Replies, Reply, RequestError,
    Responder, Secondary,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let (role, runtime_dir, allow_dpdk_actions) = match &arguments[..] {
        [role, runtime_dir] => (role, runtime_dir, false),
        [role, runtime_dir, option] if option == ALLOW_DPDK_ACTIONS => (role, runtime_dir, true),
        _ => return Err(USAGE.into()),
    };
    let role = Role::start(role, runtime_dir, allow_dpdk_actions)?;
    say(&format!("ready pid={} role={}{}", process::id(), role.name(), role.socket()));
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line == "quit" {
            break;
        }
        let start = Instant::now();
        let words: Vec<_> = line.split_whitespace().collect();
        let result = role.run(&words);
        let took = start.elapsed().as_nanos();
        match result {
            Ok(fields) => say(&format!("ok took_ns={took}{fields}")),
            Err(error) => say(&format!("error took_ns={took} errno={} {error}", errno(error.as_ref()))),
        }
    }
    Ok(())
}

const ALLOW_DPDK_ACTIONS: &str = "--allow-dpdk-actions";
const USAGE: &str = "usage: rust_peer primary|secondary|client RUNTIME-DIRECTORY [--allow-dpdk-actions]";

/// Prints one line at once.
fn say(line: &str) {
    let mut stdout = io::stdout().lock();
    // Nobody listens any more: the end of stdin will follow.
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

type Fields = Result<String, Box<dyn Error>>;

/// What this process is in its group.
enum Role {
    Primary(Primary),
    Secondary(Secondary),
    Client(Client),
}

impl Role {
    fn start(role: &str, runtime_dir: &str, allow_dpdk_actions: bool) -> Result<Self, Box<dyn Error>> {
        // The file-prefix does not matter where the directory is given.
        Ok(match role {
            "primary" => {
                let builder = Primary::builder("driven").runtime_dir(runtime_dir);
                let builder = if allow_dpdk_actions { builder.allow_dpdk_actions() } else { builder };
                Self::Primary(builder.start()?)
            }
            "secondary" => {
                let builder = Secondary::builder("driven").runtime_dir(runtime_dir);
                let builder = if allow_dpdk_actions { builder.allow_dpdk_actions() } else { builder };
                Self::Secondary(builder.start()?)
            }
            "client" => Self::Client(Client::builder("driven").runtime_dir(runtime_dir).start()?),
            _ => return Err(format!("there is no role {role}").into()),
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Primary(_) => "primary",
            Self::Secondary(_) => "secondary",
            Self::Client(_) => "client",
        }
    }

    fn socket(&self) -> String {
        match self {
            Self::Primary(primary) => format!(" socket={}", primary.address()),
            Self::Secondary(secondary) => format!(" socket={}", secondary.address()),
            Self::Client(_) => String::new(),
        }
    }

    fn actions(&self) -> Result<&Actions, Box<dyn Error>> {
        match self {
            Self::Primary(primary) => Ok(primary.actions()),
            Self::Secondary(secondary) => Ok(secondary.actions()),
            Self::Client(_) => Err("a client has no actions".into()),
        }
    }

    /// Runs one command; returns the fields of its answer.
    fn run(&self, words: &[&str]) -> Fields {
        match words {
            ["register", name, mode @ ..] => self.register(Name::new(name)?, mode),
            ["unregister", name] => {
                self.actions()?.unregister(&Name::new(name)?);
                Ok(String::new())
            }
            ["send", name, hex, fds] => self.send(&message(name, hex, fds)?),
            ["send", name, hex, fds, count] => {
                let message = message(name, hex, fds)?;
                (0..count.parse::<usize>()?).try_fold(String::new(), |_, _| self.send(&message))
            }
            ["request", name, hex, fds, timeout] => {
                self.request(&message(name, hex, fds)?, Duration::from_millis(timeout.parse()?))
            }
            ["request-async", name, hex, fds, timeout] => {
                self.request_async(&message(name, hex, fds)?, Duration::from_millis(timeout.parse()?))
            }
            ["fds"] => Ok(format!(" fds={}", fs::read_dir("/proc/self/fd")?.count() - 1)),
            _ => Err("no such command".into()),
        }
    }

    fn register(&self, name: Name, mode: &[&str]) -> Fields {
        let actions = self.actions()?;
        let delay = |ms: &str| ms.parse().map(Duration::from_millis);
        let registration = match mode {
            ["print"] => actions.on(name, announce)?,
            ["discard"] => actions.on(name, |_, _| ())?,
            ["silent"] => actions.serve(name, |mut request| {
                announce(request.take_message(), request.peer());
                keep(request.defer());
            })?,
            ["echo"] => actions.serve(name, |mut request| echo(&request.take_message(), request.defer()))?,
            ["echo", ms] => {
                let delay = delay(ms)?;
                actions.serve(name, move |mut request| {
                    let (request, responder) = (request.take_message(), request.defer());
                    thread::spawn(move || {
                        thread::sleep(delay);
                        echo(&request, responder);
                    });
                })?
            }
            ["block", ms] => {
                let delay = delay(ms)?;
                actions.serve(name, move |mut request| {
                    let message = request.take_message();
                    say(&format!("event arrived{} peer={}", shown(&message), address(request.peer())));
                    thread::sleep(delay);
                    echo(&message, request.defer());
                })?
            }
            _ => return Err("print|discard|silent|echo [DELAY_MS]|block DELAY_MS".into()),
        };
        registration.forever();
        Ok(String::new())
    }

    fn send(&self, message: &Message) -> Fields {
        match self {
            Self::Primary(primary) => drop(primary.send(message)?),
            Self::Secondary(secondary) => secondary.send(message)?,
            Self::Client(client) => client.send(message)?,
        }
        Ok(shown(message).to_string())
    }

    fn request(&self, message: &Message, timeout: Duration) -> Fields {
        let outcome = match self {
            Self::Primary(primary) => of_all(primary.request(message, timeout)),
            Self::Secondary(secondary) => of_one(secondary.request(message, timeout)),
            Self::Client(client) => of_one(client.request(message, timeout)),
        };
        Ok(format!("{}{}", shown(message), outcome?))
    }

    fn request_async(&self, message: &Message, timeout: Duration) -> Fields {
        match self {
            Self::Primary(primary) => {
                primary.request_then(message, timeout, |_, replies| say_async(of_all(replies)))
            }
            Self::Secondary(secondary) => {
                secondary.request_then(message, timeout, |_, reply| say_async(of_one(reply)));
            }
            Self::Client(client) => {
                client.request_then(message, timeout, |_, reply| say_async(of_one(reply)))
            }
        }
        Ok(shown(message).to_string())
    }
}

/// What became of a request to one, as DPDK tells it: a peer that asked to be ignored is not counted.
fn of_one(reply: Result<Reply, RequestError>) -> Result<String, RequestError> {
    match reply {
        Ok(reply) => Ok(format!(" sent=1 received=1{}", shown(&reply.message))),
        Err(RequestError::Ignored { .. }) => Ok(" sent=0 received=0".to_owned()),
        Err(error) => Err(error),
    }
}

fn of_all(replies: Result<Replies, RequestError>) -> Result<String, RequestError> {
    let replies = replies?;
    let messages = replies.replies.iter().map(|reply| shown(&reply.message).to_string());
    let outcomes =
        replies.outcomes.iter().map(|(member, outcome)| format!(" outcome={member}:{}", word(outcome)));
    let counts = format!(" sent={} received={}", replies.sent(), replies.received());
    Ok([counts].into_iter().chain(messages).chain(outcomes).collect())
}

/// DPDK's callback is not told of errors: a request that nobody answered was sent.
fn say_async(outcome: Result<String, RequestError>) {
    say(&format!("event async{}", outcome.unwrap_or_else(|_| " sent=1 received=0".to_owned())));
}

/// A member's outcome as one word.
fn word(outcome: &Outcome) -> String {
    let debug = format!("{outcome:?}").to_lowercase();
    debug.split(' ').next().unwrap_or_default().to_owned()
}

fn announce(message: Message, peer: &Peer) {
    say(&format!("event arrived{} peer={}", shown(&message), address(peer)));
}

fn address(peer: &Peer) -> String {
    peer.address().map_or_else(|| "-".to_owned(), ToString::to_string)
}

fn echo(request: &Message, responder: Responder) {
    let fds: Vec<_> = request.fds.iter().collect();
    if let Err(error) = responder.reply(&request.param, &fds) {
        eprintln!("replying: {error}");
    }
}

/// Leaves a request unanswered for good, where dropping the responder would answer *ignore*.
fn keep(responder: Responder) {
    static KEPT: Mutex<Vec<Responder>> = Mutex::new(Vec::new());
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(responder);
}

/// The message of the words `NAME HEX NFDS`, with that many files of its own.
fn message(name: &str, hex: &str, fds: &str) -> Result<Message, Box<dyn Error>> {
    let mut message = Message::new(Name::new(name)?).with_param(hex_decode(hex)?)?;
    for i in 0..usize::from_str(fds)? {
        message = message.with_fd(file(&format!("{i}, {name} of a Rust process"))?)?;
    }
    Ok(message)
}

fn file(content: &str) -> io::Result<OwnedFd> {
    let file = tempfile::tempfile()?;
    file.write_all_at(content.as_bytes(), 0)?;
    Ok(file.into())
}

fn hex_decode(hex: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    if hex == "-" {
        return Ok(Vec::new());
    }
    let pair = |at| hex.get(at..at + 2).ok_or("an odd number of digits");
    (0..hex.len()).step_by(2).map(|at| Ok(u8::from_str_radix(pair(at)?, 16)?)).collect()
}

/// A message as a field of the protocol.
fn shown(message: &Message) -> Shown<'_> {
    Shown(message)
}

struct Shown<'a>(&'a Message);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Message { name, param, fds, .. } = self.0;
        write!(f, " message={name}/{}/", hex(param))?;
        if fds.is_empty() {
            f.write_str("-")?;
        }
        for (i, fd) in fds.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            f.write_str(&identity(fd).unwrap_or_else(|_| "0:0:0:-".to_owned()))?;
        }
        Ok(())
    }
}

/// DEV:INO:SIZE:HEX of an open file.
fn identity(fd: BorrowedFd<'_>) -> io::Result<String> {
    let file = File::from(fd.as_fd().try_clone_to_owned()?);
    let metadata = file.metadata()?;
    let mut head = [0; 32];
    let count = file.read_at(&mut head, 0)?;
    Ok(format!("{}:{}:{}:{}", metadata.dev(), metadata.ino(), metadata.size(), hex(&head[..count])))
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The system's number that says about the same, so that tests can compare with DPDK.
fn errno(error: &(dyn Error + 'static)) -> i32 {
    const EPERM: i32 = 1;
    const EIO: i32 = 5;
    const EEXIST: i32 = 17;
    const ENOTCONN: i32 = 107;
    const ETIMEDOUT: i32 = 110;
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(RequestError::TimedOut { .. } | RequestError::QueueFull { .. }), _) => ETIMEDOUT,
        (Some(RequestError::NoPrimary { .. } | RequestError::Gone), _) => ENOTCONN,
        (_, Some(RegisterError::Taken { .. })) => EEXIST,
        (_, Some(RegisterError::DpdkName { .. })) => EPERM,
        _ => EIO,
    }
}
