use std::{
    io::IoSlice,
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use rustix::{
    fs::{Mode, fchmod},
    io::{Errno, retry_on_intr},
    net::{
        self, AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown,
        SocketAddrUnix, SocketFlags, SocketType,
        sockopt::{self, Timeout},
    },
};

use super::{Address, Received, discard, fork::NotInForks, receive::receive, unread::unread_of};
use crate::wire::{MAX_DATAGRAM, MAX_FDS};

/// How much may be unread of what a member has sent, in the kernel's count of
/// somewhat over 700 bytes a datagram. It is a limit; nothing is set aside.
const SEND_BUFFER: usize = 16 << 20;

/// How long a call may block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Not at all: `EAGAIN` instead.
    No,
    /// That long, then `EAGAIN`.
    AtMost(Duration),
    /// Until something comes or the socket is shut down.
    Forever,
}

/// An `AF_UNIX` `SOCK_DGRAM` socket.
#[derive(Debug)]
pub(crate) struct Socket {
    /// Dropped before the descriptor is.
    _not_in_forks: Option<NotInForks>,
    fd: OwnedFd,
    /// The receive timeout last set, in milliseconds; 0 for none. Setting it is
    /// a system call, so it is done only when it changes.
    armed: AtomicU64,
}

impl Socket {
    /// One that is bound nowhere.
    pub(crate) fn new() -> Result<Self, Errno> {
        Ok(Self { _not_in_forks: None, fd: make()?, armed: AtomicU64::new(0) })
    }

    /// One to be bound. Nobody holds it but this process, not even its forks. It asks for the
    /// credentials of whoever sends to it. Its file will have mode 0600, whatever the umask.
    pub(crate) fn to_bind() -> Result<Self, Errno> {
        let (fd, noted) = NotInForks::made(make)?;
        sockopt::set_socket_passcred(&fd, true)?;
        fchmod(&fd, Mode::RUSR | Mode::WUSR)?;
        Ok(Self { _not_in_forks: Some(noted), fd, armed: AtomicU64::new(0) })
    }

    /// One that is connected to `peer`, to be bound by [`bind_connected`](Self::bind_connected).
    /// It asks for credentials and has its file's mode as any other.
    ///
    /// Connected before it has an address: so from the moment when others can
    /// find it, nobody but the peer can send to it. The other way round, whoever
    /// is quick enough can leave an answer in it in between.
    pub(crate) fn connected(peer: &Address) -> Result<Self, Errno> {
        let (fd, noted) = NotInForks::made(|| {
            let fd = make()?;
            net::connect(&fd, peer.sockaddr())?;
            Ok(fd)
        })?;
        fchmod(&fd, Mode::RUSR | Mode::WUSR)?;
        Ok(Self { _not_in_forks: Some(noted), fd, armed: AtomicU64::new(0) })
    }

    /// Gives such a one its address.
    pub(crate) fn bind_connected(&self, address: &Address) -> Result<(), Errno> {
        self.bind(address)?;
        // Not before: connecting gives a socket that asks for credentials an
        // address of the kernel's choice. Only the peer could have sent something
        // in between; it would come with nobody's credentials, and be rejected.
        sockopt::set_socket_passcred(&self.fd, true)
    }

    /// The address of the peer it is connected to, as that peer spells it.
    pub(crate) fn peer(&self) -> Option<Address> {
        let name = net::getpeername(&self.fd).ok().flatten()?;
        let name = SocketAddrUnix::try_from(name).ok()?;
        Address::of_sender(name.path_bytes()?)
    }

    pub(crate) fn bind(&self, address: &Address) -> Result<(), Errno> {
        net::bind(&self.fd, address.sockaddr())
    }

    /// From now on only `peer` can send to this socket, and sends need no address.
    ///
    /// Sends nothing: it tells whether a live socket is bound there
    /// (`ECONNREFUSED` and `ENOENT` say no).
    pub(crate) fn connect(&self, peer: &Address) -> Result<(), Errno> {
        net::connect(&self.fd, peer.sockaddr())
    }

