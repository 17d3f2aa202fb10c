use std::time::Duration;

use mp_typed::{Client, Message};

#[derive(Message)]
#[message(name = "event")]
pub struct Event;

pub fn mixed_up(client: &Client, timeout: Duration) {
    let _ = client.request(&Event, timeout);
}

fn main() {}
