use mp_typed::{Body, DecodeOwned, Message, Payload, Request, Response};

#[derive(Message)]
#[message(name = "large")]
pub struct Large {
    pub bytes: [u8; 300],
}

#[derive(Request)]
#[message(name = "unbounded", response = Unbounded)]
pub struct GetUnbounded;

#[derive(Response)]
pub struct Unbounded {
    pub text: String,
}

#[derive(Payload)]
pub struct Nested {
    pub text: String,
}

#[derive(Message)]
#[message(name = "fine")]
pub struct Fine {
    pub nested: Nested,
    pub more: [Nested; 4],
}

pub fn send(_: &impl Message) {}
pub fn request<R: Request>(_: &R)
where
    R::Response: DecodeOwned,
{
}
pub fn receive<M: DecodeOwned>() {}

pub const SIZES: [usize; 3] = [Large::MAX_SIZE, Unbounded::MAX_SIZE, Nested::MAX_SIZE];

pub fn uses(large: &Large, unbounded: &Unbounded, fine: &Fine) {
    send(large);
    send(fine);
    request(&GetUnbounded);
    receive::<Large>();
    receive::<Unbounded>();
    let _ = (Large::NAME, Unbounded::MAX_FDS, Fine::MAX_SIZE, SIZES);
    let _ = mp_typed::encode(large);
    let _ = mp_typed::encode(unbounded);
    let _ = mp_typed::decode::<Unbounded>(&[], []);
}

fn main() {}
