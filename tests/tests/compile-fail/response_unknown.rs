use mp_typed::Request;

#[derive(Request)]
#[message(name = "number", response = Nowhere)]
pub struct Number;

fn main() {}
