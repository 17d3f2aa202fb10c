use mp_typed::Message;

#[derive(Message)]
#[message(name = "a")]
pub struct Label {
    #[message(name = "label")]
    pub label: u32,
}

fn main() {}
