use std::collections::BTreeMap;

use mp_typed::{Message, Payload};

#[derive(Message)]
#[message(name = "names")]
pub struct Names {
    #[message(max_len = 2)]
    pub names: Vec<String>,
    #[message(max_len = 2)]
    pub ports: BTreeMap<String, u16>,
}

#[derive(Payload)]
pub struct Inside {
    #[payload(max_len = 2)]
    pub names: Option<Vec<Box<str>>>,
}

fn main() {}
