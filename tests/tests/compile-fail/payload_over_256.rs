use mp_typed::Response;

#[derive(Response)]
pub struct StatsReply {
    pub port: u16,
    pub name: heapless::String<56>,
    pub samples: [u64; 29],
}

fn main() {}
