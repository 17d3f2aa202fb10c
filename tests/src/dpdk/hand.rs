//! A peer played by the test itself, byte by byte, from the documented layouts alone.

use std::{
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::net::UnixDatagram,
    },
    path::PathBuf,
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
        SendFlags, SocketAddrAny, SocketAddrUnix, recvmsg, sendmsg_addr,
    },
};

use super::{Group, Layout};

/// How long a datagram may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The type of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One-way.
    Message = 0,
    /// Wants a reply.
    Request = 1,
    /// Is one.
    Reply = 2,
    /// Wants not to be counted.
    Ignore = 3,
}

/// A datagram, written down.
#[derive(Debug, Clone, Copy)]
pub struct Golden<'a> {
    /// Its type.
    pub kind: Kind,
    /// Its name.
    pub name: &'a str,
    /// Its payload.
    pub param: &'a [u8],
    /// How many descriptors it says that come with it.
    pub fds: u32,
}

/// A socket in a group's directory.
#[derive(Debug)]
pub struct Hand {
    socket: UnixDatagram,
    runtime_dir: PathBuf,
}

/// What came to it.
#[derive(Debug)]
pub struct Handed {
    /// The datagram.
    pub bytes: Vec<u8>,
    /// What came with it.
    pub fds: Vec<OwnedFd>,
    /// The name of the socket it came from.
    pub from: String,
}

/// Where the parts of a datagram are.
struct Offsets {
    name: usize,
    len_param: usize,
    num_fds: usize,
    param: usize,
}

/// By hand, so that what `mp-core` thinks of a layout is held against something else.
fn offsets(layout: Layout) -> Offsets {
    match layout {
        Layout::Bytes332 => Offsets { name: 4, len_param: 68, num_fds: 72, param: 76 },
        Layout::Bytes340 => Offsets { name: 8, len_param: 72, num_fds: 76, param: 80 },
        other => panic!("say here where the parts of {other:?} are"),
    }
}

impl Golden<'_> {
    /// Its bytes, with `unused` wherever nothing is said.
    #[must_use]
    pub fn bytes(&self, layout: Layout, unused: u8) -> Vec<u8> {
        let at = offsets(layout);
        let mut bytes = vec![unused; layout.len()];
        let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
        put(0, &(self.kind as u32).to_ne_bytes());
        put(at.name, self.name.as_bytes());
        put(at.name + self.name.len(), &[0]);
        put(at.len_param, &(self.param.len() as u32).to_ne_bytes());
        put(at.num_fds, &self.fds.to_ne_bytes());
        put(at.param, self.param);
        bytes
    }

    /// Checks that `handed` says the same; what it holds where nothing is said is of no matter.
    ///
    /// # Panics
    /// If it does not.
    pub fn assert_said_by(&self, handed: &Handed, layout: Layout) {
        assert_eq!(handed.bytes.len(), layout.len());
        // Where two fillings of the unused bytes agree, something is said.
        let (zeros, ones) = (self.bytes(layout, 0), self.bytes(layout, 0xff));
        let said = zeros.iter().zip(&ones).map(|(zero, one)| zero == one);
        let differing: Vec<_> = said
            .zip(zeros.iter().zip(&handed.bytes))
            .enumerate()
            .filter(|(_, (said, (expected, found)))| *said && expected != found)
            .map(|(at, _)| at)
            .collect();
        assert!(differing.is_empty(), "{self:?} differs at {differing:?}: {handed:?}");
        assert_eq!(handed.fds.len(), self.fds as usize, "{self:?}: {handed:?}");
    }
}

impl Hand {
    /// Binds a socket of this name.
    ///
    /// # Panics
    /// If the name is taken, or there is no runtime directory.
    #[must_use]
    pub fn bind(group: &Group, name: &str) -> Self {
        let runtime_dir = group.runtime_dir();
        let socket = UnixDatagram::bind(runtime_dir.join(name)).expect("the name is free");
        socket.set_write_timeout(Some(PATIENCE)).expect("a limit can be set");
        Self { socket, runtime_dir }
    }

    /// Sends bytes and descriptors to the socket of that name.
    ///
    /// # Panics
    /// If they are not taken in time.
    pub fn send(&self, to: &str, bytes: &[u8], fds: &[BorrowedFd<'_>]) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(
            fds.is_empty() || control.push(SendAncillaryMessage::ScmRights(fds)),
            "more than 8 descriptors"
        );
        let to = SocketAddrUnix::new(self.runtime_dir.join(to)).expect("a path that fits");
        let sent = sendmsg_addr(&self.socket, &to, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL);
        assert_eq!(sent, Ok(bytes.len()), "sending to {to:?}");
    }

    /// Waits for a datagram.
    ///
    /// # Panics
    /// If none comes in time.
    #[must_use]
    pub fn receive(&self) -> Handed {
        self.receive_within(PATIENCE).expect("a datagram comes in time")
    }

    /// Waits for a datagram, up to `patience`.
    ///
    /// # Panics
    /// If the system does not let us.
    #[must_use]
    pub fn receive_within(&self, patience: Duration) -> Option<Handed> {
        self.socket.set_read_timeout(Some(patience)).expect("a limit can be set");
        let mut buffer = [0; 1024];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received =
            recvmsg(&self.socket, &mut [IoSliceMut::new(&mut buffer)], &mut control, RecvFlags::CMSG_CLOEXEC);
        let received = match received {
            Ok(received) => received,
            Err(Errno::AGAIN) => return None,
            Err(errno) => panic!("receiving: {errno}"),
        };
        let fds = control.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        });
        let from = received.address.and_then(name_of).unwrap_or_default();
        Some(Handed { bytes: buffer[..received.bytes].to_vec(), fds: fds.flatten().collect(), from })
    }
}

/// The last part of a socket's path.
fn name_of(address: SocketAddrAny) -> Option<String> {
    let address = SocketAddrUnix::try_from(address).ok()?;
    let path = PathBuf::from(address.path()?.to_str().ok()?);
    Some(path.file_name()?.to_str()?.to_owned())
}
