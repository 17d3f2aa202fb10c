use std::path::PathBuf;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "log")]
pub struct Log {
    pub level: u8,
    #[message(max_size = 256)]
    pub path: PathBuf,
}

fn main() {}
