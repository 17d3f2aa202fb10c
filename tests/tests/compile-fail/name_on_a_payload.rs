use mp_typed::Payload;

#[derive(Payload)]
#[payload(name = "geometry")]
pub struct Geometry {
    pub slots: u32,
}

fn main() {}
