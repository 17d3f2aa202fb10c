//! A tag behind a message's name: which request it is, or is an answer to.
//!
//! And the fingerprint of the definition that its sender has of the message, which typed receivers
//! compare with their own.
//!
//! C peers match answers by the name alone, and neither read nor reliably clear what follows the
//! NUL of a name. So a tag starts with a magic number and ends with a check over itself and the
//! name; what does not check, such as a C peer's leavings, is as good as none. A name of more than
//! 39 bytes leaves no room for it.
//!
//! | bytes of the name field | what |
//! | --- | --- |
//! | 40 to 43 | magic: [`ASKING`] from whoever makes a request or sends a message, [`ANSWERING`] from whoever answers |
//! | 44 to 51 | sequence |
//! | 52 to 59 | fingerprint of the message's definition; 0 for none |
//! | 60 to 63 | check |
//!
//! All are native-endian: both ends are of one machine.

use std::ops::Range;

use super::{MAX_NAME, MessageRef, Name, name::FIELD};

const ASKING: u32 = 0x6d70_0a51;
const ANSWERING: u32 = 0x6d70_0a52;

/// Where the parts lie in the 64 bytes of the name.
const MAGIC: Range<usize> = 40..44;
const SEQUENCE: Range<usize> = 44..52;
const FINGERPRINT: Range<usize> = 52..60;
const CHECK: Range<usize> = 60..64;

/// The longest name, in bytes, that leaves room for a tag and its own NUL.
const MAX_TAGGED_NAME: usize = MAGIC.start - 1;

/// Which request a datagram is, or is an answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag {
    /// Of the requester's own counting: an answer carries it back.
    pub(crate) sequence: u64,
    /// Of the definition of the message that the sender has; 0 for none.
    pub(crate) fingerprint: u64,
    /// Who wrote it.
    pub(crate) origin: Origin,
}

/// Who wrote a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Whoever asked. In an answer: it comes from a peer that does not know tags and has sent back
    /// the bytes that it got.
    Asker,
    /// Whoever answered, so a peer that knows tags.
    Answerer,
}

impl Tag {
    /// Of a request; `None` if the name leaves no room for it.
    pub(crate) fn of_request(name: &Name, sequence: u64, fingerprint: u64) -> Option<Self> {
        let fits = name.as_bytes().len() <= MAX_TAGGED_NAME;
        fits.then_some(Self { sequence, fingerprint, origin: Origin::Asker })
    }

    /// Of a one-way message, which nobody answers; `None` if there is nothing to tell.
    pub(crate) fn of_message(message: &MessageRef<'_>) -> Option<Self> {
        match message.fingerprint() {
            0 => None,
            fingerprint => Self::of_request(message.name(), 0, fingerprint),
        }
    }

    /// The same, as an answer carries it back.
    pub(crate) fn answering(self) -> Self {
        Self { origin: Origin::Answerer, ..self }
    }

    /// Writes it into the 64 bytes of the name. A name that leaves no room stays as it is: answers
    /// have their request's name, so that does not come about.
    pub(super) fn emit(self, name: &Name, field: &mut [u8; FIELD]) {
        if name.as_bytes().len() > MAX_TAGGED_NAME {
            return;
        }
        field[MAGIC].copy_from_slice(&self.magic().to_ne_bytes());
        field[SEQUENCE].copy_from_slice(&self.sequence.to_ne_bytes());
        field[FINGERPRINT].copy_from_slice(&self.fingerprint.to_ne_bytes());
        field[CHECK].copy_from_slice(&self.check(name).to_ne_bytes());
    }

    /// Reads it from the 64 bytes of the name; `None` if there is none.
    pub(super) fn parse(name: &Name, field: &[u8; FIELD]) -> Option<Self> {
        if name.as_bytes().len() > MAX_TAGGED_NAME {
            return None;
        }
        let origin = match u32::from_ne_bytes(array(field, MAGIC)) {
            ASKING => Origin::Asker,
            ANSWERING => Origin::Answerer,
            _ => return None,
        };
        let sequence = u64::from_ne_bytes(array(field, SEQUENCE));
        let fingerprint = u64::from_ne_bytes(array(field, FINGERPRINT));
        let tag = Self { sequence, fingerprint, origin };
        (tag.check(name) == u32::from_ne_bytes(array(field, CHECK))).then_some(tag)
    }

    fn magic(self) -> u32 {
        match self.origin {
            Origin::Asker => ASKING,
            Origin::Answerer => ANSWERING,
        }
    }

