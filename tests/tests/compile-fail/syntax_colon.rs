use mp_typed::Message;

#[derive(Message)]
#[message(name: "link_state")]
pub struct LinkState {
    #[message(max_len: 32)]
    pub label: String,
}

fn main() {}
