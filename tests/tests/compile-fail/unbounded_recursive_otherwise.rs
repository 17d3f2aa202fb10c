use mp_typed::Payload;

#[derive(Payload)]
pub struct Tree {
    pub value: u32,
    #[payload(max_len = 2)]
    pub children: Vec<Tree>,
}

#[derive(Payload)]
pub enum Expression {
    Number(u64),
    Sum(Box<Self>, Box<Self>),
}

fn main() {}
