use std::convert::Infallible;

use mp_typed::{Peer, Primary, Request, Response};

#[derive(Request)]
#[message(name = "ping", response = Pong)]
pub struct Ping;

#[derive(Response)]
pub struct Pong;

#[derive(Response)]
pub struct Other;

pub fn mixed_up() {
    let _ = Primary::builder("p").serve(|_: Ping, _: &Peer| -> Result<Other, Infallible> { Ok(Other) });
}

fn main() {}
