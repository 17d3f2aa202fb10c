use mp_typed::Message;

#[derive(Message)]
#[message(name = "quoted")]
pub struct Quoted {
    #[message(max_len = "32")]
    pub label: String,
    #[message(max_len = -1)]
    pub other: String,
    #[message(max_size = 1.5)]
    pub float: String,
}

fn main() {}
