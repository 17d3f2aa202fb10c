use mp_typed::Message;

#[derive(Message)]
#[message(name = "suffix")]
pub struct Suffix {
    #[message(max_len = 5u32)]
    pub label: String,
    #[message(max_size = 0x10_i64)]
    pub range: std::ops::Range<u64>,
    #[message(max_len = 5usize)]
    pub fine: String,
}

fn main() {}
