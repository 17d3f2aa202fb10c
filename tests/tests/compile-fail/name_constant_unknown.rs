use mp_typed::Message;

#[derive(Message)]
#[message(name = NOWHERE)]
pub struct Lost;

fn main() {}
