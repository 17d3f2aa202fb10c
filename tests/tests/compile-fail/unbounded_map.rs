use std::collections::{BTreeSet, HashMap};

use mp_typed::Message;

#[derive(Message)]
#[message(name = "stats")]
pub struct Stats {
    pub counters: HashMap<u16, u64>,
    pub ports: BTreeSet<u16>,
}

fn main() {}