    /// Lets as much be unread by its receivers as the system allows.
    ///
    /// The kernel charges a datagram to its sender until it is received. With
    /// the default, some 270 datagrams that others do not read are enough to
    /// keep a socket from sending to anybody.
    pub(crate) fn widen(&self) {
        // More than the system's limit takes a privilege; up to it does not.
        if sockopt::set_socket_send_buffer_size_force(&self.fd, SEND_BUFFER).is_err() {
            // The default serves nearly everybody.
            let _ = sockopt::set_socket_send_buffer_size(&self.fd, SEND_BUFFER);
        }
    }

    /// How much may be unread of what it has sent.
    pub(crate) fn send_buffer(&self) -> usize {
        sockopt::socket_send_buffer_size(&self.fd).unwrap_or(usize::MAX)
    }

    /// How much of that is unread now.
    pub(crate) fn unread(&self) -> Result<usize, Errno> {
        unread_of(self.fd.as_fd())
    }

    /// Sends one datagram at once, or `EAGAIN` if the peer's queue is full.
    ///
    /// `to` is `None` on a connected socket.
    pub(crate) fn send(
        &self,
        to: Option<&Address>,
        datagram: &[u8],
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), Errno> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let slices = [IoSlice::new(datagram)];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(Errno::TOOMANYREFS);
        }
        retry_on_intr(|| match to {
            Some(to) => net::sendmsg_addr(&self.fd, to.sockaddr(), &slices, &mut control, flags),
            None => net::sendmsg(&self.fd, &slices, &mut control, flags),
        })
        .map(|_| ())
    }

    /// Receives one datagram into `buffer`, which is longer than any well-formed
    /// one, so that a longer one shows.
    ///
    /// After [`shut_down`](Socket::shut_down), and once what was queued is read,
    /// it returns at once without credentials. `EINTR` is the caller's to see:
    /// only it knows how much of its time is left.
    pub(crate) fn receive(&self, buffer: &mut [u8; MAX_DATAGRAM + 1], wait: Wait) -> Result<Received, Errno> {
        let flags = match wait {
            Wait::No => libc::MSG_DONTWAIT,
            Wait::AtMost(Duration::ZERO) => libc::MSG_DONTWAIT,
            Wait::AtMost(timeout) => {
                self.arm(Some(timeout))?;
                0
            }
            Wait::Forever => {
                self.arm(None)?;
                0
            }
        };
        receive(self.fd.as_fd(), buffer, flags)
    }

    /// Ends receiving, also a receive that is blocked in another thread. What is
    /// queued can still be read; sending goes on working.
    pub(crate) fn shut_down(&self) {
        // It fails only on sockets that cannot be shut down, which this is not.
        let _ = net::shutdown(&self.fd, Shutdown::Read);
    }

    /// To be called before this is closed: whoever closes a socket closes also what is in datagrams
    /// that nobody has read, which can take long. Nothing more can be sent to it.
    pub(crate) fn discard_unread(&self) {
        self.shut_down();
        let unread = net::recv(&self.fd, &mut [0; 0], RecvFlags::DONTWAIT | RecvFlags::PEEK);
        if unread != Err(Errno::AGAIN)
            && let Ok(copy) = self.fd.try_clone()
        {
            discard([copy].into_iter().collect());
        }
    }

    /// Rounds up to whole milliseconds, as the kernel rounds up to ticks of at
    /// least that: so what is left of a timeout right after its start is still
    /// the timeout that is set already.
    fn arm(&self, timeout: Option<Duration>) -> Result<(), Errno> {
        let millis = timeout
            .map_or(0, |timeout| u64::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX));
        if self.armed.load(Relaxed) != millis {
            let timeout = timeout.map(|_| Duration::from_millis(millis));
            sockopt::set_socket_timeout(&self.fd, Timeout::Recv, timeout)?;
            self.armed.store(millis, Relaxed);
        }
        Ok(())
    }
}

fn make() -> Result<OwnedFd, Errno> {
    net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
