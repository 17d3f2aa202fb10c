//! `mp-typed`: the same exchange through derived types.

use std::{
    hint::black_box,
    os::fd::{BorrowedFd, OwnedFd},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use mp_typed::{Client, Message, Peer, Primary, Request, Response};

use super::{
    Answering, Asking, Payload,
    core::TIMEOUT,
    payload::{Lent, MAX_FDS, time_each},
};

#[derive(Request)]
#[message(name = "echo", response = Echoed)]
struct Echo {
    bytes: [u8; 64],
}

#[derive(Response)]
struct Echoed {
    bytes: [u8; 64],
}

/// With one descriptor: lent by the asking side, owned by the answering side.
#[derive(Request)]
#[message(name = "echo_1", response = Echoed1)]
struct Lend1<'a> {
    bytes: [u8; 64],
    #[fd]
    fd: BorrowedFd<'a>,
}

#[derive(Request)]
#[message(name = "echo_1", response = Echoed1)]
struct Echo1 {
    bytes: [u8; 64],
    #[fd]
    fd: OwnedFd,
}

#[derive(Response)]
struct Echoed1 {
    bytes: [u8; 64],
    #[fd]
    fd: OwnedFd,
}

#[derive(Request)]
#[message(name = "echo_8", response = Echoed8)]
struct Lend8<'a> {
    bytes: [u8; 64],
    #[fd]
    fds: [BorrowedFd<'a>; MAX_FDS],
}

#[derive(Request)]
#[message(name = "echo_8", response = Echoed8)]
struct Echo8 {
    bytes: [u8; 64],
    #[fd]
    fds: [OwnedFd; MAX_FDS],
}

#[derive(Response)]
struct Echoed8 {
    bytes: [u8; 64],
    #[fd]
    fds: [OwnedFd; MAX_FDS],
}

#[derive(Message)]
#[message(name = "note")]
struct Note {
    bytes: [u8; 64],
}

/// A client, which asks the primary.
pub(crate) struct Asker {
    client: Client,
    lent: Lent,
}

impl Asker {
    pub(crate) fn new(dir: &Path) -> Self {
        let client = Client::builder("bench").runtime_dir(dir).send_timeout(TIMEOUT).start();
        Self { client: client.expect("the directory is private"), lent: Lent::new() }
    }

    fn exchange(&self, fds: usize, payload: &Payload) {
        let (bytes, lent) = (payload.0, self.lent.all());
        match fds {
            0 => {
                let answer = self.client.request(&Echo { bytes }, TIMEOUT).expect("an answer");
                payload.check(&answer.bytes, 0, 0);
            }
            1 => {
                let request = Lend1 { bytes, fd: lent[0] };
                let answer = self.client.request(&request, TIMEOUT).expect("an answer");
                payload.check(&answer.bytes, 1, 1);
                drop(answer.fd);
            }
            MAX_FDS => {
                let answer = self.client.request(&Lend8 { bytes, fds: lent }, TIMEOUT).expect("an answer");
                payload.check(&answer.bytes, MAX_FDS, answer.fds.len());
            }
            fds => unimplemented!("{fds} descriptors"),
        }
    }
}

impl Asking for Asker {
    fn ask(&mut self, fds: usize, count: usize) -> Vec<u64> {
        time_each(count, |payload| self.exchange(fds, &payload))
    }

    fn ask_plainly(&mut self, count: usize) {
        let Payload(bytes) = Payload::numbered(0);
        for _ in 0..count {
            black_box(self.client.request(&Echo { bytes }, TIMEOUT).expect("an answer"));
        }
    }

    fn send(&mut self, count: usize) {
        for number in 0..count as u64 {
            let bytes = Payload::numbered(number).0;
            self.client.send(&Note { bytes }).expect("the primary is there");
        }
    }
}

/// A primary that answers as long as it lives.
pub(crate) struct Answerer {
    _primary: Primary,
    received: Arc<AtomicU64>,
}

impl Answerer {
    pub(crate) fn new(dir: &Path) -> Self {
        let received = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&received);
        let primary = Primary::builder("bench")
            .runtime_dir(dir)
            .serve(|Echo { bytes }, _: &Peer| Echoed { bytes })
            .serve(|Echo1 { bytes, fd }, _: &Peer| Echoed1 { bytes, fd })
            .serve(|Echo8 { bytes, fds }, _: &Peer| Echoed8 { bytes, fds })
            .on(move |note: Note, _: &Peer| {
                black_box(note.bytes);
                counter.fetch_add(1, Relaxed);
            })
            .start();
        Self { _primary: primary.expect("there is no other primary"), received }
    }
}

impl Answering for Answerer {
    fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }
}
