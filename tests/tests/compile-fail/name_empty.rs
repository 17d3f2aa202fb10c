use mp_typed::Message;

#[derive(Message)]
#[message(name = "")]
pub struct Ping;

fn main() {}
