use mp_typed::Message;

pub const SEVEN: u32 = 7;

#[derive(Message)]
#[message(name = SEVEN)]
pub struct Seven;

fn main() {}
