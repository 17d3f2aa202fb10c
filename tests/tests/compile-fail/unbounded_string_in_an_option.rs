use mp_typed::Message;

#[derive(Message)]
#[message(name = "attach")]
pub struct Attach {
    pub device: Option<String>,
}

fn main() {}
