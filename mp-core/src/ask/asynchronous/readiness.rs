//! Where there is something to do: `epoll(7)` over the reply sockets of all slots. What there is to
//! do, it does not know.

use std::{mem::MaybeUninit, time::Duration};

use rustix::{
    event::{
        PollFd, PollFlags,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
        poll,
    },
    fd::{AsFd, OwnedFd},
    io::Errno,
};

use crate::{
    ask::{reply_socket::ReplySocket, under_way::RequestUnderWay},
    sys::timespec,
};

/// How many events are taken from the kernel at once.
const EVENTS: usize = 64;

const MILLISECOND: Duration = Duration::from_millis(1);

/// The data of the bell's events; that of the others is their slot.
const BELL: u64 = u64::MAX;

/// Tells at which slots there is something to do.
#[derive(Debug)]
pub(super) struct Readiness {
    epoll: OwnedFd,
    /// The events for which the reply socket at each slot is registered; `None` if it is not.
    registered: Vec<Option<EventFlags>>,
}

/// Where there is something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    Bell,
    Slot(usize),
}

impl Readiness {
    pub(super) fn new(bell: impl AsFd) -> Result<Self, Errno> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, bell, EventData::new_u64(BELL), EventFlags::IN)?;
        Ok(Self { epoll, registered: Vec::new() })
    }

    /// Waits for something to do, at most that long if there is a timeout, perhaps less.
    pub(super) fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> Result<(), Errno> {
        // `epoll_wait` counts whole milliseconds; what is less, `poll` waits for.
        let timeout = match timeout {
            Some(time) if time < MILLISECOND => {
                match poll(&mut [PollFd::new(&self.epoll, PollFlags::IN)], Some(&timespec(time))) {
                    Ok(0) | Err(Errno::INTR) => return Ok(()),
                    Ok(_) => Some(Duration::ZERO),
                    Err(errno) => return Err(errno),
                }
            }
            time => time,
        };
        let whole = timeout.map(|time| timespec(time.saturating_sub(Duration::from_micros(999))));
        let mut room = [const { MaybeUninit::uninit() }; EVENTS];
        let events: &[Event] = match epoll::wait(&self.epoll, &mut room[..], whole.as_ref()) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => &[],
            Err(errno) => return Err(errno),
        };
        ready.extend(events.iter().map(|event| match event.data.u64() {
            BELL => Ready::Bell,
            slot => Ready::Slot(slot as usize),
        }));
        Ok(())
    }

    /// From now on tells of answers to the request at `slot`, of room in the queues that it finds
    /// full, and, if that is wanted, of room at the peer that its reply socket is connected to.
    pub(super) fn register(
        &mut self,
        slot: usize,
        under_way: &RequestUnderWay,
        for_room: bool,
    ) -> Result<(), Errno> {
        let data = EventData::new_u64(slot as u64);
        let flags = if for_room { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
        if slot >= self.registered.len() {
            self.registered.resize(slot + 1, None);
        }
        match self.registered[slot] {
            Some(registered) if registered == flags => {}
            Some(_) => epoll::modify(&self.epoll, under_way.reply_socket(), data, flags)?,
            None => epoll::add(&self.epoll, under_way.reply_socket(), data, flags)?,
        }
        self.registered[slot] = Some(flags);
        for full in under_way.full_queues() {
            // Once only: a copy that the child of a fork keeps open must not go on telling.
            let flags = EventFlags::OUT | EventFlags::ONESHOT;
            match epoll::modify(&self.epoll, full, data, flags) {
                Err(Errno::NOENT) => epoll::add(&self.epoll, full, data, flags)?,
                result => result?,
            }
        }
        Ok(())
    }

    /// Tells nothing more of the reply socket that was at `slot`. To be called before that is used
    /// elsewhere or closed: closing does not do if the child of a fork has a copy.
    pub(super) fn unregister(&mut self, slot: usize, reply_socket: &ReplySocket) {
        if self.registered.get_mut(slot).and_then(Option::take).is_some() {
            // It fails only for what is not registered.
            let _ = epoll::delete(&self.epoll, reply_socket);
        }
    }
}
