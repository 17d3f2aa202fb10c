use mp_typed::Message;

#[derive(Message)]
#[message(name = "ring")]
pub struct Ring {
    pub geometry: Geometry,
}

fn main() {}
