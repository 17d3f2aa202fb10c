//! A primary without threads in a program that has an event loop of its own, on `epoll(7)`.
//!
//! Whatever comes is received and handled in the loop, between other things that it waits for: here a worker's pipe.
//!
//! ```text
//! cargo run -p examples --bin event_loop
//! ```

use std::{
    error::Error,
    io::{Read, Write, pipe},
    os::unix::fs::PermissionsExt,
    thread,
    time::Duration,
};

use mp_typed::{Client, Peer, Primary, Request, Response};
use rustix::event::{
    Timespec,
    epoll::{self, CreateFlags, EventData, EventFlags},
};

#[derive(Request)]
#[message(name = "square", response = Square)]
struct SquareOf {
    number: u32,
}

#[derive(Response)]
struct Square {
    number: u64,
}

const PRIMARY: u64 = 0;
const WORKER: u64 = 1;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
    let loop_thread = thread::current().id();
    let primary = Primary::builder("packet-app")
        .runtime_dir(dir.path())
        .without_threads()
        .serve(move |of: SquareOf, _: &Peer| {
            assert_eq!(thread::current().id(), loop_thread, "it is handled in the loop");
            Square { number: u64::from(of.number).pow(2) }
        })
        .start()?;

    // Something else to wait for: it tells what it has done, and goes.
    let (mut told, mut tell) = pipe()?;
    let path = dir.path().to_owned();
    let worker = thread::spawn(move || {
        let client = Client::builder("packet-app").runtime_dir(path).start().expect("it only asks");
        let ask =
            |number| client.request(&SquareOf { number }, Duration::from_secs(5)).expect("it is answered");
        let sum: u64 = (1..=100).map(|number| ask(number).number).sum();
        tell.write_all(&sum.to_ne_bytes()).expect("it is read");
    });

    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, primary.poll_fd(), EventData::new_u64(PRIMARY), EventFlags::IN)?;
    epoll::add(&epoll, &told, EventData::new_u64(WORKER), EventFlags::IN)?;
    let (mut handled, mut sum) = (0, None);
    while sum.is_none() {
        let mut events = Vec::with_capacity(8);
        let second = Timespec { tv_sec: 1, tv_nsec: 0 };
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), Some(&second))?;
        for event in events {
            match event.data.u64() {
                // It never waits, and does only so much at once: others have their turn.
                PRIMARY => handled += primary.dispatch()?,
                _ => {
                    let mut bytes = [0; 8];
                    told.read_exact(&mut bytes)?;
                    sum = Some(u64::from_ne_bytes(bytes));
                }
            }
        }
    }
    worker.join().expect("it has done its work");
    println!("{handled} requests handled in the loop; the sum of the squares is {}", sum.unwrap_or(0));
    Ok(())
}
