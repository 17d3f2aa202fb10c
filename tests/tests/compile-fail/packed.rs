use mp_typed::Message;

#[derive(Message)]
#[message(name = "p")]
#[repr(C, packed)]
pub struct Packed {
    pub a: u8,
    pub b: u32,
}

fn main() {}
