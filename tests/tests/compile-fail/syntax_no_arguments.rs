use mp_typed::Message;

#[derive(Message)]
#[message]
pub struct Bare;

#[derive(Message)]
#[message()]
pub struct Empty;

#[derive(Message)]
#[message = "link_state"]
pub struct NameValue;

#[derive(Message)]
#[message(name = "field")]
pub struct Field {
    #[message]
    pub label: u32,
}

fn main() {}
