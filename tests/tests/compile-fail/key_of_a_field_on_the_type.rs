use mp_typed::Message;

#[derive(Message)]
#[message(name = "a", max_len = 32)]
pub struct Label {
    #[message(max_len = 32)]
    pub label: String,
}

fn main() {}
