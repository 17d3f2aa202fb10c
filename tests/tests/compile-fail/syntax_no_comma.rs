use mp_typed::Request;

#[derive(Request)]
#[message(name = "ping" response = ())]
pub struct Ping;

fn main() {}
