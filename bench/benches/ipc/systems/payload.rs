//! What the compared systems send: bytes that tell whether an answer is the right one.

use std::{
    array,
    fs::File,
    os::fd::{BorrowedFd, OwnedFd},
    time::Instant,
};

use rustix::fd::AsFd;

/// The most descriptors of a request.
pub(crate) const MAX_FDS: usize = 8;

/// The 64 bytes that go both ways. The answer to a request is its own payload,
/// so that an answer to another one shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payload(pub(crate) [u8; 64]);

impl Payload {
    pub(crate) fn numbered(number: u64) -> Self {
        let mut bytes = [0x5a; 64];
        bytes[..8].copy_from_slice(&number.to_ne_bytes());
        Self(bytes)
    }

    /// # Panics
    ///
    /// If the answer is not that of this request.
    pub(crate) fn check(&self, answer: &[u8], fds: usize, fds_back: usize) {
        assert!(answer == self.0 && fds_back == fds, "a wrong answer: {fds_back} descriptors, {answer:?}");
    }
}

/// Times `count` runs of `ask`, each with a payload of its own.
pub(crate) fn time_each(count: usize, mut ask: impl FnMut(Payload)) -> Vec<u64> {
    let numbers = 0..count as u64;
    numbers
        .map(|number| {
            let payload = Payload::numbered(number);
            let start = Instant::now();
            ask(payload);
            start.elapsed().as_nanos() as u64
        })
        .collect()
}

/// Descriptors to lend to requests.
#[derive(Debug)]
pub(crate) struct Lent([OwnedFd; MAX_FDS]);

impl Lent {
    pub(crate) fn new() -> Self {
        Self(array::from_fn(|_| File::open("/dev/null").expect("every Unix has it").into()))
    }

    pub(crate) fn all(&self) -> [BorrowedFd<'_>; MAX_FDS] {
        self.0.each_ref().map(AsFd::as_fd)
    }
}

/// The payload as serializers like it: arrays of more than 32 are not serde's.
#[cfg(feature = "bench-peers")]
pub(crate) type Words = [u64; 8];

#[cfg(feature = "bench-peers")]
impl Payload {
    pub(crate) fn to_words(self) -> Words {
        let mut chunks = self.0.chunks_exact(8);
        array::from_fn(|_| {
            let chunk = chunks.next().expect("64 bytes are 8 words");
            u64::from_ne_bytes(chunk.try_into().expect("8 bytes are a word"))
        })
    }

    pub(crate) fn from_words(words: Words) -> Self {
        let mut bytes = [0; 64];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_ne_bytes());
        }
        Self(bytes)
    }
}

/// As [`time_each`], for those that only ask asynchronously.
#[cfg(feature = "bench-peers")]
pub(crate) async fn time_each_async(count: usize, ask: impl AsyncFn(Payload)) -> Vec<u64> {
    let mut times = Vec::with_capacity(count);
    for number in 0..count as u64 {
        let payload = Payload::numbered(number);
        let start = Instant::now();
        ask(payload).await;
        times.push(start.elapsed().as_nanos() as u64);
    }
    times
}
