use mp_typed::Message;

#[derive(Message)]
#[message(name = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg")]
pub struct Ping;

fn main() {}
