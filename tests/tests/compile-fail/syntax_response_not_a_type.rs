use mp_typed::Request;

#[derive(Request)]
#[message(name = "ping", response = 7)]
pub struct Ping;

fn main() {}
