use mp_typed::Payload;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Payload)]
pub struct Inner {
    pub a: u8,
}

#[derive(Serialize, Deserialize, Payload)]
pub struct Outer {
    #[serde(flatten)]
    pub inner: Inner,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maybe: Option<u32>,
    #[serde(skip)]
    pub skipped: u32,
    #[serde(with = "as_text")]
    pub with: u32,
}

#[derive(Serialize, Deserialize, Payload)]
#[serde(untagged)]
pub enum Untagged {
    A(u8),
    B(u16),
}

#[derive(Serialize, Deserialize, Payload)]
#[serde(tag = "t", content = "c")]
pub enum Tagged {
    A(u8),
    B(u16),
}

#[derive(Clone, Serialize, Deserialize, Payload)]
#[serde(from = "u8", into = "u8")]
pub struct Converted(pub u32);

impl From<u8> for Converted {
    fn from(value: u8) -> Self {
        Self(value.into())
    }
}

impl From<Converted> for u8 {
    fn from(_: Converted) -> Self {
        0
    }
}

mod as_text {
    pub fn serialize<S: serde::Serializer>(_: &u32, _: S) -> Result<S::Ok, S::Error> {
        unimplemented!()
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(_: D) -> Result<u32, D::Error> {
        unimplemented!()
    }
}

fn main() {}
