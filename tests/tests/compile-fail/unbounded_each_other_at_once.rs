use mp_typed::Payload;

#[derive(Payload)]
pub struct Chicken {
    pub egg: Option<Egg>,
}

#[derive(Payload)]
pub struct Egg {
    pub chicken: Chicken,
}

fn main() {}
