//! Those who get a copy of each datagram. It knows neither requests nor actions.
//!
//! While there are none, a datagram costs a look at one flag. Nothing that a monitor does holds up
//! who sends or receives: what its socket has no room for is dropped and counted, and a socket whose
//! other end is closed is let go of with the next datagram.

use std::{
    io::IoSlice,
    os::fd::BorrowedFd,
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use rustix::io::Errno;

use super::{
    Direction, Filter, Json,
    record::{self, Observed},
};
use crate::{
    sys::{Address, Credentials, Frame, Outlet, Put, Socket, discard, monotonic, realtime},
    wire::{Fds, Header},
};

/// How many monitors one role has at most: each gets a copy of everything.
pub(crate) const MONITORS: usize = 8;

/// Hands out copies.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    on: AtomicBool,
    monitors: Mutex<Vec<Monitor>>,
}

#[derive(Debug)]
struct Monitor {
    outlet: Outlet,
    filter: Filter,
    pid: u32,
    sent: u64,
    dropped: u64,
}

/// Why somebody cannot be a monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAttached {
    /// What came with the request is no such socket.
    NoSocket,
    TooMany,
}

impl Tap {
    /// Whether anybody wants copies.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Relaxed)
    }

    /// From now on `pid` gets copies on the first of these descriptors.
    pub(crate) fn attach(&self, fds: Fds, filter: Filter, pid: u32) -> Result<(), NotAttached> {
        let mut monitors = self.lock();
        let over = monitors.extract_if(.., |monitor| monitor.outlet.is_over()).collect();
        // What is left over of the descriptors is closed with care.
        let mut fds = fds.into_iter();
        let outlet = match fds.next().map(Outlet::of) {
            Some(Ok(outlet)) => outlet,
            Some(Err(fd)) => {
                discard([fd].into_iter().collect());
                return Err(NotAttached::NoSocket);
            }
            None => return Err(NotAttached::NoSocket),
        };
        let room = monitors.len() < MONITORS;
        if room {
            monitors.push(Monitor { outlet, filter, pid, sent: 0, dropped: 0 });
            self.on.store(true, Relaxed);
        } else {
            let_go(vec![Monitor { outlet, filter, pid, sent: 0, dropped: 0 }]);
        }
        drop(monitors);
        let_go(over);
        if room { Ok(()) } else { Err(NotAttached::TooMany) }
    }

    /// What came in, and how it was judged: 0 for well, else one more than the place of the rejection.
    #[cold]
    pub(crate) fn came(&self, socket: &Socket, frame: &Frame, rejected: u8) {
        let (direction, errno, socket) = (Direction::In, 0, socket.number());
        let (credentials, datagram) = (frame.peer.credentials(), frame.bytes());
        let address = frame.peer.address().map(Address::path);
        let observed = Observed { direction, rejected, errno, credentials, socket, address, datagram };
        self.copy(&observed, frame.fds.iter());
    }

    /// What became of an attempt to send to `to`. One that found no room is made again, or given up:
    /// nothing has left.
    #[inline]
    pub(crate) fn sent(
        &self,
        socket: &Socket,
        to: Option<&Address>,
        datagram: &[u8],
        fds: &[BorrowedFd<'_>],
        sent: Result<(), Errno>,
    ) {
        if self.is_on() {
            self.attempted(socket, to, datagram, fds, sent);
        }
    }

    #[cold]
    #[inline(never)]
    fn attempted(
        &self,
        socket: &Socket,
        to: Option<&Address>,
        datagram: &[u8],
        fds: &[BorrowedFd<'_>],
        sent: Result<(), Errno>,
    ) {
        if sent != Err(Errno::AGAIN) {
            let errno = sent.err().and_then(|errno| u16::try_from(errno.raw_os_error()).ok());
            self.went(socket.number(), to.map(Address::path), (datagram, errno.unwrap_or(0)), fds);
        }
    }

    #[cold]
    fn went(
        &self,
        socket: u32,
        address: Option<&Path>,
        (datagram, errno): (&[u8], u16),
        fds: &[BorrowedFd<'_>],
    ) {
        let (direction, rejected, credentials) = (Direction::Out, 0, Credentials::own());
        let observed = Observed { direction, rejected, errno, credentials, socket, address, datagram };
        self.copy(&observed, fds.iter().copied());
    }

    fn copy<'a>(&self, observed: &Observed<'_>, fds: impl ExactSizeIterator<Item = BorrowedFd<'a>>) {
        let parsed = Header::parse(observed.datagram, None).ok();
        let datagram = parsed.as_ref().map(|parsed| (parsed.kind, &parsed.name));
        let mut monitors = self.lock();
        if !monitors.iter().any(|monitor| monitor.filter.lets_through(datagram)) {
            return;
        }
        let mut record = record::emit(observed, (realtime(), monotonic()), fds);
        let over: Vec<_> = monitors
            .extract_if(.., |monitor| monitor.filter.lets_through(datagram) && !monitor.put(&mut record))
            .collect();
        self.on.store(!monitors.is_empty(), Relaxed);
        drop(monitors);
        let_go(over);
    }

    /// Who is there, and what each got.
    pub(crate) fn describe(&self, json: &mut Json) {
        json.array(|json| {
            for monitor in self.lock().iter() {
                json.object(|json| {
                    json.key("pid").number(monitor.pid);
                    json.key("sent").number(monitor.sent);
                    json.key("dropped").number(monitor.dropped);
                });
            }
        });
    }

    /// Nobody gets copies any more.
    pub(crate) fn close(&self) {
        let all = std::mem::take(&mut *self.lock());
        self.on.store(false, Relaxed);
        let_go(all);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Monitor>> {
        self.monitors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Monitor {
    /// Sends a record or counts that it has not; `false` at the end.
    fn put(&mut self, record: &mut [u8]) -> bool {
        record::set_dropped(record, self.dropped);
        match self.outlet.put(&[IoSlice::new(record)]) {
            Put::Sent => self.sent += 1,
            Put::Dropped => self.dropped += 1,
            Put::Over => return false,
        }
        true
    }
}

/// Closes their sockets elsewhere: what peers have left in them may take long to close.
fn let_go(monitors: Vec<Monitor>) {
    if !monitors.is_empty() {
        discard(monitors.into_iter().map(|monitor| monitor.outlet.into_fd()).collect());
    }
}

#[cfg(test)]
mod tests {
    use std::{os::fd::OwnedFd, time::Duration};

    use super::*;
    use crate::{
        look::Record,
        sys::Inlet,
        wire::{Datagram, Kind, Layout, Name},
    };

    fn attach(tap: &Tap) -> Result<Inlet, NotAttached> {
        let (inlet, fd) = Inlet::pair().expect("a pair");
        let mut fds = Fds::new();
        fds.push(fd).expect("room");
        tap.attach(fds, Filter::all(), 7).map(|()| inlet)
    }

    fn went(tap: &Tap) {
        let name = Name::from_static("note");
        let datagram = Datagram::new(Layout::Bytes332, Kind::Message, &name, b"hi", 0, None);
        tap.went(1, Some(Path::new("/p")), (datagram.as_bytes(), 0), &[]);
    }

    fn next(inlet: &Inlet) -> Option<Record> {
        let mut buffer = [0; record::LONGEST];
        let len = inlet.next(&mut buffer, Some(Duration::ZERO)).expect("open")?;
        Some(Record::parse(&buffer[..len]).expect("whole"))
    }

    #[test]
    fn each_monitor_gets_a_copy_until_it_ends() {
        let tap = Tap::default();
        assert!(!tap.is_on());
        let (one, other) = (attach(&tap).expect("room"), attach(&tap).expect("room"));
        went(&tap);
        for inlet in [&one, &other] {
            assert_eq!(next(inlet).expect("a copy").content().expect("whole").name.as_bytes(), b"note");
        }
        drop(one);
        went(&tap);
        assert!(tap.is_on() && next(&other).is_some());
        drop(other);
        went(&tap);
        assert!(!tap.is_on(), "nobody is left");
    }

    #[test]
    fn what_a_monitor_has_no_room_for_is_counted_and_told_with_the_next() {
        let tap = Tap::default();
        let inlet = attach(&tap).expect("room");
        let mut copies = 0_u64;
        while tap.lock()[0].dropped < 5 {
            went(&tap);
            copies += 1;
        }
        let got = std::iter::from_fn(|| next(&inlet)).count() as u64;
        assert_eq!(got, copies - 5);
        went(&tap);
        assert_eq!(next(&inlet).expect("there is room again").dropped, 5);
        let told = Json::document(|json| tap.describe(json.key("monitors")));
        assert_eq!(told, format!(r#"{{"monitors":[{{"pid":7,"sent":{},"dropped":5}}]}}"#, got + 1));
    }

    #[test]
    fn there_are_only_so_many_of_whom_the_dead_do_not_count() {
        let tap = Tap::default();
        let mut inlets: Vec<_> = (0..MONITORS).map(|_| attach(&tap).expect("room")).collect();
        assert_eq!(attach(&tap).err(), Some(NotAttached::TooMany));
        inlets.pop();
        inlets.push(attach(&tap).expect("its place is free"));
        assert_eq!(attach(&tap).err(), Some(NotAttached::TooMany));
        tap.close();
        assert!(!tap.is_on());
        let ended = inlets[0].next(&mut [0; 9], None).expect("an end");
        assert_eq!(ended, Some(0));
    }

    #[test]
    fn only_an_end_of_such_a_pair_will_do() {
        let tap = Tap::default();
        assert_eq!(tap.attach(Fds::new(), Filter::all(), 7), Err(NotAttached::NoSocket));
        let mut fds = Fds::new();
        fds.push(OwnedFd::from(std::fs::File::open("/dev/null").expect("it is there"))).expect("room");
        assert_eq!(tap.attach(fds, Filter::all(), 7), Err(NotAttached::NoSocket));
        assert!(!tap.is_on());
    }
}
