use mp_typed::{Message, Peer, Primary};

#[derive(Message)]
#[message(name = "text")]
pub struct Text<'a> {
    #[message(max_len = 8)]
    pub text: &'a str,
}

pub fn mixed_up() {
    let _ = Primary::builder("p").on(|_: Text<'static>, _: &Peer| {});
}

fn main() {}
