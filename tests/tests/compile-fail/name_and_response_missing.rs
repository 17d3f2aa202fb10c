use mp_typed::Request;

#[derive(Request)]
pub struct OpenRing {
    pub port: u16,
}

fn main() {}
