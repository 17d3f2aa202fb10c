use mp_typed::Message;

pub const LEN: u8 = 32;

#[derive(Message)]
#[message(name = "quoted")]
pub struct Quoted {
    #[message(max_len = LEN)]
    pub label: String,
}

fn main() {}
