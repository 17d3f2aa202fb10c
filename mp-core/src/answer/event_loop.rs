//! Receiving on the user's own thread: a descriptor that tells when there is something to do, and the
//! call that does it.

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{Arc, Mutex, PoisonError, TryLockError},
};

use rustix::{
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    io::Errno,
};

use super::{Dispatcher, ReplyPort};
use crate::receive::Inbox;

/// How many datagrams are handled in one call.
const AT_ONCE: usize = 64;

/// A member's, if it has no threads.
#[derive(Debug)]
pub(crate) struct EventLoop {
    epoll: OwnedFd,
    room: Mutex<Box<Inbox>>,
}

impl EventLoop {
    /// Tells of what comes to this port, and of when to try again to send what had no room.
    pub(crate) fn of(port: &ReplyPort) -> Result<Self, Errno> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &port.bound.socket, EventData::new_u64(0), EventFlags::IN)?;
        if let Some(timer) = &port.timer {
            epoll::add(&epoll, timer, EventData::new_u64(1), EventFlags::IN)?;
        }
        Ok(Self { epoll, room: Mutex::new(Box::new(Inbox::new())) })
    }

    /// Does what there is to do, but not more than some; tells how many datagrams came.
    pub(crate) fn dispatch(&self, dispatcher: &Arc<Dispatcher>) -> usize {
        let mut room = match self.room.try_lock() {
            Ok(room) => room,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Inside a handler, or on a second thread.
            Err(TryLockError::WouldBlock) => return 0,
        };
        let received = dispatcher.dispatch(&mut room, AT_ONCE);
        dispatcher.work.port.deliver();
        received
    }

    /// As the role stops: answers all that has come. Inside a handler it leaves that to the call which
    /// the handler is in.
    pub(crate) fn drain(&self, dispatcher: &Arc<Dispatcher>) {
        if !dispatcher.is_handling_here() {
            let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
            dispatcher.dispatch(&mut room, usize::MAX);
        }
    }
}

impl AsFd for EventLoop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}
