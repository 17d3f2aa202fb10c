use mp_typed::Message;

#[derive(Message)]
pub struct LinkState {
    pub port: u16,
}

fn main() {}
