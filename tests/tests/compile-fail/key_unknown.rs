use mp_typed::Request;

#[derive(Request)]
#[message(name = "ping", response = (), timeout = 10)]
pub struct Ping {
    #[message(bytes = 32)]
    pub label: u32,
}

fn main() {}
