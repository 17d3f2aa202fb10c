use mp_typed::Message;

#[derive(Message)]
#[message(name = "event")]
pub enum Event {
    Up { port: u16 },
    Log { level: u8, text: heapless::String<250> },
}

fn main() {}
