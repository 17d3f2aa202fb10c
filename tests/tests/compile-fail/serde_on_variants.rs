use mp_typed::Payload;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Payload)]
pub enum Mode {
    Poll,
    #[serde(skip)]
    Interrupt,
    #[serde(other)]
    Unknown,
}

fn main() {}
