use mp_typed::{Peer, Primary, Request};

#[derive(Request)]
#[message(name = "ping", response = ())]
pub struct Ping;

pub fn mixed_up() {
    let _ = Primary::builder("p").on(|_: Ping, _: &Peer| {});
}

fn main() {}
