use mp_typed::Message;

#[derive(Message)]
#[message(name = "a")]
#[serde(rename_all = "camelCase")]
pub struct Renamed {
    #[serde(default)]
    pub value: u32,
}

fn main() {}
