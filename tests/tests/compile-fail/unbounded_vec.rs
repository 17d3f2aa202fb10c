use mp_typed::Message;

#[derive(Message)]
#[message(name = "stats")]
pub struct Stats {
    pub samples: Vec<u64>,
}

fn main() {}
