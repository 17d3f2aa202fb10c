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

#[derive(Request)]
#[message(name = 7, response = ())]
pub struct Question;

#[derive(Message)]
#[message(name = "fine")]
pub struct Fine {
    pub geometry: Geometry,
    pub geometries: [Geometry; 4],
}

pub fn uses(event: &Event, generic: &Generic<u8>, secondary: &Secondary, timeout: Duration) {
    let _ = secondary.send(event);
    let _ = secondary.send(generic);
    let _ = secondary.request(&Ping { text: "hello" }, timeout);
    let _ = Primary::builder("p").on(|_: Event, _: &Peer| {}).serve(|_: Question, _: &Peer| Ok::<_, Infallible>(()));
    let _ = (Ping::NAME, Event::NAME, Pong::MAX_SIZE, Event::MAX_FDS, Geometry::MAX_SIZE);
    let _ = mp_typed::encode(event);
    let _ = mp_typed::decode::<Pong>(&[], []);
}

fn main() {}
