use mp_typed::Message;

#[derive(Message)]
#[message("link_state")]
pub struct LinkState;

fn main() {}
