//! Why a peer asks to be ignored, in the param of an *ignore*.
//!
//! DPDK looks at neither the length nor the bytes of that param, and what a C process sends there
//! is garbage. So ours starts with a magic and ends with a check, and whatever does not check says
//! nothing: [`Reason::Unknown`]. Codes of later releases stay readable, as [`Reason::Other`] and
//! with their text.

use std::fmt::{self, Display, Write};

use super::{MAX_PARAM, Param};

/// The magic, the code and the length of the text; then the text, then the check.
const MAGIC: [u8; 4] = *b"why\x01";
const CODE: usize = 4;
const LEN: usize = 5;
const TEXT: usize = 6;
const CHECK: usize = 4;

/// The longest text, in bytes.
const MAX_TEXT: usize = MAX_PARAM - TEXT - CHECK;

/// What keeps a peer from answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It did not say: a DPDK process, which does so while it is still starting, or another program
    /// that does not tell reasons.
    Unknown,
    /// It has no action of that name, or one for messages only.
    NoAction,
    /// It could make nothing of the param or the descriptors.
    Undecodable,
    /// It knows the request by another definition: the two programs were built from different
    /// types.
    OtherDefinition,
    /// Its handler returned an error, panicked, or ended without an answer.
    HandlerFailed,
    /// More waits to be handled, or to be read by its requesters, than it keeps.
    Overloaded,
    /// It is leaving the group.
    Stopping,
    /// It has no room for more file descriptors: those of the request, or those of its reply.
    OutOfDescriptors,
    /// Its handler declined; the text says why.
    Declined,
    /// Whom it stands in for is gone, as one on another host may be. Requesters of this crate take it
    /// for [`Outcome::Gone`](crate::Outcome::Gone).
    Gone,
    /// A code that this release does not know.
    Other(u8),
}

impl Reason {
    const CODES: [Self; 9] = [
        Self::NoAction,
        Self::Undecodable,
        Self::OtherDefinition,
        Self::HandlerFailed,
        Self::Overloaded,
        Self::Stopping,
        Self::OutOfDescriptors,
        Self::Declined,
        Self::Gone,
    ];

    /// In one word, as logs and monitoring have it: `no_action`, say.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NoAction => "no_action",
            Self::Undecodable => "undecodable",
            Self::OtherDefinition => "other_definition",
            Self::HandlerFailed => "handler_failed",
            Self::Overloaded => "overloaded",
            Self::Stopping => "stopping",
            Self::OutOfDescriptors => "out_of_descriptors",
            Self::Declined => "declined",
            Self::Gone => "gone",
            Self::Other(_) => "other",
        }
    }

    /// As it is on the wire; 0 for none.
    const fn code(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::NoAction => 1,
            Self::Undecodable => 2,
            Self::OtherDefinition => 3,
            Self::HandlerFailed => 4,
            Self::Overloaded => 5,
            Self::Stopping => 6,
            Self::OutOfDescriptors => 7,
            Self::Declined => 8,
            Self::Gone => 9,
            Self::Other(code) => code,
        }
    }

    fn of_code(code: u8) -> Self {
        match code {
            0 => Self::Unknown,
            code => Self::CODES.get(usize::from(code) - 1).copied().unwrap_or(Self::Other(code)),
        }
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "it does not say why",
            Self::NoAction => "it has no action of that name",
            Self::Undecodable => "it cannot make sense of the request",
            Self::OtherDefinition => "it knows the request by another definition",
            Self::HandlerFailed => "its handler failed",
            Self::Overloaded => "too much is waiting there already",
            Self::Stopping => "it is stopping",
            Self::OutOfDescriptors => "it has no room for more file descriptors",
            Self::Declined => "it declines",
            Self::Gone => "whom it stands in for is gone",
            Self::Other(code) => return write!(f, "it says why with the unknown code {code}"),
        })
    }
}

