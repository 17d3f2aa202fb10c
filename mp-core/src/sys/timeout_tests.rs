//! A virtual clock, and a kernel that ends waits as Linux does: whoever waits until a deadline is
//! watched over all that time, at whatever moment of a tick it begins.

use super::*;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// How late `poll` may be.
const SLACK: Duration = Duration::from_micros(50);

/// A socket to which nothing comes, or something at a certain time.
struct Kernel {
    now: Duration,
    tick: Duration,
    timeout: Option<Duration>,
    comes_at: Option<Duration>,
    /// How late `poll` is.
    late: Duration,
    /// Each wait is interrupted so long after its beginning.
    interrupts: Option<Duration>,
    sets: usize,
    waits: usize,
}

impl Kernel {
    fn new(now: Duration, tick: Duration) -> Self {
        Self { now, tick, timeout: None, comes_at: None, late: SLACK, interrupts: None, sets: 0, waits: 0 }
    }

    /// When a timer ends that is set now. Each level of the kernel's timer wheel has buckets eight
    /// times as wide as the one before, for delays from 63, 504, 4032 and so on ticks; a timer ends
    /// with the bucket that follows the one in which it is due, and no later than the wheel has
    /// turned.
    fn timer_end(&self, timeout: Duration) -> Duration {
        let now = u64::try_from(self.now.as_nanos() / self.tick.as_nanos()).expect("ticks since the start");
        let delay = u64::try_from(timeout.as_nanos().div_ceil(self.tick.as_nanos())).expect("ticks");
        let delay = delay.min((63 << 24) - (1 << 24));
        let level = (0..8).find(|level| delay < 63 << (3 * level)).unwrap_or(8);
        let end = (((now + delay) >> (3 * level)) + 1) << (3 * level);
        Duration::from_nanos(end * u64::try_from(self.tick.as_nanos()).expect("a tick"))
    }

    /// Lets time pass until the end, or until something comes, or the wait is interrupted.
    fn pass(&mut self, end: Option<Duration>) -> Result<bool, Errno> {
        self.waits += 1;
        let interrupt = self.interrupts.map(|after| self.now + after);
        let next = [end, self.comes_at, interrupt].into_iter().flatten().min();
        self.now = self.now.max(next.expect("it waits for ever"));
        match self.comes_at.is_some_and(|at| at <= self.now) {
            true => Ok(true),
            false if interrupt.is_some_and(|at| at <= self.now) => Err(Errno::INTR),
            false => Ok(false),
        }
    }
}

impl Calls for Kernel {
    type Done = Duration;

    fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<(), Errno> {
        assert_ne!(timeout, Some(Duration::ZERO), "to the kernel that means for ever");
        (self.timeout, self.sets) = (timeout, self.sets + 1);
        Ok(())
    }

    fn is_ready(&mut self, within: Duration) -> Result<bool, Errno> {
        Ok(self.pass(Some(self.now + within + self.late)).unwrap_or(false))
    }

    fn call(&mut self, may_block: bool) -> Result<Duration, Errno> {
        let has_come = self.comes_at.is_some_and(|at| at <= self.now);
        if !has_come && !may_block {
            return Err(Errno::AGAIN);
        }
        if has_come || self.pass(self.timeout.map(|timeout| self.timer_end(timeout)))? {
            return Ok(self.now);
        }
        Err(Errno::AGAIN)
    }
}

/// What everybody does who waits until a deadline. When something came, or `None`.
fn wait_until(deadline: Duration, socket: &SocketTimeout, kernel: &mut Kernel) -> Option<Duration> {
    loop {
        let left = deadline.checked_sub(kernel.now).filter(|left| !left.is_zero())?;
        match socket.call_with(kernel.tick, Wait::AtMost(left), kernel) {
            Ok(at) => return Some(at),
            Err(errno) => assert!([Errno::AGAIN, Errno::INTR].contains(&errno), "{errno}"),
        }
    }
}

fn ticks() -> impl Iterator<Item = Duration> {
    // CONFIG_HZ of 1000, 300, 250 and 100.
    [1_000_000, 3_333_333, 4_000_000, 10_000_000].into_iter().map(Duration::from_nanos)
}

/// Moments within a tick and within the wheel's wider buckets.
fn beginnings(tick: Duration) -> impl Iterator<Item = Duration> {
    let nanos = Duration::from_nanos;
    let within = [nanos(0), nanos(1), tick / 3, tick / 2, tick - nanos(1)];
    [0, 1, 6, 7, 8, 62, 63, 64, 511, 4095, 1 << 20]
        .into_iter()
        .flat_map(move |ticks| within.into_iter().map(move |part| tick * ticks + part))
}

/// Around each number of ticks at which something changes, and a few plain times.
fn times(tick: Duration) -> impl Iterator<Item = Duration> {
    let nanos = Duration::from_nanos;
    let few = (0..80).chain([100, 250, 440, 503, 504, 505, 576, 577, 1000, 4031, 4032, 4608, 4609, 40_000]);
    let around = few.flat_map(move |ticks| {
        let at = tick * ticks;
        [at.saturating_sub(nanos(1)), at, at + nanos(1), at + tick / 2]
    });
    let plain = [nanos(1), nanos(999), Duration::from_micros(1), SLACK, ms(5000), ms(86_400_000)];
    around.chain(plain).filter(|time| !time.is_zero())
}

