//! The actions that every member has.

use std::{
    fs::File,
    os::fd::{AsFd, OwnedFd},
    panic::resume_unwind,
    sync::Arc,
    time::Duration,
};

use mp_core::{Builder, Fds, Joins, Message, Peer, Request, Responder};
use mp_typed::decode;
use rustix::process::{Signal, getpid, kill_process};

use crate::{
    shared::Shared,
    words::{lock, name, tell, text},
};

/// Gives them to it.
pub(crate) fn add<R: Joins>(shared: &Arc<Shared>, builder: Builder<R>) -> Builder<R> {
    let serve = |handler: fn(&Shared, Message, &Peer, Responder)| {
        let shared = Arc::clone(shared);
        move |mut request: Request<'_>| {
            let (message, peer) = (request.take_message(), request.peer());
            handler(&shared, message, peer, request.defer());
        }
    };
    let on = |handler: fn(&Shared, Message, &Peer)| {
        let shared = Arc::clone(shared);
        move |message: Message, peer: &Peer| handler(&shared, message, peer)
    };
    builder
        .serve(name("echo"), serve(echo))
        .serve(name("files"), serve(files))
        .serve(name("stall"), serve(stall))
        .serve(name("forget"), serve(|_, _, _, responder| drop(responder)))
        .serve(name("panic"), serve(|_, _, _, _| panic_quietly()))
        .serve(name("panic_twice"), serve(|_, _, _, _| resume_unwind(Box::new(Worse))))
        .serve(name("keep"), serve(keep))
        .serve(name("die"), serve(|_, _, _, _| die()))
        .serve(name("answer_and_die"), serve(answer_and_die))
        .serve(name("route"), serve(route))
        .serve(name("stop"), serve(stop))
        .on(name("note"), on(note))
        .on(name("take"), on(|_, message, _| drop_each(message.fds)))
        .serve(name("take_and_answer"), serve(take_and_answer))
        .on(name("take_one"), on(|_, message, _| drop(decode::<One>(&message.param, message.fds))))
        .on(name("hold"), on(hold))
        .on(name("pass_on"), on(pass_on))
        .on(name("panic_note"), on(|_, _, _| panic_quietly()))
}

fn echo(_: &Shared, message: Message, _: &Peer, responder: Responder) {
    let fds: Vec<_> = message.fds.iter().collect();
    let _ = responder.reply(&message.param, &fds);
}

/// Replies with as many descriptors as it is asked for.
fn files(_: &Shared, message: Message, _: &Peer, responder: Responder) {
    let null = File::open("/dev/null").expect("it is always there");
    let count = text(&message).parse().expect("a number");
    let _ = responder.reply(b"", &vec![null.as_fd(); count]);
}

/// Takes until it is released.
fn stall(shared: &Shared, message: Message, _: &Peer, responder: Responder) {
    tell(&format!("!stall {}", text(&message)));
    shared.wait_for_release();
    let fds: Vec<_> = message.fds.iter().collect();
    let _ = responder.reply(&message.param, &fds);
}

/// Panics without a word on the error output, since it is asked to.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("as it was asked to"))
}

/// Panics again when what it panicked with is dropped.
struct Worse;

impl Drop for Worse {
    fn drop(&mut self) {
        panic_quietly();
    }
}

fn keep(shared: &Shared, _: Message, _: &Peer, responder: Responder) {
    lock(&shared.kept).push(responder);
    tell("!keep");
}

fn die() {
    kill_process(getpid(), Signal::KILL).expect("it is this process");
}

fn answer_and_die(_: &Shared, _: Message, _: &Peer, responder: Responder) {
    let _ = responder.reply(b"last words", &[]);
    die();
}

/// Asks the first on the route (`p` for the primary, else a secondary's pid) to
/// ask those that follow, and replies with the way back. The last may be `wait`.
fn route(shared: &Shared, message: Message, _: &Peer, responder: Responder) {
    let route = text(&message);
    let own = std::process::id();
    let answer = match route.split_once(' ') {
        None if route == "wait" => {
            shared.wait_for_release();
            "waited".to_owned()
        }
        None => "end".to_owned(),
        Some((next, rest)) => {
            let onward = Message::new(name("route")).with_param(rest).expect("it came with more");
            match shared.asker().ask_one(next, &onward, Duration::from_secs(5)) {
                Ok(reply) => text(&reply.message),
                Err(error) => format!("{error:?}"),
            }
        }
    };
    let _ = responder.reply(format!("{own} {answer}").as_bytes(), &[]);
}

fn stop(shared: &Shared, _: Message, _: &Peer, responder: Responder) {
    let ended = shared.role().stop(Duration::from_secs(5));
    tell(&format!("!stopped {ended}"));
    let _ = responder.reply(b"stopped", &[]);
}

fn note(_: &Shared, message: Message, peer: &Peer) {
    tell(&format!("!note {} fds={} pid={}", text(&message), message.fds.len(), peer.pid()));
}

/// Sends what came on, to the primary or to all secondaries.
fn pass_on(shared: &Shared, message: Message, _: &Peer) {
    tell(&format!("!pass_on {}", shared.asker().send("note", &text(&message), Duration::from_secs(5))));
}

/// Takes the descriptors out of the message, and closes them.
pub(crate) fn drop_each(fds: Fds) {
    fds.into_iter().for_each(drop);
}

fn take_and_answer(_: &Shared, message: Message, _: &Peer, responder: Responder) {
    drop_each(message.fds);
    let _ = responder.reply(b"taken", &[]);
}

/// A message of a type with a descriptor.
#[derive(mp_typed::Message)]
#[message(name = "take_one")]
#[allow(dead_code, reason = "it is dropped at once")]
struct One {
    #[fd]
    fd: OwnedFd,
}

/// Takes until it is released.
fn hold(shared: &Shared, message: Message, _: &Peer) {
    tell(&format!("!hold {}", text(&message)));
    shared.wait_for_release();
}
