use mp_typed::Response;

#[derive(Response)]
#[message(response = Pong)]
pub struct Pong;

fn main() {}
