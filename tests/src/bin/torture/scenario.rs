//! What a process does while one of its system calls fails: each scenario from joining to leaving.

use std::{
    error::Error,
    io::Write,
    os::fd::OwnedFd,
    path::Path,
    sync::{
        Mutex, PoisonError,
        mpsc::{Sender, channel},
    },
    time::Duration,
};

use mp_typed::{
    Change, Client, Member, Message, Peer, Primary, PrimaryHandle, Request, Response, Secondary,
    mp_core::{self, inspect},
};
use rustix::{fs::MemfdFlags, fs::memfd_create, io::pread};

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// How long one step may take.
const TIMEOUT: Duration = Duration::from_millis(400);

/// Asks for the double.
#[derive(Request)]
#[message(name = "double", response = Doubled)]
pub(crate) struct Double(pub(crate) u64);

#[derive(Response)]
pub(crate) struct Doubled(pub(crate) u64);

/// Asks for memory with this number in it, and brings some.
#[derive(Request)]
#[message(name = "memory", response = Memory)]
pub(crate) struct Fetch {
    pub(crate) number: u64,
    #[fd]
    pub(crate) brought: OwnedFd,
}

#[derive(Response)]
pub(crate) struct Memory {
    #[fd]
    pub(crate) memory: OwnedFd,
}

/// Has the primary send this and ask the double of the number of the member that asks.
#[derive(Request)]
#[message(name = "call_back", response = ())]
pub(crate) struct CallBack {
    pub(crate) number: u64,
}

/// Has the primary's process start another secondary, or stop it again.
#[derive(Request)]
#[message(name = "come_and_go", response = ())]
pub(crate) struct ComeAndGo {
    pub(crate) comes: bool,
}

#[derive(Message)]
#[message(name = "told")]
pub(crate) struct Told(pub(crate) u64);

/// What is done in a group's directory.
pub(crate) type Scenario = fn(&Path) -> Outcome;

/// By name, what there is to do.
pub(crate) const SCENARIOS: [(&str, Scenario); 8] = [
    ("client", client),
    ("secondary", secondary),
    ("answering", answering),
    ("member", member),
    ("primary", primary),
    ("watch", watch),
    ("inspect", look),
    ("raw", raw),
];

/// A client sends, asks and waits, asks asynchronously, and exchanges descriptors.
fn client(dir: &Path) -> Outcome {
    let client = Client::builder("torture").runtime_dir(dir).start()?;
    client.send(&Told(1))?;
    is(client.request(&Double(4), TIMEOUT)?.0, 8)?;
    let future = client.request_async(&Double(5), TIMEOUT);
    is(pollster::block_on(future)?.0, 10)?;
    let (tell, told) = channel();
    client.request_then(Double(6), TIMEOUT, move |_, doubled| {
        let _ = tell.send(doubled);
    });
    is(told.recv_timeout(4 * TIMEOUT)??.0, 12)?;
    let reply = client.request(&Fetch { number: 7, brought: memory(7)? }, TIMEOUT)?;
    is(number_in(&reply.memory)?, 7)
}

/// A secondary joins, asks and leaves.
fn secondary(dir: &Path) -> Outcome {
    let secondary = Secondary::builder("torture").runtime_dir(dir).start()?;
    secondary.send(&Told(1))?;
    is(secondary.request(&Double(4), TIMEOUT)?.0, 8)?;
    is(pollster::block_on(secondary.request_async(&Double(5), TIMEOUT))?.0, 10)?;
    stopped(secondary.stop(TIMEOUT))
}

/// A secondary is sent to, asked, and asked for descriptors.
fn answering(dir: &Path) -> Outcome {
    let (tell, told) = channel();
    let secondary = Secondary::builder("torture")
        .runtime_dir(dir)
        .on(tells(tell))
        .serve(|double: Double, _: &Peer| Doubled(2 * double.0))
        .serve(|fetch: Fetch, _: &Peer| fetched(&fetch))
        .start()?;
    secondary.request(&CallBack { number: 9 }, 4 * TIMEOUT)?;
    is(told.recv_timeout(TIMEOUT)?, 9)?;
    stopped(secondary.stop(TIMEOUT))
}

/// A secondary asks the other secondaries, one by one.
fn member(dir: &Path) -> Outcome {
    let secondary = Secondary::builder("torture").runtime_dir(dir).start()?;
    for member in secondary.members()? {
        if member.pid() != Some(std::process::id()) {
            is(secondary.to(&member).request(&Double(4), TIMEOUT)?.0, 8)?;
        }
    }
    Ok(())
}

/// A primary of a group of its own, with a secondary beside it, sends to all and asks all.
fn primary(dir: &Path) -> Outcome {
    let dir = dir.join("own");
    let primary = Primary::builder("torture").runtime_dir(&dir).start()?;
    let secondary = Secondary::builder("torture")
        .runtime_dir(&dir)
        .serve(|double: Double, _: &Peer| Doubled(2 * double.0))
        .start()?;
    primary.send(&Told(3))?;
    for replies in [
        primary.request(&Double(4), TIMEOUT)?,
        pollster::block_on(primary.request_async(&Double(4), TIMEOUT))?,
    ] {
        match replies.replies.first() {
            Some(reply) => is(reply.response.0, 8)?,
            None => return Err(format!("nobody answered: {:?}", replies.outcomes).into()),
        }
    }
    stopped(secondary.stop(TIMEOUT) && primary.stop(TIMEOUT))
}

