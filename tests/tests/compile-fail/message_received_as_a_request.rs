use std::convert::Infallible;

use mp_typed::{Message, Peer, Primary};

#[derive(Message)]
#[message(name = "event")]
pub struct Event;

pub fn mixed_up() {
    let _ = Primary::builder("p").serve(|_: Event, _: &Peer| -> Result<(), Infallible> { Ok(()) });
}

fn main() {}
