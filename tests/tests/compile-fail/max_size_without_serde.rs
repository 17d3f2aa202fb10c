use mp_typed::Message;

pub struct Opaque;

#[derive(Message)]
#[message(name = "log")]
pub struct Log {
    #[message(max_size = 32)]
    pub opaque: Opaque,
}

fn main() {}