/// Why a peer asks to be ignored: a [`Reason`], and perhaps words of its own.
///
/// Its `Display` says both. What comes from a peer is shown with control characters escaped.
///
/// # Examples
///
/// ```
/// use mp_core::{Reason, Why};
///
/// let why = Why::new(Reason::HandlerFailed, "no such port: 7");
/// assert_eq!(why.reason(), Reason::HandlerFailed);
/// assert_eq!(why.to_string(), "its handler failed: no such port: 7");
/// assert_eq!(Why::from("not today").reason(), Reason::Declined);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Why {
    reason: Reason,
    text: Box<str>,
}

impl Why {
    /// A reason in words. What is over 246 bytes of UTF-8 does not fit a message and is cut off.
    #[must_use]
    pub fn new(reason: Reason, words: impl Display) -> Self {
        let mut text = Bounded(String::new());
        // It fails once nothing more fits, which is no failure here.
        let _ = write!(text, "{words}");
        Self { reason, text: text.0.into() }
    }

    /// What keeps the peer from answering.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Its own words; empty if it has none. They are as the peer sent them.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As the param of an *ignore* carries it, for whoever passes it on by another way.
    #[must_use]
    pub fn to_param(&self) -> Param {
        let mut bytes = [0; MAX_PARAM];
        let len = self.emit(&mut bytes);
        Param::new(&bytes[..len]).expect("it is at most as long as a param")
    }

    /// What the param of an *ignore* says: [`Reason::Unknown`] if that is nothing.
    #[must_use]
    pub fn from_param(param: &[u8]) -> Self {
        Self::parse(param)
    }

    /// Writes it as the param of an *ignore*; tells how long that is.
    pub(super) fn emit(&self, param: &mut [u8; MAX_PARAM]) -> usize {
        let (text, end) = (self.text.as_bytes(), TEXT + self.text.len());
        param[..MAGIC.len()].copy_from_slice(&MAGIC);
        param[CODE] = self.reason.code();
        // `Bounded` and `parse` keep it below.
        param[LEN] = text.len() as u8;
        param[TEXT..end].copy_from_slice(text);
        let check = check(&param[..end]);
        param[end..end + CHECK].copy_from_slice(&check);
        end + CHECK
    }

    /// Reads the param of an *ignore*.
    pub(crate) fn parse(param: &[u8]) -> Self {
        Self::checked(param).unwrap_or_else(|| Reason::Unknown.into())
    }

    fn checked(param: &[u8]) -> Option<Self> {
        let (said, sum) = param.split_last_chunk::<CHECK>()?;
        let text = said.strip_prefix(&MAGIC)?.get(TEXT - MAGIC.len()..)?;
        if check(said) != *sum || usize::from(said[LEN]) != text.len() {
            return None;
        }
        Some(Self { reason: Reason::of_code(said[CODE]), text: str::from_utf8(text).ok()?.into() })
    }
}

impl From<Reason> for Why {
    fn from(reason: Reason) -> Self {
        Self { reason, text: Box::default() }
    }
}

/// Words of a handler that declines.
impl From<&str> for Why {
    fn from(words: &str) -> Self {
        Self::new(Reason::Declined, words)
    }
}

/// Words of a handler that declines.
impl From<String> for Why {
    fn from(words: String) -> Self {
        Self::new(Reason::Declined, words)
    }
}

impl Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        if !self.text.is_empty() {
            f.write_str(": ")?;
        }
        self.text.chars().try_for_each(|char| {
            if char.is_control() { write!(f, "{}", char.escape_default()) } else { f.write_char(char) }
        })
    }
}

/// A text that ends, at the bound of a character, where no more fits.
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_TEXT - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        Err(fmt::Error)
    }
}

/// FNV-1a of 32 bits: it tells apart what differs in one byte, and garbage but once in four billion
/// times, after the magic has let as little through.
fn check(bytes: &[u8]) -> [u8; CHECK] {
    let hash =
        bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    hash.to_le_bytes()
}

