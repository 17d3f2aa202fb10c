use mp_typed::Message;

#[derive(Message)]
#[message(name = "a")]
pub struct Typed<T> {
    pub value: T,
}

#[derive(Message)]
#[message(name = "b")]
pub struct Sized<const N: usize> {
    pub value: [u8; N],
}

fn main() {}
