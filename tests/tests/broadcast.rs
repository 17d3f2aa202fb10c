//! To all members, some of which cannot be sent to or do not read, or more than the system's
//! buffers hold.

use std::{
    fs::File,
    os::unix::fs::symlink,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use mp_core::{Message, Name, Outcome, Primary, Replies};
use pollster::block_on;
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CapabilitySet, capabilities, set_capabilities},
    time::{ClockId, clock_gettime},
};
use tests::{Group, RawSocket, group};

/// The processor time and the limits of this process are looked at: one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn primary(group: &Group) -> Primary {
    Primary::builder("mp-broadcast").runtime_dir(group.path()).start().expect("a primary")
}

/// Members that are this process's own and never read.
fn mute(group: &Group, count: usize) -> Vec<RawSocket> {
    (0..count).map(|i| RawSocket::bound(&group.join(&format!("mp_socket_1_{i:x}")))).collect()
}

fn note() -> Message {
    Message::new(Name::from_static("note"))
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[test]
fn a_member_whose_file_is_a_loop_of_links_is_an_outcome_and_the_others_are_served() {
    let _alone = alone();
    let group = group!();
    let mut primary = group.primary();
    symlink("mp_socket_2_2", group.join("mp_socket_2_2")).expect("it is free");
    for call in ["ask echo 5000 hi", "send note 5000 hi"] {
        let result = primary.call(call);
        assert!(result.contains("2:Refused"), "the only member: {result}");
    }
    let live = group.secondary();
    for (call, fine) in [("ask echo 5000 hi", "Replied"), ("send note 5000 hi", "Sent")] {
        let result = primary.call(call);
        for outcome in ["2:Refused", &format!("{}:{fine}", live.pid())] {
            assert!(result.contains(outcome), "{result}");
        }
    }
}

#[test]
fn what_the_system_refuses_to_send_to_one_is_its_outcome_and_replies_are_kept() {
    let _alone = alone();
    let group = group!();
    let primary = primary(&group);
    let _live = group.secondary();
    let mute = mute(&group, 1);
    let before = getrlimit(Resource::Nofile);
    // Of one user no more descriptors may be under way than this process may have open, unless
    // it may do everything. What a member has not read is under way.
    let mut unbounded = capabilities(None).expect("our own");
    unbounded.effective -= CapabilitySet::SYS_RESOURCE | CapabilitySet::SYS_ADMIN;
    set_capabilities(None, unbounded).expect("one may give up what one has");
    let limit = Rlimit { current: Some(tests::open_fds() as u64 + 24), ..before };
    setrlimit(Resource::Nofile, limit).expect("it may be lowered");

    let mut failed = None;
    for _ in 0..12 {
        let mut echo = Message::new(Name::from_static("echo"));
        for _ in 0..8 {
            let null = File::open("/dev/null").expect("it is always there");
            echo.fds.push(null.into()).expect("eight fit");
        }
        let replies = primary.request(&echo, Duration::from_millis(50)).expect("none is an error");
        assert_eq!(replies.outcomes.len(), 2);
        let of_system = |outcome: &Outcome| matches!(outcome, Outcome::Failed { errno: libc::ETOOMANYREFS });
        if replies.outcomes.iter().any(|(_, outcome)| of_system(outcome)) {
            failed = Some(replies);
            break;
        }
    }
    setrlimit(Resource::Nofile, before).expect("it was so before");
    assert!(failed.is_some(), "the system has a limit");
    let replies = primary.request(&Message::new(Name::from_static("echo")), Duration::from_millis(50));
    let replies = replies.expect("none is an error");
    assert_eq!((replies.outcomes.len(), replies.received()), (2, 1), "without descriptors");
    drop(mute);
}

#[test]
fn a_request_to_more_members_than_the_send_buffer_holds_takes_little_time_while_none_reads() {
    let _alone = alone();
    let group = group!();
    let (primary, members) = (primary(&group), mute(&group, 400));
    let timeout = Duration::from_millis(600);
    let blocking = || primary.request(&note(), timeout);
    let asynchronous = || block_on(primary.request_async(&note(), timeout));
    let calls: [&dyn Fn() -> Result<Replies, _>; 2] = [&blocking, &asynchronous];
    for call in calls {
        let (start, cpu) = (Instant::now(), cpu_time());
        let replies = call().expect("none is an error");
        let (wall, cpu) = (start.elapsed(), cpu_time() - cpu);
        let count =
            |wanted: Outcome| replies.outcomes.iter().filter(|(_, outcome)| *outcome == wanted).count();
        let (asked, not) = (count(Outcome::TimedOut), count(Outcome::BufferFull));
        assert!(asked > 100 && not > 50 && asked + not == members.len(), "{asked} asked, {not} not");
        assert!(wall >= timeout && cpu < wall / 3, "{cpu:?} of {wall:?}");
    }
}
