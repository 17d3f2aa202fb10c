use mp_typed::{Request, Response};

#[derive(Request)]
#[message(name = "ping", response = "Pong")]
pub struct Ping;

#[derive(Response)]
pub struct Pong;

fn main() {}
