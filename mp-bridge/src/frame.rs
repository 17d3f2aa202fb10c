//! What bridges say to each other: one versioned binary frame, the payload of one NATS message.
//!
//! Bytes only: who says what when, [`state`](crate::state) decides, and on which subjects
//! [`subject`](crate::subject) says. All integers are little-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0 to 2 | magic `mpb` |
//! | 3 | version: 1 |
//! | 4 to 11 | the bridge that sends: a random number, new with each start |
//! | 12 to 19 | the session that it belongs to; 0 for none |
//! | 20 to 27 | its number in the session, from 1 on; 0 for what may be lost or come twice |
//! | 28 | kind |
//! | 29.. | what the kind says, see [`Body`] |
//!
//! A text is its length in one byte and its bytes; a content is its name as a text, the fingerprint
//! (8 bytes), the param's length (2 bytes) and the param. Whatever is longer or shorter than its
//! kind says, or has another magic or version, is no frame.

use mp_core::{Message, Name, Param, Reason, Why};

const MAGIC: [u8; 3] = *b"mpb";
/// A frame of another version is no frame: bridges of one group are of one release.
const VERSION: u8 = 1;
/// A longer text is cut.
const MAX_TEXT: usize = u8::MAX as usize;

/// One frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    /// The bridge that sends it.
    pub(crate) from: u64,
    /// 0 for none.
    pub(crate) session: u64,
    /// 0 for what may be lost or come twice.
    pub(crate) sequence: u64,
    pub(crate) body: Body,
}

/// What a frame says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    /// From a bridge without a session to the home: begin this session with me. Its byte order goes
    /// along, since params hold what C structs hold.
    Hello { host: String, is_little_endian: bool },
    /// The home has begun it.
    Welcome { host: String },
    /// From the home of a group to all that may believe to be it.
    Claim { host: String, is_settled: bool },
    /// To whoever claims what is mine.
    Taken { host: String },
    /// To the home: this host has a primary of its own, so this bridge cannot be one.
    Refused { host: String, why: String },
    /// I am here.
    Beat,
    /// The session is over.
    Bye,
    /// The home's primary: which one since the home started; 0 for none.
    Primary { generation: u64 },
    /// A process has become a member on my host.
    Joined { member: u64, pid: u32 },
    /// It has left, or died.
    Left { member: u64 },
    /// A message to this member, or to the primary, for which `member` is 0.
    Message { member: u64, content: Content },
    /// A request to it.
    Request { id: u64, member: u64, content: Content },
    /// What became of a request.
    Answer { id: u64, answer: Answer },
}

/// A message of the group without descriptors.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    pub(crate) name: Name,
    pub(crate) fingerprint: u64,
    pub(crate) param: Param,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Reply(Param),
    Ignore(Why),
    /// Nothing: whoever was asked did not answer. The requester's own deadline ends it.
    Nothing,
}

impl Answer {
    /// Whoever was asked is gone.
    pub(crate) fn gone() -> Self {
        Self::Ignore(Reason::Gone.into())
    }
}

impl Content {
    /// Of a message without descriptors.
    pub(crate) fn of(message: &Message) -> Self {
        Self { name: message.name, fingerprint: message.fingerprint(), param: message.param }
    }

    pub(crate) fn into_message(self) -> Message {
        let mut message = Message::new(self.name).with_fingerprint(self.fingerprint);
        message.param = self.param;
        message
    }
}

impl Frame {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96);
        out.extend(MAGIC);
        out.push(VERSION);
        for number in [self.from, self.session, self.sequence] {
            out.extend(number.to_le_bytes());
        }
        out.push(self.body.kind());
        self.body.encode(&mut out);
        out
    }

    /// `None` for what is no frame of this version.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        if input.take(MAGIC.len())? != MAGIC || input.u8()? != VERSION {
            return None;
        }
        let (from, session, sequence) = (input.u64()?, input.u64()?, input.u64()?);
        let body = Body::decode(input.u8()?, &mut input)?;
        input.0.is_empty().then_some(Self { from, session, sequence, body })
    }
}

impl Body {
    fn kind(&self) -> u8 {
        match self {
            Self::Hello { .. } => 1,
            Self::Welcome { .. } => 2,
            Self::Claim { .. } => 3,
            Self::Taken { .. } => 4,
            Self::Refused { .. } => 5,
            Self::Beat => 6,
            Self::Bye => 7,
            Self::Primary { .. } => 8,
            Self::Joined { .. } => 9,
            Self::Left { .. } => 10,
            Self::Message { .. } => 11,
            Self::Request { .. } => 12,
            Self::Answer { .. } => 13,
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello { host, is_little_endian: flag } | Self::Claim { host, is_settled: flag } => {
                text(out, host);
                out.push(u8::from(*flag));
            }
            Self::Welcome { host } | Self::Taken { host } => text(out, host),
            Self::Refused { host, why } => {
                text(out, host);
                text(out, why);
            }
            Self::Beat | Self::Bye => {}
            Self::Primary { generation } => out.extend(generation.to_le_bytes()),
            Self::Joined { member, pid } => {
                out.extend(member.to_le_bytes());
                out.extend(pid.to_le_bytes());
            }
            Self::Left { member } => out.extend(member.to_le_bytes()),
            Self::Message { member, content } => {
                out.extend(member.to_le_bytes());
                content.encode(out);
            }
            Self::Request { id, member, content } => {
                out.extend(id.to_le_bytes());
                out.extend(member.to_le_bytes());
                content.encode(out);
            }
            Self::Answer { id, answer } => {
                out.extend(id.to_le_bytes());
                answer.encode(out);
            }
        }
    }

