use mp_typed::Message;

pub struct Geometry {
    pub slots: u32,
}

#[derive(Message)]
#[message(name = "ring")]
pub struct Ring {
    pub others: [Geometry; 2],
    pub maybe: Option<Geometry>,
}

fn main() {}
