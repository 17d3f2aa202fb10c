use mp_typed::{Message, Request};

#[derive(Message)]
#[message(layout = "C")]
pub struct InC {
    pub port: u16,
}

#[derive(Request)]
#[message(response = ())]
pub struct Ping;

fn main() {}
