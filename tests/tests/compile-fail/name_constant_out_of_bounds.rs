use mp_typed::Message;

pub const EMPTY: &str = "";
pub const LONG: &str = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg";

#[derive(Message)]
#[message(name = EMPTY)]
pub struct Empty;

#[derive(Message)]
#[message(name = LONG)]
pub struct Long;

#[derive(Message)]
#[message(name = concat!("stats", "\0"))]
pub struct Nul;

fn main() {}
