use mp_typed::Payload;

#[derive(Payload)]
pub enum Value {
    Text(String),
    Bytes { bytes: Vec<u8> },
    Number(u64),
}

fn main() {}
