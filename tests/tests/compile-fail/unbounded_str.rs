use mp_typed::Message;

#[derive(Message)]
#[message(name = "attach")]
pub struct Attach<'a> {
    pub device: &'a str,
    pub bytes: &'a [u8],
}

fn main() {}
