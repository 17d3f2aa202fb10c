use rustix::net::sockopt;

use crate::wire::Fds;

/// Descriptors that nobody wants. Dropping this closes them, and does not wait:
/// a connection may be set to linger until its peer has read everything, which
/// would hold up the thread that closes the last copy of it for as long as
/// whoever sent it likes.
#[derive(Debug)]
pub(crate) struct Discarded(Fds);

impl Discarded {
    pub(crate) fn new(fds: Fds) -> Self {
        Self(fds)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// They are wanted after all.
    pub(crate) fn keep(mut self) -> Fds {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Discarded {
    fn drop(&mut self) {
        for fd in self.0.iter() {
            // It fails on what is no socket, which does not linger.
            let _ = sockopt::set_socket_linger(fd, None);
        }
    }
}
