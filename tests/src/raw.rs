//! The wire spoken without `mp-core`, so that it can be spoken wrongly.

use std::{
    fs,
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixDatagram,
    },
    path::{Path, PathBuf},
};

use rustix::{
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, UCred, sendmsg_addr},
    process::{Uid, getegid, geteuid, getpid},
};

use crate::WITHIN;

/// A datagram whose every field can lie.
#[derive(Debug, Clone)]
pub struct Lie {
    /// 0 message, 1 request, 2 reply, 3 ignore.
    pub kind: i32,
    /// With its NUL, if it has one.
    pub name: Vec<u8>,
    /// Native-endian, as the C struct has it.
    pub len_param: i32,
    /// The same.
    pub num_fds: i32,
    /// At most 256 bytes.
    pub param: Vec<u8>,
}

impl Lie {
    /// A true one, to begin with.
    #[must_use]
    pub fn request(name: &str, param: &[u8]) -> Self {
        Self {
            kind: 1,
            name: name.as_bytes().to_vec(),
            len_param: param.len() as i32,
            num_fds: 0,
            param: param.to_vec(),
        }
    }

    /// The same as a message.
    #[must_use]
    pub fn message(name: &str, param: &[u8]) -> Self {
        Self { kind: 0, ..Self::request(name, param) }
    }

    /// As DPDK up to 25.07 lays it out: 332 bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.laid_out(332, 4)
    }

    /// As DPDK 25.11 and later lay it out: 340 bytes.
    #[must_use]
    pub fn bytes_340(&self) -> Vec<u8> {
        self.laid_out(340, 8)
    }

    fn laid_out(&self, len: usize, name_at: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &self.kind.to_ne_bytes());
        put(name_at, &self.name);
        put(name_at + 64, &self.len_param.to_ne_bytes());
        put(name_at + 68, &self.num_fds.to_ne_bytes());
        put(name_at + 72, &self.param);
        bytes
    }
}

/// The code of an *ignore* where there is no action of the name.
pub const NO_ACTION: u8 = 1;
/// The same where too much waits already.
pub const OVERLOADED: u8 = 5;
/// The same where descriptors found no room.
pub const OUT_OF_DESCRIPTORS: u8 = 7;

/// A datagram as it came, and where from.
#[derive(Debug, Clone)]
pub struct RawDatagram {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Empty if its sender is bound to no path.
    pub from: PathBuf,
}

/// Where the tag of the name field begins, if there is one.
const TAG: usize = 40;
const ANSWERING: u32 = 0x6d70_0a52;

impl RawDatagram {
    fn name_at(&self) -> usize {
        if self.bytes.len() == 340 { 8 } else { 4 }
    }

    fn int(&self, at: usize) -> i32 {
        i32::from_ne_bytes(self.bytes[at..at + 4].try_into().expect("four bytes"))
    }

    /// Type, name and param.
    #[must_use]
    pub fn parts(&self) -> (i32, String, Vec<u8>) {
        let name_at = self.name_at();
        let name = &self.bytes[name_at..name_at + 64];
        let name = &name[..name.iter().position(|byte| *byte == 0).expect("a NUL")];
        let len_param = usize::try_from(self.int(name_at + 64)).expect("not negative");
        let param = self.bytes[name_at + 72..][..len_param].to_vec();
        (self.int(0), String::from_utf8_lossy(name).into_owned(), param)
    }

    /// As the reply of a C peer that makes it anew: what is behind the name is what
    /// was on its stack.
    #[must_use]
    pub fn fresh_reply(&self) -> Vec<u8> {
        let (mut bytes, name_at) = (self.echoed_reply(), self.name_at());
        let nul = bytes[name_at..].iter().position(|byte| *byte == 0).expect("a NUL");
        bytes[name_at + nul + 1..name_at + 64].fill(0xa5);
        bytes
    }

    /// As the reply of a C peer that sends back what it got.
    #[must_use]
    pub fn echoed_reply(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[..4].copy_from_slice(&2_i32.to_ne_bytes());
        bytes
    }

    /// As the reply of a peer that knows tags, to the request that many after this.
    #[must_use]
    pub fn tagged_reply(&self, later: u64) -> Vec<u8> {
        let mut bytes = self.echoed_reply();
        let tag = self.name_at() + TAG;
        let word = |at: usize, bytes: &[u8]| u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight"));
        let sequence = word(tag + 4, &bytes).wrapping_add(later);
        bytes[tag..tag + 4].copy_from_slice(&ANSWERING.to_ne_bytes());
        bytes[tag + 4..tag + 12].copy_from_slice(&sequence.to_ne_bytes());
        let name = (0..5).map(|i| word(self.name_at() + 8 * i, &bytes));
        let words = [u64::from(ANSWERING), sequence, word(tag + 12, &bytes)].into_iter().chain(name);
        let check = words.fold(0_u64, |state, word| {
            let mixed = (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed ^ (mixed >> 32)
        });
        bytes[tag + 20..tag + 24].copy_from_slice(&(check as u32).to_ne_bytes());
        bytes
    }
}

/// A datagram socket that no role is behind.
#[derive(Debug)]
pub struct RawSocket(UnixDatagram);

impl RawSocket {
    /// One bound to `path`.
    #[must_use]
    pub fn bound(path: &Path) -> Self {
        Self::around(UnixDatagram::bind(path).expect("the path is free"))
    }

