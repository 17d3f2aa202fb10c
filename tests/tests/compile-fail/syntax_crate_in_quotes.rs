use mp_typed::Message;

#[derive(Message)]
#[message(name = "a", crate = "mp_typed")]
pub struct Quoted;

fn main() {}
