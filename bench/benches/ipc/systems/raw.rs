//! The bare sockets: what the kernel takes, without names, checks or limits.

use std::{
    fs, io,
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::{SocketAddr, UnixDatagram},
    },
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketAddrUnix, recvmsg, sendmsg, sendmsg_addr,
};

use super::{
    Answering, Asking, Payload,
    payload::{Lent, MAX_FDS, time_each},
};

const LEN: usize = 332;
const PARAM: usize = 76;

/// The first byte of a datagram.
const MESSAGE: u8 = 0;
const REQUEST: u8 = 1;
const REPLY: u8 = 2;
/// Tells the answerer whether the next requests carry descriptors, so that it
/// receives without any room for them if they do not.
const MODE: u8 = 9;

/// So that a lost answer ends the run.
const LOST: Duration = Duration::from_secs(10);

fn datagram(kind: u8, payload: &Payload) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    bytes[0] = kind;
    bytes[PARAM..][..payload.0.len()].copy_from_slice(&payload.0);
    bytes
}

fn param(datagram: &[u8; LEN]) -> &[u8] {
    &datagram[PARAM..][..64]
}

fn socket(path: &Path) -> UnixDatagram {
    let socket = UnixDatagram::bind(path).expect("the path is free");
    socket.set_read_timeout(Some(LOST)).expect("a socket option");
    socket
}

/// Tries again at once when told to.
fn retry<T>(spinning: bool, mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if spinning && error.kind() == io::ErrorKind::WouldBlock => std::hint::spin_loop(),
            result => return result,
        }
    }
}

/// Asks from a socket of its own.
pub(crate) struct Asker {
    dir: PathBuf,
    socket: UnixDatagram,
    to: SocketAddr,
    connected: bool,
    spinning: bool,
    lent: Lent,
    /// Whether the answerer expects descriptors.
    mode: bool,
}

impl Asker {
    pub(crate) fn unconnected(dir: &Path) -> Self {
        let path = dir.join(format!("asker_{}", process::id()));
        let to = members(dir).next().unwrap_or_else(|| path.clone());
        let to = SocketAddr::from_pathname(to).expect("a short path");
        let socket = socket(&path);
        let dir = dir.to_owned();
        Self { dir, socket, to, connected: false, spinning: false, lent: Lent::new(), mode: false }
    }

    pub(crate) fn connected(dir: &Path) -> Self {
        let asker = Self::unconnected(dir);
        asker.socket.connect_addr(&asker.to).expect("the answerer is there");
        Self { connected: true, ..asker }
    }

    pub(crate) fn spinning(dir: &Path) -> Self {
        let asker = Self::connected(dir);
        asker.socket.set_nonblocking(true).expect("a socket option");
        Self { spinning: true, ..asker }
    }

    fn exchange(&self, fds: usize, payload: Payload) {
        let mut answer = [0; LEN];
        let request = datagram(REQUEST, &payload);
        let back = if fds == 0 {
            self.send_plain(&request);
            let received = retry(self.spinning, || self.socket.recv_from(&mut answer)).expect("an answer");
            assert_eq!((received.0, answer[0]), (LEN, REPLY));
            0
        } else {
            let lent = self.lent.all();
            let to = (!self.connected).then_some(&self.to);
            send_with_fds(&self.socket, to, &request, &lent[..fds]);
            receive_with_fds(&self.socket, &mut answer).1.len()
        };
        payload.check(param(&answer), fds, back);
    }

    fn send_plain(&self, datagram: &[u8; LEN]) {
        let sent = if self.connected {
            retry(self.spinning, || self.socket.send(datagram))
        } else {
            self.socket.send_to_addr(datagram, &self.to)
        };
        assert_eq!(sent.expect("the answerer is there"), LEN);
    }

    fn set_mode(&mut self, fds: bool) {
        if self.mode != fds {
            self.send_plain(&datagram(MODE, &Payload([u8::from(fds); 64])));
            self.mode = fds;
        }
    }

    fn members(&self, count: usize) -> Vec<SocketAddr> {
        let paths = members(&self.dir).take(count);
        let addresses: Vec<_> =
            paths.map(|path| SocketAddr::from_pathname(path).expect("a short path")).collect();
        assert_eq!(addresses.len(), count, "members");
        addresses
    }
}

impl Asking for Asker {
    fn ask(&mut self, fds: usize, count: usize) -> Vec<u64> {
        self.set_mode(fds > 0);
        time_each(count, |payload| self.exchange(fds, payload))
    }

    fn ask_plainly(&mut self, count: usize) {
        self.set_mode(false);
        let request = datagram(REQUEST, &Payload::numbered(0));
        for _ in 0..count {
            self.send_plain(&request);
            self.socket.recv_from(&mut [0; LEN]).expect("an answer");
        }
    }

    fn send(&mut self, count: usize) {
        for number in 0..count as u64 {
            self.send_plain(&datagram(MESSAGE, &Payload::numbered(number)));
        }
    }

