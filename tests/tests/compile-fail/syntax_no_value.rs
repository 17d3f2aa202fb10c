use mp_typed::Message;

#[derive(Message)]
#[message(name)]
pub struct Name;

#[derive(Message)]
#[message(name =)]
pub struct Equals;

#[derive(Message)]
#[message(name = "field")]
pub struct Field {
    #[message(max_len)]
    pub label: String,
}

fn main() {}