    fn decode(kind: u8, input: &mut Input<'_>) -> Option<Self> {
        Some(match kind {
            1 => Self::Hello { host: input.text()?, is_little_endian: input.flag()? },
            2 => Self::Welcome { host: input.text()? },
            3 => Self::Claim { host: input.text()?, is_settled: input.flag()? },
            4 => Self::Taken { host: input.text()? },
            5 => Self::Refused { host: input.text()?, why: input.text()? },
            6 => Self::Beat,
            7 => Self::Bye,
            8 => Self::Primary { generation: input.u64()? },
            9 => Self::Joined { member: input.u64()?, pid: input.u32()? },
            10 => Self::Left { member: input.u64()? },
            11 => Self::Message { member: input.u64()?, content: Content::decode(input)? },
            12 => Self::Request { id: input.u64()?, member: input.u64()?, content: Content::decode(input)? },
            13 => Self::Answer { id: input.u64()?, answer: Answer::decode(input)? },
            _ => return None,
        })
    }
}

impl Content {
    fn encode(&self, out: &mut Vec<u8>) {
        // A name has at most 63 bytes, a param at most 256.
        out.push(self.name.as_bytes().len() as u8);
        out.extend(self.name.as_bytes());
        out.extend(self.fingerprint.to_le_bytes());
        param(out, &self.param);
    }

    fn decode(input: &mut Input<'_>) -> Option<Self> {
        let name = Name::new(input.bytes()?).ok()?;
        Some(Self { name, fingerprint: input.u64()?, param: input.param()? })
    }
}

impl Answer {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Reply(reply) => {
                out.push(0);
                param(out, reply);
            }
            Self::Ignore(why) => {
                out.push(1);
                param(out, &why.to_param());
            }
            Self::Nothing => out.push(2),
        }
    }

    fn decode(input: &mut Input<'_>) -> Option<Self> {
        Some(match input.u8()? {
            0 => Self::Reply(input.param()?),
            1 => Self::Ignore(Why::from_param(&input.param()?)),
            2 => Self::Nothing,
            _ => return None,
        })
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    let text = &text[..text.floor_char_boundary(MAX_TEXT)];
    out.push(text.len() as u8);
    out.extend(text.as_bytes());
}

fn param(out: &mut Vec<u8>, param: &Param) {
    out.extend((param.len() as u16).to_le_bytes());
    out.extend(&param[..]);
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.u8()?;
        self.take(usize::from(len))
    }

    fn text(&mut self) -> Option<String> {
        str::from_utf8(self.bytes()?).ok().map(str::to_owned)
    }

    fn param(&mut self) -> Option<Param> {
        let len = self.array().map(u16::from_le_bytes)?;
        Param::new(self.take(usize::from(len))?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        let param = Param::new([7; 256]).expect("it fits");
        Content { name: Name::from_static("ring_open"), fingerprint: 0x0102_0304_0506_0708, param }
    }

    fn bodies() -> Vec<Body> {
        let host = || String::from("left");
        vec![
            Body::Hello { host: host(), is_little_endian: true },
            Body::Welcome { host: host() },
            Body::Claim { host: host(), is_settled: false },
            Body::Taken { host: host() },
            Body::Refused { host: host(), why: "pid 7 is".into() },
            Body::Beat,
            Body::Bye,
            Body::Primary { generation: 3 },
            Body::Joined { member: 5, pid: 7 },
            Body::Left { member: 5 },
            Body::Message { member: 0, content: content() },
            Body::Request { id: 9, member: 5, content: content() },
            Body::Answer { id: 9, answer: Answer::Reply(Param::EMPTY) },
            Body::Answer { id: 9, answer: Answer::Ignore(Why::new(Reason::Stopping, "until noon")) },
            Body::Answer { id: 9, answer: Answer::Nothing },
        ]
    }

    fn frame(body: Body) -> Frame {
        Frame { from: 1, session: 2, sequence: 3, body }
    }

    #[test]
    fn each_kind_comes_back_as_it_was() {
        for body in bodies() {
            let frame = frame(body);
            assert_eq!(Frame::decode(&frame.encode()), Some(frame));
        }
    }

    #[test]
    fn a_frame_has_these_bytes() {
        let body = Body::Joined { member: 5, pid: 7 };
        let golden: &[u8] =
            b"mpb\x01\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x09\x05\0\0\0\0\0\0\0\x07\0\0\0";
        assert_eq!(frame(body).encode(), golden);
    }

    #[test]
    fn what_is_cut_off_longer_or_of_another_version_is_no_frame() {
        for body in bodies() {
            let bytes = frame(body).encode();
            for end in 0..bytes.len() {
                assert_eq!(Frame::decode(&bytes[..end]), None, "the first {end} of {bytes:?}");
            }
            let longer: Vec<_> = bytes.iter().copied().chain([0]).collect();
            assert_eq!(Frame::decode(&longer), None);
            for at in 0..=MAGIC.len() {
                let mut other = bytes.clone();
                other[at] ^= 1;
                assert_eq!(Frame::decode(&other), None, "byte {at}");
            }
        }
    }

    #[test]
    fn garbage_never_panics() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..200_000 {
            let mut bytes = frame(Body::Beat).encode();
            bytes.pop();
            for _ in 0..40 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                bytes.push((state >> 9) as u8 % 16);
            }
            let _ = Frame::decode(&bytes);
        }
    }
}
