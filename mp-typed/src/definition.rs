//! What two peers compare: the definitions of the types here.

use crate::error::Definition;
use crate::message::{Body, Message, Request};

impl Definition {
    /// That of a message.
    #[must_use]
    pub fn of_message<M: Message>() -> Self {
        Self { fingerprint: M::FINGERPRINT, fields: fields::<M>() }
    }

    /// That of a request and its response.
    #[must_use]
    pub fn of_request<Q: Request>() -> Self {
        let fields = format!("{} -> {}", fields::<Q>(), fields::<Q::Response>());
        Self { fingerprint: Q::FINGERPRINT, fields }
    }
}

fn fields<B: Body>() -> String {
    format!("{} {}", B::SHAPE.type_name, B::SHAPE.whole())
}

#[cfg(test)]
mod tests {
    use crate::kind::{FdCount, Field, Kind, Variant, hash};
    use crate::payload::Payload;

    const fn field(name: &'static str, kind: Kind) -> Field {
        Field { name, kind, size: 0, fds: 0, count: FdCount::Fixed, offset: 0 }
    }

    #[test]
    fn kinds_have_these_numbers_for_good() {
        const FIELDS: Kind = Kind::Struct(&[Variant {
            name: "",
            fields: &[field("port", Kind::Named("u16")), field("label", Kind::TEXT)],
        }]);
        assert_eq!(hash(&Kind::FD), GOLDEN[0]);
        assert_eq!(hash(&<Option<[u8; 4]>>::KIND), GOLDEN[1]);
        assert_eq!(hash(&FIELDS), GOLDEN[2]);
    }

    const GOLDEN: [u64; 3] = [0x6c84_c34f_dbd7_ebd3, 0xe777_7078_e152_6581, 0x0f5f_4434_4725_fefb];

    #[test]
    fn what_is_read_otherwise_has_another_number() {
        let kinds = [
            u32::KIND,
            i32::KIND,
            f32::KIND,
            char::KIND,
            <(u32,)>::KIND,
            <[u32; 1]>::KIND,
            <[u32; 2]>::KIND,
            <(u32, u32)>::KIND,
            Option::<u32>::KIND,
            Option::<Option<u32>>::KIND,
            Result::<u32, ()>::KIND,
            Result::<(), u32>::KIND,
            <()>::KIND,
        ];
        for (i, one) in kinds.iter().enumerate() {
            for other in &kinds[i + 1..] {
                assert_ne!(hash(one), hash(other), "{one} and {other}");
            }
        }
    }

    #[test]
    fn it_is_shown_as_it_would_be_written() {
        assert_eq!(Option::<[(u8, bool); 3]>::KIND.to_string(), "Option<[(u8, bool); 3]>");
        assert_eq!(Result::<u8, ()>::KIND.to_string(), "Result<u8, ()>");
        const EVENT: Kind = Kind::Enum(&[
            Variant { name: "Quiet", fields: &[] },
            Variant { name: "Up", fields: &[field("port", Kind::Named("u16")), field("fd", Kind::FD)] },
        ]);
        assert_eq!(EVENT.to_string(), "Quiet | Up { port: u16, fd: fd }");
    }
}
