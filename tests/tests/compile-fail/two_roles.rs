use mp_typed::{Message, Request, Response};

#[derive(Message, Request)]
#[message(name = "ping", response = ())]
pub struct MessageAndRequest;

#[derive(Message, Response)]
#[message(name = "pong")]
pub struct MessageAndResponse;

#[derive(Request, Response)]
#[message(name = "echo", response = ())]
pub struct RequestAndResponse(pub u8);

fn main() {}
