use mp_typed::{Message, Payload};

#[derive(Payload)]
pub struct NotInC {
    pub value: u32,
}

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct InC<'a> {
    pub text: String,
    pub option: Option<u32>,
    pub tuple: (u8, u32),
    pub character: char,
    pub list: Vec<u8>,
    pub nested: NotInC,
    pub array: [NotInC; 2],
    pub slice: &'a [u8],
}

fn main() {}
