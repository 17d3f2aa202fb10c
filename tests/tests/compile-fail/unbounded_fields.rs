use std::collections::{BTreeMap, HashMap};
use std::os::fd::OwnedFd;

use mp_typed::Message;

pub struct Own;

#[derive(Message)]
#[message(name = "attach")]
pub struct Attach<'a> {
    pub device: String,
    pub args: Option<Vec<u8>>,
    pub memory: OwnedFd,
    pub table: BTreeMap<u8, u8>,
    pub label: &'a str,
    pub bytes: &'a [u8],
    pub number: &'a u32,
    pub boxed: Box<u32>,
    pub own: Own,
    pub owns: [Own; 2],
    pub strings: [String; 2],
    pub map: HashMap<u8, String>,
}

fn main() {}
