use mp_typed::Message;

#[derive(Message)]
#[message(name = "log")]
pub struct Log {
    pub level: u8,
    #[message(max_len = 1024)]
    pub line: String,
    #[message(max_len = usize::MAX)]
    pub samples: Vec<u64>,
}

fn main() {}
