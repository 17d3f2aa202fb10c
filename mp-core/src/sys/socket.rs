//! A datagram socket: whole datagrams out and in, with their descriptors, and waiting for them
//! until a deadline. It does not know what they mean.

use std::{
    io::IoSlice,
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{Mode, fchmod},
    io::{Errno, retry_on_intr},
    net::{
        self, AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown,
        SocketAddrUnix, SocketFlags, SocketType,
        sockopt::{self, Timeout},
    },
};

use super::{
    Address, Deadline, FileUser, Frame, Receipt,
    clock::timespec,
    discard,
    fork::NotInForks,
    receive::receive,
    timeout::{Calls, SocketTimeout, Wait},
    unread::unread_of,
};
use crate::wire::MAX_FDS;

/// How much may be unread of what a member has sent, in the kernel's count of somewhat over 700
/// bytes a datagram. It is a limit; nothing is set aside.
const SEND_BUFFER: usize = 16 << 20;

/// An `AF_UNIX` `SOCK_DGRAM` socket.
#[derive(Debug)]
pub(crate) struct Socket {
    /// Dropped before the descriptor is.
    _not_in_forks: Option<NotInForks>,
    fd: OwnedFd,
    /// As whom it is bound, and finds others.
    user: FileUser,
    receive_timeout: SocketTimeout,
    send_timeout: SocketTimeout,
}

impl Socket {
    /// One that is bound nowhere.
    pub(crate) fn new() -> Result<Self, Errno> {
        Ok(Self::around(make()?, None))
    }

    /// One to be bound. Nobody holds it but this process, not even its forks.
    pub(crate) fn to_bind() -> Result<Self, Errno> {
        let (fd, noted) = NotInForks::made(make)?;
        Ok(Self::around(fd, Some(noted)))
    }

    fn around(fd: OwnedFd, noted: Option<NotInForks>) -> Self {
        let (receive_timeout, send_timeout) = (SocketTimeout::default(), SocketTimeout::default());
        Self { _not_in_forks: noted, fd, user: FileUser::default(), receive_timeout, send_timeout }
    }

    /// The same, which is bound and finds others as this user.
    pub(crate) fn used_as(self, user: FileUser) -> Self {
        Self { user, ..self }
    }

    /// One that is connected to `peer`, to be bound.
    ///
    /// Connected before it has an address: so from the moment when others can find it, nobody but
    /// the peer can send to it. The other way round, whoever is quick enough can leave an answer in
    /// it in between.
    pub(crate) fn connected(peer: &Address, user: FileUser) -> Result<Self, Errno> {
        let this = Self::to_bind()?.used_as(user);
        this.connect(peer)?;
        Ok(this)
    }

    /// The address of the peer it is connected to, as that peer spells it.
    pub(crate) fn peer(&self) -> Option<Address> {
        let name = net::getpeername(&self.fd).ok().flatten()?;
        let name = SocketAddrUnix::try_from(name).ok()?;
        Address::of_sender(name.path_bytes()?)
    }

    /// From now on it can be sent to, and asks for the credentials of whoever does. Its file has
    /// mode 0600, whatever the umask.
    pub(crate) fn bind(&self, address: &Address) -> Result<(), Errno> {
        // Asked for before connecting, credentials would have the kernel bind it somewhere.
        sockopt::set_socket_passcred(&self.fd, true)?;
        fchmod(&self.fd, Mode::RUSR | Mode::WUSR)?;
        self.user.act(|| net::bind(&self.fd, &address.sockaddr()))
    }

    /// From now on only `peer` can send to this socket, and sends need no address.
    ///
    /// Sends nothing: it tells whether a live socket is bound there (`ECONNREFUSED` and `ENOENT`
    /// say no).
    pub(crate) fn connect(&self, peer: &Address) -> Result<(), Errno> {
        self.user.act(|| net::connect(&self.fd, &peer.sockaddr()))
    }