    /// Tells a tag from what happens to lie there. It is no protection from a sender that makes a
    /// wrong one on purpose.
    fn check(self, name: &Name) -> u32 {
        // Any odd number whose bits are well mixed will do.
        const MIXER: u64 = 0x9e37_79b9_7f4a_7c15;
        let (words, _) = name.padded()[..MAGIC.start].as_chunks::<8>();
        let mix = |state: u64, word: u64| {
            let mixed = (state ^ word).wrapping_mul(MIXER);
            mixed ^ (mixed >> 32)
        };
        let own = [u64::from(self.magic()), self.sequence, self.fingerprint].into_iter().fold(0, mix);
        words.iter().fold(own, |state, word| mix(state, u64::from_ne_bytes(*word))) as u32
    }
}

/// The part of the name field at `range`, which is `N` bytes long.
fn array<const N: usize>(field: &[u8; FIELD], range: Range<usize>) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&field[range]);
    bytes
}

const _: () = {
    assert!(CHECK.end == MAX_NAME + 1);
    assert!(MAGIC.start.is_multiple_of(8), "the check takes the name eight bytes at a time");
};

#[cfg(test)]
mod tests {
    use super::*;

    fn tag() -> Tag {
        Tag { sequence: 0x0102_0304_0506_0708, fingerprint: 0x1112_1314_1516_1718, origin: Origin::Asker }
    }

    /// The name field with the tag, on bytes that are not zero.
    fn emitted(name: &str, tag: Tag) -> [u8; 64] {
        let mut field = [0xa5; 64];
        field[..name.len()].copy_from_slice(name.as_bytes());
        field[name.len()] = 0;
        tag.emit(&Name::new(name).expect("valid"), &mut field);
        field
    }

    fn parsed(name: &str, field: &[u8; 64]) -> Option<Tag> {
        Tag::parse(&Name::new(name).expect("valid"), field)
    }

    #[test]
    fn a_tag_fills_the_last_24_bytes_of_the_name_field() {
        if cfg!(target_endian = "big") {
            return;
        }
        let field = emitted("ring_open", tag());
        assert_eq!(field[..10], *b"ring_open\0");
        assert_eq!(field[10..40], [0xa5; 30]);
        assert_eq!(field[40..44], [0x51, 0x0a, 0x70, 0x6d]);
        assert_eq!(field[44..52], [8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(field[52..60], [0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11]);
        assert_eq!(field[60..64], [0x9a, 0xce, 0xae, 0xfe]);
        let field = emitted("ring_open", tag().answering());
        assert_eq!(field[40..44], [0x52, 0x0a, 0x70, 0x6d]);
        assert_eq!(field[60..64], [0x65, 0x94, 0xe0, 0x12]);
    }

    #[test]
    fn it_comes_back_as_it_was_with_names_of_up_to_39_bytes() {
        for len in [1, 7, 8, 38, 39] {
            let name = "n".repeat(len);
            for tag in [tag(), tag().answering()] {
                assert_eq!(parsed(&name, &emitted(&name, tag)), Some(tag), "{len} bytes");
            }
            assert!(Tag::of_request(&Name::new(&name).expect("valid"), 1, 0).is_some());
        }
        for len in [40, 63] {
            let name = "n".repeat(len);
            let mut field = [0xa5; 64];
            tag().emit(&Name::new(&name).expect("valid"), &mut field);
            assert_eq!(field, [0xa5; 64], "{len} bytes");
            assert_eq!(parsed(&name, &field), None);
            assert_eq!(Tag::of_request(&Name::new(&name).expect("valid"), 1, 0), None);
        }
    }

    #[test]
    fn a_bit_that_changed_or_another_name_leaves_no_tag() {
        let field = emitted("echo", tag());
        for bit in 0..24 * 8 {
            let mut changed = field;
            changed[MAGIC.start + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parsed("echo", &changed), None, "bit {bit}");
        }
        for name in ["echp", "ech", "echo2", "e"] {
            assert_eq!(parsed(name, &field), None, "{name}");
        }
    }

    #[test]
    fn what_a_c_peer_leaves_there_is_no_tag() {
        let mut state = 1_u64;
        for fill in 0..=255 {
            assert_eq!(parsed("echo", &[fill; 64]), None);
        }
        for _ in 0..100_000 {
            let mut field = [0; 64];
            for byte in &mut field {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 33) as u8;
            }
            assert_eq!(parsed("echo", &field), None);
            // With the magic right, it is the check that tells.
            field[MAGIC].copy_from_slice(&ANSWERING.to_ne_bytes());
            assert_eq!(parsed("echo", &field), None);
        }
    }
}
