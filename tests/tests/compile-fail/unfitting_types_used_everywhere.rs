use std::time::Duration;

use mp_typed::{Body, Message, Payload, Peer, Primary, Request, Response, Secondary};

#[derive(Message)]
#[message(name = "large")]
pub struct Large {
    pub bytes: [u8; 300],
}

#[derive(Request)]
#[message(name = "unbounded", response = Unbounded)]
pub struct GetUnbounded;

#[derive(Response)]
pub struct Unbounded {
    pub text: String,
}

#[derive(Payload)]
pub struct Nested {
    pub text: String,
}

#[derive(Message)]
#[message(name = "fine")]
pub struct Fine {
    pub nested: Nested,
    pub more: [Nested; 4],
}

pub const SIZES: [usize; 3] = [Large::MAX_SIZE, Unbounded::MAX_SIZE, Nested::MAX_SIZE];

pub fn uses(large: &Large, unbounded: &Unbounded, fine: &Fine, secondary: &Secondary, timeout: Duration) {
    let _ = secondary.send(large);
    let _ = secondary.send(fine);
    let _ = secondary.request(&GetUnbounded, timeout);
    let _ = Primary::builder("p").on(|_: Large, _: &Peer| {});
    let _ = (Large::NAME, Unbounded::MAX_FDS, Fine::MAX_SIZE, SIZES);
    let _ = mp_typed::encode(large);
    let _ = mp_typed::encode(unbounded);
    let _ = mp_typed::decode::<Unbounded>(&[], []);
}

fn main() {}