    /// Lets as much be unread by its receivers as the system allows.
    ///
    /// The kernel charges a datagram to its sender until it is received. With the default, some 270
    /// datagrams that others do not read are enough to keep a socket from sending to anybody.
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

    /// Tells it from this process's other sockets, as long as it is open.
    pub(crate) fn number(&self) -> u32 {
        self.fd.as_raw_fd().unsigned_abs()
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
        retry_on_intr(|| self.send_with(to, datagram, fds, SendFlags::DONTWAIT))
    }

    /// Sends one datagram on a connected socket, waiting for room until the deadline; then
    /// `EAGAIN`.
    ///
    /// Of those that wait so for room in one queue, the kernel wakes one whenever a datagram is
    /// taken out of it, in their order; of those that `poll` it wakes all.
    pub(crate) fn send_by(
        &self,
        datagram: &[u8],
        fds: &[BorrowedFd<'_>],
        deadline: Deadline,
    ) -> Result<(), Errno> {
        loop {
            let left = deadline.left();
            if left.is_zero() {
                return Err(Errno::AGAIN);
            }
            let mut calls = OnSocket {
                socket: self,
                which: Timeout::Send,
                call: |may_block| {
                    let flags = if may_block { SendFlags::empty() } else { SendFlags::DONTWAIT };
                    self.send_with(None, datagram, fds, flags)
                },
            };
            match self.send_timeout.call(Wait::AtMost(left), &mut calls) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                result => return result,
            }
        }
    }

    fn send_with(
        &self,
        to: Option<&Address>,
        datagram: &[u8],
        fds: &[BorrowedFd<'_>],
        flags: SendFlags,
    ) -> Result<(), Errno> {
        let flags = flags | SendFlags::NOSIGNAL;
        let slices = [IoSlice::new(datagram)];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(Errno::TOOMANYREFS);
        }
        match to {
            Some(to) => {
                let to = to.sockaddr();
                self.user.act(|| net::sendmsg_addr(&self.fd, &to, &slices, &mut control, flags))?
            }
            None => net::sendmsg(&self.fd, &slices, &mut control, flags)?,
        };
        Ok(())
    }

    /// Whether nothing more can be sent to anybody until something that was sent is read.
    pub(super) fn is_buffer_full(&self) -> bool {
        // Where the system cannot tell, it is found out by trying.
        self.unread().is_ok_and(|unread| unread >= self.send_buffer())
    }

    /// Receives one datagram into `frame`.
    ///
    /// After [`shut_down`](Socket::shut_down), and once what was queued is read, it finds the end at
    /// once. `EINTR` is the caller's to see: only it knows how much of its time is
    /// left.
    pub(crate) fn receive(&self, frame: &mut Frame, wait: Wait) -> Result<Receipt, Errno> {
        let mut calls = OnSocket {
            socket: self,
            which: Timeout::Recv,
            call: |may_block| receive(self.fd.as_fd(), frame, if may_block { 0 } else { libc::MSG_DONTWAIT }),
        };
        self.receive_timeout.call(wait, &mut calls)
    }

    /// Ends receiving, also a receive that is blocked in another thread. What is queued can still
    /// be read; sending goes on working.
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
}

/// What can be called on a socket, in one direction.
struct OnSocket<'a, F> {
    socket: &'a Socket,
    which: Timeout,
    call: F,
}

impl<T, F: FnMut(bool) -> Result<T, Errno>> Calls for OnSocket<'_, F> {
    type Done = T;

    fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<(), Errno> {
        sockopt::set_socket_timeout(self.socket, self.which, timeout)
    }

    fn is_ready(&mut self, within: Duration) -> Result<bool, Errno> {
        let flags = match self.which {
            Timeout::Recv => PollFlags::IN,
            Timeout::Send => PollFlags::OUT,
        };
        // It is late by some 50 us at most.
        match poll(&mut [PollFd::new(self.socket, flags)], Some(&timespec(within))) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    fn call(&mut self, may_block: bool) -> Result<T, Errno> {
        (self.call)(may_block)
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
