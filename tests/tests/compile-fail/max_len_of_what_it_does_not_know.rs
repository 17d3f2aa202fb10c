use std::borrow::Cow;
use std::path::PathBuf;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "other")]
pub struct Other {
    #[message(max_len = 8)]
    pub text: Cow<'static, str>,
    #[message(max_len = 8)]
    pub path: Option<PathBuf>,
    #[message(max_len = 8)]
    pub bytes: Box<[u8]>,
}

fn main() {}
