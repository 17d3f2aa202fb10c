//! A ring of numbers in memory that two processes share; here it is two threads of one.
//!
//! The message carries what is small, and the memory as a descriptor: what passes through the ring never passes through
//! a socket. One side writes, one reads, and two counters say how far each has come.
//!
//! ```text
//! cargo run -p examples --bin ring
//! ```

use std::{
    error::Error,
    os::{fd::AsFd, unix::fs::PermissionsExt},
    sync::atomic::Ordering::{Acquire, Relaxed, Release},
    thread,
    time::Duration,
};

use mp_typed::{Client, Peer, Primary, Request, Response, Shared, SharedError};

#[derive(Request)]
#[message(name = "ring_open", response = Ring)]
struct OpenRing {
    slots: u32,
}

#[derive(Response)]
struct Ring {
    #[fd]
    memory: Shared<[u64]>,
}

/// Elements of the memory: how many numbers were written and read, and then the slots.
const WRITTEN: usize = 0;
const READ: usize = 1;
const SLOTS: usize = 2;

impl Ring {
    fn new(slots: u32) -> Result<Self, SharedError> {
        Ok(Self { memory: Shared::new(SLOTS + slots as usize)? })
    }

    fn slot(&self, count: u64) -> usize {
        SLOTS + (count % (self.memory.len() - SLOTS) as u64) as usize
    }

    /// Writes a number, unless the ring is full.
    fn push(&self, number: u64) -> bool {
        let (written, read) = (self.memory.load(WRITTEN, Relaxed), self.memory.load(READ, Acquire));
        if written.wrapping_sub(read) == (self.memory.len() - SLOTS) as u64 {
            return false;
        }
        self.memory.store(self.slot(written), number, Relaxed);
        // Whoever sees this count sees the number, too.
        self.memory.store(WRITTEN, written + 1, Release);
        true
    }

    /// Reads a number, unless the ring is empty.
    fn pop(&self) -> Option<u64> {
        let (read, written) = (self.memory.load(READ, Relaxed), self.memory.load(WRITTEN, Acquire));
        if read == written {
            return None;
        }
        let number = self.memory.load(self.slot(read), Relaxed);
        self.memory.store(READ, read + 1, Release);
        Some(number)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;

    // The side that has the numbers makes the ring, and fills it from a thread of its own.
    let _primary = Primary::builder("packet-app")
        .runtime_dir(dir.path())
        .serve(|open: OpenRing, _: &Peer| -> Result<Ring, SharedError> {
            let ring = Ring::new(open.slots)?;
            let filled = Ring { memory: ring.memory.as_fd().try_clone_to_owned()?.try_into()? };
            thread::spawn(move || {
                (1..=1000).for_each(|number| {
                    while !filled.push(number) {
                        thread::yield_now()
                    }
                })
            });
            Ok(ring)
        })
        .start()?;

    let client = Client::builder("packet-app").runtime_dir(dir.path()).start()?;
    let ring = client.request(&OpenRing { slots: 64 }, Duration::from_secs(1))?;
    println!("got a ring of {} slots", ring.memory.len() - SLOTS);
    let mut sum = 0;
    for _ in 0..1000 {
        sum += loop {
            match ring.pop() {
                Some(number) => break number,
                None => thread::yield_now(),
            }
        };
    }
    println!("read 1000 numbers through it; their sum is {sum}");
    Ok(())
}
