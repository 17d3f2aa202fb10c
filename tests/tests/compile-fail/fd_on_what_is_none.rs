use mp_typed::Message;

pub struct Own(pub u32);

#[derive(Message)]
#[message(name = "share")]
pub struct Share {
    #[fd]
    pub label: String,
    #[fd]
    pub own: Own,
    #[fd]
    pub numbers: [u32; 2],
}

fn main() {}
