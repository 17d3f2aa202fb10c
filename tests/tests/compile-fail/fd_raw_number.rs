use mp_typed::Message;

#[derive(Message)]
#[message(name = "share")]
pub struct Share {
    #[fd]
    pub memory: i32,
}

fn main() {}
