use mp_typed::Payload;

#[derive(Payload)]
pub struct Chicken {
    #[payload(max_len = 2)]
    pub eggs: Vec<Egg>,
}

#[derive(Payload)]
pub struct Egg {
    #[payload(max_len = 1)]
    pub chickens: Vec<Chicken>,
}

fn main() {}