/// Somebody comes and goes while a client watches.
fn watch(dir: &Path) -> Outcome {
    let client = Client::builder("torture").runtime_dir(dir).start()?;
    let mut watch = client.watch()?;
    // First it tells of those who are there: a primary and two secondaries.
    let mut changes = [(); 3].map(|()| watch.next_within(TIMEOUT)).into_iter().collect::<Vec<_>>();
    for comes in [true, false] {
        client.request(&ComeAndGo { comes }, 4 * TIMEOUT)?;
        changes.push(watch.next_within(TIMEOUT));
    }
    match &changes[3..] {
        [Ok(Some(Change::Joined(came))), Ok(Some(Change::Left(went)))] if came == went => Ok(()),
        _ => Err(format!("watched {changes:?}").into()),
    }
}

/// A look from outside.
fn look(dir: &Path) -> Outcome {
    let group = inspect::Group::in_dir(dir)?;
    match group.members.len() {
        3 => Ok(()),
        count => Err(format!("{count} members").into()),
    }
}

/// Without types, from the core.
fn raw(dir: &Path) -> Outcome {
    let secondary = mp_core::Secondary::builder("torture").runtime_dir(dir).start()?;
    let message =
        mp_core::Message::new(mp_core::Name::from_static("double")).with_param(4_u64.to_le_bytes())?;
    let reply = secondary.request(&message, TIMEOUT)?;
    is(u64::from_le_bytes(reply.message.param[..].try_into()?), 8)
}

/// What the process answers that is not tortured.
pub(crate) fn serve_others(
    builder: mp_typed::Builder<Primary>,
    handle: PrimaryHandle,
    dir: &Path,
) -> mp_typed::Builder<Primary> {
    let (dir, other) = (dir.to_owned(), Mutex::new(None));
    builder
        .serve(|double: Double, _: &Peer| Doubled(2 * double.0))
        .serve(|fetch: Fetch, _: &Peer| fetched(&fetch))
        .on(|_: Told, _: &Peer| ())
        .serve(move |call: CallBack, peer: &Peer| {
            let members = handle.members().map_err(|error| error.to_string())?;
            let told = Told(call.number);
            // One that it could not remove in an earlier life is refused.
            let is_there =
                |member: &&Member| member.pid() == Some(peer.pid()) && handle.to(member).send(&told).is_ok();
            let Some(member) = members.iter().find(is_there) else {
                return Err("the member that asks is not there".to_owned());
            };
            let target = handle.to(member);
            let doubled = target.request(&Double(call.number), TIMEOUT).map_err(|error| error.to_string())?;
            let brought = memory(call.number).map_err(|error| error.to_string())?;
            let fetch = Fetch { number: call.number, brought };
            let fetched = target.request(&fetch, TIMEOUT).map_err(|error| error.to_string())?;
            let number = number_in(&fetched.memory).map_err(|error| error.to_string())?;
            match (doubled.0 == 2 * call.number, number == call.number) {
                (true, true) => Ok(()),
                _ => Err(crate::wrong("an answer is not to the request").to_string()),
            }
        })
        .serve(move |change: ComeAndGo, _: &Peer| {
            let mut other = other.lock().unwrap_or_else(PoisonError::into_inner);
            *other = None;
            if change.comes {
                let started = Secondary::builder("torture").runtime_dir(&dir).start();
                *other = Some(started.map_err(|error| error.to_string())?);
            }
            Ok::<_, String>(())
        })
}

/// A handler that passes on what it is told.
fn tells(tell: Sender<u64>) -> impl Fn(Told, &Peer) + Send + Sync + 'static {
    move |told, _| {
        let _ = tell.send(told.0);
    }
}

pub(crate) fn fetched(fetch: &Fetch) -> Result<Memory, String> {
    match number_in(&fetch.brought) {
        Ok(number) if number == fetch.number => {}
        other => return Err(format!("number {} was brought as {other:?}", fetch.number)),
    }
    Ok(Memory { memory: memory(fetch.number).map_err(|error| error.to_string())? })
}

fn memory(number: u64) -> std::io::Result<OwnedFd> {
    let memory = memfd_create("torture", MemfdFlags::CLOEXEC)?;
    let mut file = std::fs::File::from(memory);
    file.write_all(&number.to_ne_bytes())?;
    Ok(file.into())
}

fn number_in(memory: &OwnedFd) -> std::io::Result<u64> {
    let mut bytes = [0; 8];
    pread(memory, &mut bytes, 0)?;
    Ok(u64::from_ne_bytes(bytes))
}

/// An answer that came is the right one, whatever failed.
fn is(found: u64, right: u64) -> Outcome {
    if found == right { Ok(()) } else { Err(crate::wrong(&format!("{found} instead of {right}"))) }
}

fn stopped(all: bool) -> Outcome {
    if all { Ok(()) } else { Err("a role did not stop in time".into()) }
}