const _: () = {
    assert!(MAX_TEXT <= u8::MAX as usize);
    let mut at = 0;
    while at < Reason::CODES.len() {
        assert!(Reason::CODES[at].code() as usize == at + 1);
        at += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    /// What a peer's param is.
    fn emitted(why: &Why) -> Vec<u8> {
        let mut param = [0xa5; MAX_PARAM];
        let len = why.emit(&mut param);
        assert!(param[len..].iter().all(|byte| *byte == 0xa5), "nothing behind its end");
        param[..len].to_vec()
    }

    #[test]
    fn each_reason_has_these_bytes_for_good() {
        let golden: [(Why, &[u8]); 3] = [
            (Reason::NoAction.into(), b"why\x01\x01\x00\xd1\xcc\xc3\x71"),
            (Why::new(Reason::HandlerFailed, "no port 7"), b"why\x01\x04\x09no port 7\x2e\xc8\x08\xbc"),
            (Why::from("h\u{e9}"), b"why\x01\x08\x03h\xc3\xa9\xab\xf3\x4a\xf5"),
        ];
        for (why, bytes) in golden {
            assert_eq!(emitted(&why).escape_ascii().to_string(), bytes.escape_ascii().to_string());
            assert_eq!(Why::parse(bytes), why);
        }
    }

    #[test]
    fn what_is_passed_on_by_another_way_says_the_same() {
        for why in [Why::from("not today"), Reason::Unknown.into(), Why::new(Reason::Other(200), "x")] {
            assert_eq!(Why::from_param(&why.to_param()), why);
        }
    }

    #[test]
    fn a_code_of_a_later_release_stays_readable() {
        for code in 0..=u8::MAX {
            let why = Why::new(Reason::of_code(code), "words");
            assert_eq!(why.reason().code(), code);
            assert_eq!(Why::parse(&emitted(&why)), why);
        }
        let later = Why::new(Reason::Other(200), "words");
        assert_eq!(later.to_string(), "it says why with the unknown code 200: words");
    }

    #[test]
    fn long_words_are_cut_between_two_characters() {
        for filler in 0..4 {
            let words = format!("{}{}", "x".repeat(filler), "\u{1f600}".repeat(100));
            let why = Why::new(Reason::Declined, &words);
            assert!(words.starts_with(why.text()));
            assert!((MAX_TEXT - 3..=MAX_TEXT).contains(&why.text().len()), "{}", why.text().len());
            assert_eq!(Why::parse(&emitted(&why)), why);
        }
    }

    #[test]
    fn what_differs_in_one_byte_or_ends_early_says_nothing() {
        let good = emitted(&Why::new(Reason::Stopping, "until tomorrow"));
        for at in 0..good.len() {
            assert_eq!(Why::parse(&good[..at]), Reason::Unknown.into(), "the first {at} bytes");
            for bits in 1..=u8::MAX {
                let mut bad = good.clone();
                bad[at] ^= bits;
                assert_eq!(Why::parse(&bad), Reason::Unknown.into(), "byte {at} other by {bits:#x}");
            }
        }
        let mut longer = good.clone();
        longer.push(0);
        assert_eq!(Why::parse(&longer), Reason::Unknown.into());
    }

    #[test]
    fn garbage_says_nothing_with_and_without_the_magic() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move || {
            (state, _) = (state ^ (state << 13), ());
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        for round in 0..100_000 {
            let mut param: Vec<_> = (0..random()).map(|_| random()).collect();
            if round % 2 == 0 {
                param.splice(..MAGIC.len().min(param.len()), MAGIC);
            }
            assert_eq!(Why::parse(&param), Reason::Unknown.into(), "{param:?}");
        }
    }

    #[test]
    fn words_that_are_not_utf_8_say_nothing() {
        let mut param = emitted(&Why::new(Reason::Declined, "abc"));
        param[TEXT] = 0xff;
        let end = param.len() - CHECK;
        let sum = check(&param[..end]);
        param[end..].copy_from_slice(&sum);
        assert_eq!(Why::parse(&param), Reason::Unknown.into());
    }

    #[test]
    fn control_characters_of_a_peer_are_shown_escaped() {
        let why = Why::from("a\u{1b}[31mb\n");
        assert_eq!(why.text(), "a\u{1b}[31mb\n");
        assert_eq!(why.to_string(), "it declines: a\\u{1b}[31mb\\n");
    }
}
