use mp_typed::{Message, Request, Response};

#[derive(Message)]
#[message(name = "one")]
pub struct One(u8);

#[derive(Message)]
#[message(name = "other", accepts = One)]
pub struct Other(u8, u8);

impl From<One> for Other {
    fn from(one: One) -> Self {
        Self(one.0, 0)
    }
}

#[derive(Message)]
#[message(name = "one", accepts = One)]
pub struct WithoutFrom(u8, u8);

#[derive(Request)]
#[message(name = "one", response = (), accepts = One)]
pub struct OfAMessage(u8, u8);

#[derive(Response)]
#[message(accepts = One)]
pub struct OfAResponse(u8, u8);

#[derive(Message)]
#[message(name = "one", fingerprint = true)]
pub struct WithOne(u8, u8);

fn main() {}
