use mp_typed::Request;

#[derive(Request)]
#[message(name = "ping")]
pub struct Ping;

fn main() {}
