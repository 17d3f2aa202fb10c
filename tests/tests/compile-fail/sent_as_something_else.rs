use mp_typed::{Message, Request, Response};

#[derive(Message)]
#[message(name = "event")]
pub struct Event;

#[derive(Request)]
#[message(name = "question", response = ())]
pub struct Question;

#[derive(Response)]
pub struct Answer;

pub fn send(_: &impl Message) {}
pub fn request(_: &impl Request) {}

pub fn mixed_up() {
    send(&Question);
    request(&Event);
    send(&Answer);
    request(&Answer);
    send(&7);
    let _ = mp_typed::encode(&7);
}

fn main() {}
