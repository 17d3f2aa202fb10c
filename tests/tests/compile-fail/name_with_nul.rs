use mp_typed::Message;

#[derive(Message)]
#[message(name = "stats\0get")]
pub struct Stats;

fn main() {}
