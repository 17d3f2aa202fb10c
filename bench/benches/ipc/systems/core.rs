//! `mp-core`, every check on.

use std::{
    hint::black_box,
    os::fd::BorrowedFd,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use arrayvec::ArrayVec;
use mp_core::{Builder, Client, Joins, MessageRef, Name, Primary, Replies, Secondary};

use crate::allocations;

use super::{
    Answering, Asking, Payload,
    payload::{Lent, MAX_FDS, time_each},
};

const ECHO: Name = Name::from_static("echo");
const NOTE: Name = Name::from_static("note");

/// The deadline of every request.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// How long to spin when spinning.
pub(super) const SPINNING: Duration = Duration::from_millis(5);

/// A client, which asks the primary.
pub(crate) struct Asker {
    client: Client,
    lent: Lent,
}

impl Asker {
    pub(crate) fn new(dir: &Path, busy_poll: Duration) -> Self {
        let builder = Client::builder("bench").runtime_dir(dir).send_timeout(TIMEOUT);
        let client = builder.busy_poll(busy_poll).start();
        Self { client: client.expect("the directory is private"), lent: Lent::new() }
    }
}

fn exchange(client: &Client, fds: &[BorrowedFd<'_>], payload: &Payload) {
    let request = MessageRef::new(&ECHO, &payload.0, fds).expect("it fits");
    let reply = client.request(request, TIMEOUT).expect("an answer");
    payload.check(&reply.message.param, fds.len(), reply.message.fds.len());
}

impl Asking for Asker {
    fn ask(&mut self, fds: usize, count: usize) -> Vec<u64> {
        let lent = self.lent.all();
        time_each(count, |payload| exchange(&self.client, &lent[..fds], &payload))
    }

    fn ask_plainly(&mut self, count: usize) {
        let payload = Payload::numbered(0);
        for _ in 0..count {
            let request = MessageRef::new(&ECHO, &payload.0, &[]).expect("it fits");
            black_box(self.client.request(request, TIMEOUT).expect("an answer"));
        }
    }

    fn send(&mut self, count: usize) {
        for number in 0..count as u64 {
            let payload = Payload::numbered(number);
            let message = MessageRef::new(&NOTE, &payload.0, &[]).expect("it fits");
            self.client.send(message).expect("the primary is there");
        }
    }

    fn ask_from(&mut self, threads: usize, count: usize) -> Vec<u64> {
        thread::scope(|scope| {
            let ask = || time_each(count, |payload| exchange(&self.client, &[], &payload));
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no thread panics")).collect()
        })
    }

    fn ask_async(&mut self, count: usize) -> (u64, u64) {
        let (done, ended) = mpsc::channel();
        let (before, start) = (allocations::bytes(), Instant::now());
        for number in 0..count as u64 {
            let payload = Payload::numbered(number);
            let request = MessageRef::new(&ECHO, &payload.0, &[]).expect("it fits");
            let done = done.clone();
            self.client.request_then(request, TIMEOUT, move |request, reply| {
                let reply = reply.expect("an answer");
                let right = reply.message.param == request.param;
                done.send(right).expect("the asking thread waits");
            });
        }
        let bytes = allocations::bytes().saturating_sub(before);
        assert!(ended.iter().take(count).all(|right| right), "a wrong answer");
        (start.elapsed().as_nanos() as u64, bytes)
    }
}

/// A primary, which asks all its secondaries.
pub(crate) struct AskingPrimary {
    primary: Primary,
    lent: Lent,
}

impl AskingPrimary {
    pub(crate) fn new(dir: &Path) -> Self {
        let primary = Primary::builder("bench").runtime_dir(dir).send_timeout(TIMEOUT).start();
        Self { primary: primary.expect("there is no other"), lent: Lent::new() }
    }

    fn request(&self, payload: &Payload, fds: usize, timeout: Duration) -> Replies {
        let lent = self.lent.all();
        let request = MessageRef::new(&ECHO, &payload.0, &lent[..fds]).expect("it fits");
        let replies = self.primary.request(request, timeout).expect("a round");
        for reply in &replies.replies {
            payload.check(&reply.message.param, fds, reply.message.fds.len());
        }
        replies
    }

    fn exchange(&self, members: usize, payload: &Payload, fds: usize) {
        let replies = self.request(payload, fds, TIMEOUT);
        assert_eq!((replies.sent(), replies.received()), (members, members), "sent and received");
    }
}

impl Asking for AskingPrimary {
    fn ask(&mut self, fds: usize, count: usize) -> Vec<u64> {
        time_each(count, |payload| self.exchange(1, &payload, fds))
    }

    fn ask_plainly(&mut self, count: usize) {
        let payload = Payload::numbered(0);
        for _ in 0..count {
            let request = MessageRef::new(&ECHO, &payload.0, &[]).expect("it fits");
            black_box(self.primary.request(request, TIMEOUT).expect("a round"));
        }
    }

    fn send(&mut self, count: usize) {
        for number in 0..count as u64 {
            let payload = Payload::numbered(number);
            let message = MessageRef::new(&NOTE, &payload.0, &[]).expect("it fits");
            let sent = self.primary.send(message).expect("a broadcast");
            assert_eq!(sent.sent(), 1, "members that have the message");
        }
    }

    fn ask_all(&mut self, members: usize, count: usize) -> Vec<u64> {
        time_each(count, |payload| self.exchange(members, &payload, 0))
    }

    fn send_to_all(&mut self, members: usize, count: usize) -> Vec<u64> {
        let mut times = Vec::with_capacity(count);
        for number in 0..count as u64 {
            let payload = Payload::numbered(number);
            let start = Instant::now();
            let message = MessageRef::new(&NOTE, &payload.0, &[]).expect("it fits");
            let sent = self.primary.send(message).expect("a broadcast");
            times.push(start.elapsed().as_nanos() as u64);
            assert_eq!(sent.sent(), members, "members that have the message");
            // So that all have read theirs before the next.
            self.exchange(members, &payload, 0);
        }
        times
    }

    fn ask_with_one_stopped(&mut self, _members: usize, milliseconds: u64) -> (u64, usize) {
        let start = Instant::now();
        let replies = self.request(&Payload::numbered(0), 0, Duration::from_millis(milliseconds));
        (start.elapsed().as_nanos() as u64, replies.received())
    }
}

/// A role that answers as long as it lives.
pub(crate) struct Answerer<R> {
    _role: R,
    received: Arc<AtomicU64>,
}

impl Answerer<Primary> {
    pub(crate) fn primary(dir: &Path, busy_poll: Duration) -> Self {
        let builder = Primary::builder("bench").runtime_dir(dir).busy_poll(busy_poll);
        let (builder, received) = answering(builder);
        Self { _role: builder.start().expect("there is no other primary"), received }
    }
}

impl Answerer<Secondary> {
    pub(crate) fn secondary(dir: &Path) -> Self {
        let (builder, received) = answering(Secondary::builder("bench").runtime_dir(dir));
        Self { _role: builder.start().expect("the directory is private"), received }
    }
}

fn answering<R: Joins>(builder: Builder<R>) -> (Builder<R>, Arc<AtomicU64>) {
    let received = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&received);
    let builder = builder
        .serve(ECHO, |mut request| {
            let (param, fds) = (request.param(), request.take_fds());
            let lent: ArrayVec<_, MAX_FDS> = fds.iter().collect();
            let _ = request.reply(param, &lent);
        })
        .on(NOTE, move |_, _| _ = counter.fetch_add(1, Relaxed));
    (builder, received)
}

impl<R> Answering for Answerer<R> {
    fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }
}
