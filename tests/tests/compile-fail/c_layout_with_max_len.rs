use mp_typed::Message;

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct InC {
    #[message(max_len = 32)]
    pub text: String,
    #[message(max_size = 32)]
    pub other: u32,
}

fn main() {}
