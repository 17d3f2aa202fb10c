use mp_typed::Message;

pub struct Geometry {
    pub slots: u32,
}

#[derive(Message)]
#[message(name = "ring")]
pub struct Ring {
    pub geometry: Geometry,
}

fn main() {}
