use mp_typed::Message;

#[derive(Message)]
#[message(nmae = "link_state")]
pub struct LinkState {
    #[message(max_length = 32)]
    pub label: String,
    #[message(maxsize = 32)]
    pub other: u32,
}

fn main() {}
