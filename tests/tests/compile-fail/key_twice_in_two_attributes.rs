use mp_typed::Request;

#[derive(Request)]
#[message(name = "a", response = ())]
#[message(response = ())]
pub struct Twice;

fn main() {}
