use mp_typed::Message;

#[derive(Message)]
#[message(name = "units")]
pub struct Units {
    #[message(max_len = 256)]
    pub fine: Vec<()>,
    #[message(max_len = 257)]
    pub units: Vec<()>,
}

fn main() {}
