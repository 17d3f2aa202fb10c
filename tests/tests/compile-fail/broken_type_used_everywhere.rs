use mp_typed::{Body, DecodeOwned, Message, Payload, Request, Response};

#[derive(Request)]
#[message(name = "", response = Pong)]
pub struct Ping<'a> {
    #[message(max_len = 8)]
    pub text: &'a str,
}

#[derive(Response)]
pub struct Pong {
    #[message(max_lne = 8)]
    pub text: String,
}

#[derive(Payload)]
pub struct Geometry {
    #[payload(max_len = "8")]
    pub text: String,
}

#[derive(Message)]
pub struct Event {
    pub geometry: Geometry,
}

#[derive(Message)]
#[message(name = "generic")]
pub struct Generic<T>(pub T);

#[derive(Message)]
#[message(name = "fine")]
pub struct Fine {
    pub geometry: Geometry,
    pub geometries: [Geometry; 4],
}

pub fn send(_: &impl Message) {}
pub fn request<R: Request>(_: &R)
where
    R::Response: DecodeOwned,
{
}
pub fn receive<M: DecodeOwned>() {}

pub fn uses(event: &Event, generic: &Generic<u8>) {
    send(event);
    send(generic);
    request(&Ping { text: "hello" });
    receive::<Event>();
    receive::<Pong>();
    let _ = (Ping::NAME, Event::NAME, Pong::MAX_SIZE, Event::MAX_FDS, Geometry::MAX_SIZE);
    let _ = mp_typed::encode(event);
    let _ = mp_typed::decode::<Pong>(&[], []);
}

fn main() {}
