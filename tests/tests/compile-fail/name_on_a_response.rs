use mp_typed::Response;

#[derive(Response)]
#[message(name = "ring")]
pub struct Ring {
    pub slots: u32,
}

fn main() {}
