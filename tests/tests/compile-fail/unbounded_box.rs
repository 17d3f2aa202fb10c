use std::sync::Arc;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "stats")]
pub struct Stats {
    pub boxed: Box<u64>,
    pub shared: Arc<[u8]>,
    pub raw: *const u8,
    pub function: fn(),
}

fn main() {}
