use mp_typed::Payload;

#[derive(Payload)]
pub struct Node {
    pub value: u32,
    pub next: Option<Box<Node>>,
}

fn main() {}