#[test]
fn a_wait_until_a_deadline_ends_then_and_not_late_whenever_it_begins() {
    for tick in ticks() {
        for (begin, time) in beginnings(tick).flat_map(|begin| times(tick).map(move |time| (begin, time))) {
            let mut kernel = Kernel::new(begin, tick);
            assert_eq!(wait_until(begin + time, &SocketTimeout::default(), &mut kernel), None);
            let over = kernel.now - begin - time;
            assert!(over <= SLACK, "{time:?} from {begin:?} at {tick:?} are over by {over:?}");
            // Each leaves an eighth or so of what the one before has left.
            assert!(kernel.waits <= 12, "{} waits for {time:?} at {tick:?}", kernel.waits);
        }
    }
}

#[test]
fn what_comes_meanwhile_ends_the_wait_at_once() {
    for tick in ticks() {
        for time in times(tick) {
            for comes_after in [Duration::ZERO, time / 3, time / 2, time - Duration::from_nanos(1)] {
                let mut kernel = Kernel::new(tick / 3, tick);
                kernel.comes_at = Some(kernel.now + comes_after);
                let deadline = kernel.now + time;
                let came = wait_until(deadline, &SocketTimeout::default(), &mut kernel);
                assert_eq!(came, kernel.comes_at, "{time:?} at {tick:?}");
            }
        }
    }
}

#[test]
fn interrupted_however_often_a_wait_is_neither_shorter_nor_longer() {
    for time in times(ms(4)).filter(|time| *time < ms(3000)) {
        let mut kernel = Kernel::new(ms(1), ms(4));
        kernel.interrupts = Some(Duration::from_micros(1700));
        assert_eq!(wait_until(ms(1) + time, &SocketTimeout::default(), &mut kernel), None);
        assert!(kernel.now - ms(1) - time <= SLACK, "{time:?}");
    }
}

#[test]
fn a_timeout_is_set_only_when_it_changes() {
    for tick in ticks() {
        let socket = SocketTimeout::default();
        let mut kernel = Kernel::new(Duration::ZERO, tick);
        for n in 0..100 {
            // A request, some time after the one before, of which a little was spent sending.
            kernel.now += tick / 7;
            let deadline = kernel.now + tick * 20;
            kernel.now += tick / 1000 * n;
            kernel.comes_at = Some(kernel.now + tick / 10);
            assert_eq!(wait_until(deadline, &socket, &mut kernel), kernel.comes_at);
        }
        assert!(kernel.sets <= 2, "{} sets at {tick:?}", kernel.sets);
    }
}

#[test]
fn who_waits_for_ever_after_one_who_did_not_is_ended_by_no_old_timeout() {
    for time in times(ms(4)) {
        let (socket, mut kernel) = (SocketTimeout::default(), Kernel::new(ms(1), ms(4)));
        assert_eq!(wait_until(ms(1) + time, &socket, &mut kernel), None);
        kernel.comes_at = Some(kernel.now + ms(1_000_000));
        assert_eq!(socket.call_with(ms(4), Wait::Forever, &mut kernel), Ok(kernel.comes_at.expect("set")));
        // And the other way round.
        kernel.comes_at = None;
        let deadline = kernel.now + time;
        assert_eq!(wait_until(deadline, &socket, &mut kernel), None);
        assert!(kernel.now - deadline <= SLACK, "{time:?}");
    }
}

#[test]
fn who_does_not_wait_makes_no_other_call() {
    for wait in [Wait::No, Wait::AtMost(Duration::ZERO)] {
        let mut kernel = Kernel::new(ms(1), ms(4));
        assert_eq!(SocketTimeout::default().call(wait, &mut kernel), Err(Errno::AGAIN));
        assert_eq!((kernel.waits, kernel.sets), (0, 0));
    }
}

#[test]
fn a_timeout_that_could_not_be_set_is_set_the_next_time() {
    struct Refusing(usize);
    impl Calls for Refusing {
        type Done = ();

        fn set_timeout(&mut self, _: Option<Duration>) -> Result<(), Errno> {
            self.0 += 1;
            if self.0 == 1 { Err(Errno::NOMEM) } else { Ok(()) }
        }

        fn is_ready(&mut self, _: Duration) -> Result<bool, Errno> {
            unreachable!("a second is long enough for the socket's timeout")
        }

        fn call(&mut self, may_block: bool) -> Result<(), Errno> {
            assert!(may_block && self.0 == 2);
            Ok(())
        }
    }
    let (socket, mut calls) = (SocketTimeout::default(), Refusing(0));
    let outcomes = [(); 3].map(|()| socket.call(Wait::AtMost(ms(1000)), &mut calls));
    assert_eq!(outcomes, [Err(Errno::NOMEM), Ok(()), Ok(())]);
}

#[test]
fn ticks_are_of_one_to_ten_milliseconds() {
    assert!((ms(1)..=ms(10)).contains(&tick()), "{:?}", tick());
}
