use mp_typed::{Request, Secondary};

#[derive(Request)]
#[message(name = "ping", response = ())]
pub struct Ping;

pub fn mixed_up(secondary: &Secondary) {
    let _ = secondary.send(&Ping);
}

fn main() {}
