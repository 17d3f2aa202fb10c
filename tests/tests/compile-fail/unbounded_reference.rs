use mp_typed::Message;

#[derive(Message)]
#[message(name = "stats")]
pub struct Stats<'a> {
    pub number: &'a u64,
}

fn main() {}
