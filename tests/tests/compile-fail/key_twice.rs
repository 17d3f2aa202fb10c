use mp_typed::Message;

#[derive(Message)]
#[message(name = "a", name = "b")]
pub struct Twice {
    #[message(max_len = 1, max_len = 2)]
    pub label: String,
}

fn main() {}
