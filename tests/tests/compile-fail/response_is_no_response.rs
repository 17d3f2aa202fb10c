use mp_typed::{Message, Request};

#[derive(Request)]
#[message(name = "number", response = u32)]
pub struct Number;

#[derive(Request)]
#[message(name = "message", response = Event)]
pub struct GetEvent;

#[derive(Message)]
#[message(name = "event")]
pub struct Event;

#[derive(Request)]
#[message(name = "own", response = Own)]
pub struct GetOwn;

pub struct Own;

fn main() {}