    fn ask_from(&mut self, threads: usize, count: usize) -> Vec<u64> {
        self.set_mode(false);
        thread::scope(|scope| {
            let to = &self.to;
            let threads: Vec<_> = (0..threads)
                .map(|thread| {
                    let path = self.dir.join(format!("thread_{}_{thread}", process::id()));
                    scope.spawn(move || {
                        let socket = socket(&path);
                        let times = time_each(count, |payload| {
                            let mut answer = [0; LEN];
                            socket
                                .send_to_addr(&datagram(REQUEST, &payload), to)
                                .expect("the answerer is there");
                            socket.recv_from(&mut answer).expect("an answer");
                            payload.check(param(&answer), 0, 0);
                        });
                        fs::remove_file(path).expect("its own file");
                        times
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no thread panics")).collect()
        })
    }

    /// The bare loop: N sends, then N receives.
    fn ask_all(&mut self, members: usize, count: usize) -> Vec<u64> {
        let members = self.members(members);
        time_each(count, |payload| {
            let request = datagram(REQUEST, &payload);
            for member in &members {
                self.socket.send_to_addr(&request, member).expect("the member is there");
            }
            for _ in &members {
                let mut answer = [0; LEN];
                self.socket.recv_from(&mut answer).expect("an answer");
                payload.check(param(&answer), 0, 0);
            }
        })
    }

    fn send_to_all(&mut self, members: usize, count: usize) -> Vec<u64> {
        let addresses = self.members(members);
        let payload = Payload::numbered(0);
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let message = datagram(MESSAGE, &payload);
            let start = Instant::now();
            for member in &addresses {
                self.socket.send_to_addr(&message, member).expect("the member is there");
            }
            times.push(start.elapsed().as_nanos() as u64);
            // So that all have read theirs before the next.
            self.ask_all(members, 1);
        }
        times
    }
}

/// The sockets of those who answer.
fn members(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let files = fs::read_dir(dir).expect("the directory is there").flatten();
    files.filter(|file| file.file_name().as_encoded_bytes().starts_with(b"raw_")).map(|file| file.path())
}

/// Answers on a thread of its own.
pub(crate) struct Answerer {
    received: Arc<AtomicU64>,
}

impl Answerer {
    pub(crate) fn blocking(dir: &Path) -> Self {
        Self::start(dir, false)
    }

    pub(crate) fn spinning(dir: &Path) -> Self {
        Self::start(dir, true)
    }

    /// The thread ends with the process.
    fn start(dir: &Path, spinning: bool) -> Self {
        let socket =
            UnixDatagram::bind(dir.join(format!("raw_{}", process::id()))).expect("the path is free");
        socket.set_nonblocking(spinning).expect("a socket option");
        let received = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&received);
        thread::spawn(move || answer(&socket, spinning, &counter));
        Self { received }
    }
}

impl Answering for Answerer {
    fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }
}

fn answer(socket: &UnixDatagram, spinning: bool, received: &AtomicU64) {
    let mut bytes = [0; LEN];
    let mut with_fds = false;
    loop {
        if with_fds {
            let (from, fds) = receive_with_fds(socket, &mut bytes);
            if bytes[0] == REQUEST {
                bytes[0] = REPLY;
                let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
                let from = from.expect("the asker has a path");
                send_with_fds_to(socket, &from, &bytes, &fds);
                continue;
            }
        } else {
            let (_, from) = retry(spinning, || socket.recv_from(&mut bytes)).expect("a datagram");
            if bytes[0] == REQUEST {
                bytes[0] = REPLY;
                retry(spinning, || socket.send_to_addr(&bytes, &from)).expect("the asker is there");
                continue;
            }
        }
        match bytes[0] {
            MESSAGE => _ = received.fetch_add(1, Relaxed),
            MODE => with_fds = bytes[PARAM] != 0,
            kind => panic!("a datagram of kind {kind}"),
        }
    }
}

fn send_with_fds(socket: &UnixDatagram, to: Option<&SocketAddr>, bytes: &[u8; LEN], fds: &[BorrowedFd<'_>]) {
    let to = to.map(|to| {
        SocketAddrUnix::new(to.as_pathname().expect("the answerer has a path")).expect("a short path")
    });
    match to {
        Some(to) => send_with_fds_to(socket, &to, bytes, fds),
        None => {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            assert!(control.push(SendAncillaryMessage::ScmRights(fds)));
            sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::empty())
                .expect("the peer is there");
        }
    }
}

fn send_with_fds_to(socket: &UnixDatagram, to: &SocketAddrUnix, bytes: &[u8; LEN], fds: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(fds)));
    sendmsg_addr(socket, to, &[IoSlice::new(bytes)], &mut control, SendFlags::empty())
        .expect("the peer is there");
}

fn receive_with_fds(socket: &UnixDatagram, bytes: &mut [u8; LEN]) -> (Option<SocketAddrUnix>, Vec<OwnedFd>) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket, &mut [IoSliceMut::new(bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)
        .expect("a datagram");
    assert_eq!(received.bytes, LEN);
    let mut fds = Vec::with_capacity(MAX_FDS);
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    (received.address.and_then(|address| address.try_into().ok()), fds)
}