    /// One bound nowhere, so that nobody can reply to it.
    #[must_use]
    pub fn unbound() -> Self {
        Self::around(UnixDatagram::unbound().expect("a socket"))
    }

    /// Takes any socket.
    #[must_use]
    pub fn around(socket: UnixDatagram) -> Self {
        socket.set_read_timeout(Some(WITHIN)).expect("a timeout");
        socket.set_write_timeout(Some(WITHIN)).expect("a timeout");
        Self(socket)
    }

    /// Sends whatever it is.
    pub fn send(&self, to: &Path, bytes: &[u8]) {
        self.0.send_to(bytes, to).expect("there is a receiver");
    }

    /// The same; tells whether there was a receiver.
    pub fn send_if_there(&self, to: &Path, bytes: &[u8]) -> bool {
        match self.0.send_to(bytes, to) {
            Ok(_) => true,
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
            {
                false
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends if there is room at once.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none.
    pub fn try_send(&self, to: &Path, bytes: &[u8]) -> io::Result<()> {
        let to = SocketAddrUnix::new(to)?;
        let mut none = SendAncillaryBuffer::default();
        sendmsg_addr(&self.0, &to, &[IoSlice::new(bytes)], &mut none, SendFlags::DONTWAIT)?;
        Ok(())
    }

    /// Sends with descriptors, up to the 253 that the kernel passes.
    pub fn send_with(&self, to: &Path, bytes: &[u8], fds: &[BorrowedFd<'_>]) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(fds)), "at most 253");
        let to = SocketAddrUnix::new(to).expect("a path that fits");
        sendmsg_addr(&self.0, &to, &[IoSlice::new(bytes)], &mut control, SendFlags::empty())
            .expect("there is a receiver");
    }

    /// Sends `count` copies of one descriptor along.
    pub fn send_with_copies(&self, to: &Path, bytes: &[u8], count: usize) {
        let null = fs::File::open("/dev/null").expect("it is always there");
        self.send_with(to, bytes, &vec![null.as_fd(); count]);
    }

    /// Sends with the credentials of another user, which takes root.
    pub fn send_as(&self, uid: u32, to: &Path, bytes: &[u8]) {
        let own = UCred { pid: getpid(), uid: geteuid(), gid: getegid() };
        let credentials = UCred { uid: Uid::from_raw(uid), ..own };
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmCredentials(credentials)), "there is room for it");
        let to = SocketAddrUnix::new(to).expect("a path that fits");
        sendmsg_addr(&self.0, &to, &[IoSlice::new(bytes)], &mut control, SendFlags::empty())
            .expect("there is a receiver");
    }

    /// The next datagram, without its descriptors: type, name and param.
    #[must_use]
    pub fn receive(&self) -> (i32, String, Vec<u8>) {
        self.receive_raw().parts()
    }

    /// The same after the path of whoever sent it.
    #[must_use]
    pub fn receive_from(&self) -> (PathBuf, (i32, String, Vec<u8>)) {
        let datagram = self.receive_raw();
        let parts = datagram.parts();
        (datagram.from, parts)
    }

    /// The same as it came.
    #[must_use]
    pub fn receive_raw(&self) -> RawDatagram {
        let mut bytes = vec![0; 400];
        let (len, from) = self.0.recv_from(&mut bytes).expect("a datagram in time");
        bytes.truncate(len);
        RawDatagram { bytes, from: from.as_pathname().map(Path::to_owned).unwrap_or_default() }
    }

    /// The next datagram, an *ignore* that says why: its name and the reason's code.
    #[must_use]
    pub fn receive_ignore(&self) -> (String, u8) {
        match self.receive() {
            (3, name, param) if param.starts_with(b"why\x01") => (name, param[4]),
            other => panic!("no ignore that says why: {other:?}"),
        }
    }

    /// Whether nothing waits to be received.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.set_nonblocking(true).expect("a socket");
        let empty = self.0.recv(&mut [0; 1]).is_err();
        self.0.set_nonblocking(false).expect("a socket");
        empty
    }

    /// Asks `to` to echo; what came before it has been received then.
    pub fn assert_answers(&self, to: &Path) {
        self.send(to, &Lie::request("echo", b"still there?").bytes());
        assert_eq!(self.receive(), (2, "echo".into(), b"still there?".to_vec()));
    }
}

impl AsFd for RawSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// How many descriptors this process has open.
#[must_use]
pub fn open_fds() -> usize {
    fds_of("/proc/self/fd")
}

pub(crate) fn fds_of(dir: &str) -> usize {
    fs::read_dir(dir).map_or(0, Iterator::count)
}

/// Binds a path that fills `sun_path` to the last byte, which leaves no room
/// for a NUL. The kernel allows it; the libraries do not.
#[must_use]
pub fn bind_108(path: &Path) -> RawSocket {
    #![allow(unsafe_code)]
    use std::os::{fd::AsRawFd, unix::ffi::OsStrExt};
    let socket = UnixDatagram::unbound().expect("a socket");
    // SAFETY: all zeros is a valid `sockaddr_un`.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    let bytes = path.as_os_str().as_bytes();
    assert_eq!(bytes.len(), address.sun_path.len());
    address.sun_path.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from as libc::c_char);
    // SAFETY: the address is live and as long as is said.
    let bound = unsafe {
        let len = size_of::<libc::sockaddr_un>() as libc::socklen_t;
        libc::bind(socket.as_raw_fd(), (&raw const address).cast(), len)
    };
    assert_eq!(bound, 0, "{}", io::Error::last_os_error());
    RawSocket::around(socket)
}
