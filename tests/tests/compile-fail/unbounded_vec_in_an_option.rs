use mp_typed::Message;

#[derive(Message)]
#[message(name = "stats")]
pub struct Stats {
    pub names: Option<Vec<[u8; 4]>>,
}

fn main() {}
