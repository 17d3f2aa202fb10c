use mp_typed::Message;

#[derive(Message)]
#[message(name = 7)]
pub struct Seven;

#[derive(Message)]
#[message(name = b"bytes")]
pub struct Bytes;

fn main() {}
