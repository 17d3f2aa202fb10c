use mp_typed::Message;

#[derive(Message)]
#[message(name = "p")]
pub struct Fixed {
    #[message(max_len = 8)]
    pub text: &'static str,
}

fn main() {}
