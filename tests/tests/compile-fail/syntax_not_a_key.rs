use mp_typed::Message;

#[derive(Message)]
#[message(7, name = "seven")]
pub struct Seven {
    #[message("32")]
    pub label: String,
}

fn main() {}
