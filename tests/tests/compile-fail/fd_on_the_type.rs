use mp_typed::Message;

#[derive(Message)]
#[message(name = "share")]
#[fd]
pub struct Share {
    pub size: u64,
}

fn main() {}
