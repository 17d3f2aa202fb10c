use mp_typed::Message;

#[derive(Message)]
#[message(name = "ring")]
pub struct Ring {
    pub names: [String; 2],
    pub pair: (u8, String),
    pub list: heapless::Vec<String, 2>,
}

fn main() {}
