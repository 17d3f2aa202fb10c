use std::os::fd::{BorrowedFd, OwnedFd};

use mp_typed::{Peer, Primary, Request, Responder, Response};

#[derive(Request)]
#[message(name = "open", response = Ring)]
pub struct Open;

#[derive(Response)]
pub struct Ring(#[fd] pub OwnedFd);

#[derive(Response)]
pub struct LendsNothing<'a>(#[fd] pub BorrowedFd<'a>);

pub fn answer(responder: Responder<Ring>, fd: BorrowedFd<'_>) {
    let _ = responder.reply(&LendsNothing(fd));
}

pub fn serve(fd: BorrowedFd<'static>) {
    let _ = Primary::builder("p").serve(move |_: Open, _: &Peer| LendsNothing(fd));
}

fn main() {}
