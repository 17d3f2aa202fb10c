use mp_typed::Message;

#[derive(Message)]
#[message(name = "attach")]
pub struct Attach {
    pub device: String,
    pub args: Option<String>,
}

fn main() {}
