use std::ops::Range;
use std::path::PathBuf;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "ring")]
pub struct Ring {
    pub path: PathBuf,
    pub range: Range<u32>,
}

fn main() {}
