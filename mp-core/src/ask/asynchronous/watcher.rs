//! `epoll(7)` over the lines of all places.

use std::{mem::MaybeUninit, time::Duration};

use rustix::{
    event::{
        Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
    },
    fd::{AsFd, OwnedFd},
    io::Errno,
};

use crate::ask::{reply_socket::Line, under_way::Round};

/// How many events are taken from the kernel at once.
const EVENTS: usize = 64;

/// The data of the bell's events; that of the others is their place.
const BELL: u64 = u64::MAX;

/// Tells at which places there is something to do.
#[derive(Debug)]
pub(super) struct Watcher {
    epoll: OwnedFd,
    /// What is told of the line at each place; `None` if nothing is.
    watched: Vec<Option<EventFlags>>,
}

/// Where there is something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    Bell,
    Place(usize),
}

impl Watcher {
    pub(super) fn new(places: usize, bell: impl AsFd) -> Result<Self, Errno> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, bell, EventData::new_u64(BELL), EventFlags::IN)?;
        Ok(Self { epoll, watched: vec![None; places] })
    }

    /// Waits for something to do, at most that long if there is a timeout.
    pub(super) fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> Result<(), Errno> {
        let timeout = timeout
            .map(|time| Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) });
        let mut room = [const { MaybeUninit::uninit() }; EVENTS];
        let events: &[Event] = match epoll::wait(&self.epoll, &mut room[..], timeout.as_ref()) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => &[],
            Err(errno) => return Err(errno),
        };
        ready.extend(events.iter().map(|event| match event.data.u64() {
            BELL => Ready::Bell,
            place => Ready::Place(place as usize),
        }));
        Ok(())
    }

    /// From now on tells of answers to the request at `place`, of room in the
    /// queues that it finds full, and, if that is wanted, of room at the peer
    /// that its line is connected to.
    pub(super) fn watch(&mut self, place: usize, round: &Round, for_room: bool) -> Result<(), Errno> {
        let data = EventData::new_u64(place as u64);
        let flags = if for_room { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
        match self.watched[place] {
            Some(watched) if watched == flags => {}
            Some(_) => epoll::modify(&self.epoll, round.line(), data, flags)?,
            None => epoll::add(&self.epoll, round.line(), data, flags)?,
        }
        self.watched[place] = Some(flags);
        for full in round.full_queues() {
            // Once only: a copy that a fork keeps open must not go on telling.
            let flags = EventFlags::OUT | EventFlags::ONESHOT;
            match epoll::modify(&self.epoll, full, data, flags) {
                Err(Errno::NOENT) => epoll::add(&self.epoll, full, data, flags)?,
                result => result?,
            }
        }
        Ok(())
    }

    /// Tells nothing more of the line that was at `place`. To be called before
    /// that is closed, since a fork may keep a copy open, or used elsewhere.
    pub(super) fn unwatch(&mut self, place: usize, line: &Line) {
        if self.watched[place].take().is_some() {
            // It fails only for what is not watched.
            let _ = epoll::delete(&self.epoll, line);
        }
    }
}
