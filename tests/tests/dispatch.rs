//! Members without threads: received and handled by whoever calls `dispatch`.

use std::{
    fs, io,
    os::fd::BorrowedFd,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use mp_core::{Client, InProcess, Message, Name, Primary, Reason, Rejection, RequestError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tests::{Lie, RawSocket, WITHIN, group, in_a_child};

const ECHO: Name = Name::from_static("echo");
const NOTE: Name = Name::from_static("note");

/// Waits until it is readable; whether it is in that time.
fn is_readable(fd: BorrowedFd<'_>, within: Duration) -> bool {
    let time = Timespec { tv_sec: within.as_secs() as i64, tv_nsec: i64::from(within.subsec_nanos()) };
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&time)).expect("it is polled") == 1
}

/// Calls `dispatch`, whenever there is something to do, until that is so.
#[track_caller]
fn dispatch_until(primary: &Primary, mut is_done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_done() {
        assert!(start.elapsed() < WITHIN, "it does not happen");
        if is_readable(primary.poll_fd(), Duration::from_millis(5)) {
            primary.dispatch().expect("it has no threads");
        }
    }
}

/// A primary that answers with what it was asked, and tells on which thread.
fn primary(builder: mp_core::Builder<Primary>) -> (Primary, Arc<Mutex<Vec<thread::ThreadId>>>) {
    let handled = Arc::new(Mutex::new(Vec::new()));
    let on = Arc::clone(&handled);
    let primary = builder
        .without_threads()
        .serve(ECHO, move |mut request| {
            on.lock().expect("no panic").push(thread::current().id());
            let message = request.take_message();
            let _ = request.reply(&message.param, &[]);
        })
        .start();
    (primary.expect("the place is free"), handled)
}

fn client(group: &InProcess) -> Client {
    Client::builder("p").in_process(group).start().expect("it only asks")
}

#[test]
fn everything_is_handled_where_it_is_dispatched_and_there_is_no_thread() {
    const NAME: &str = "everything_is_handled_where_it_is_dispatched_and_there_is_no_thread";
    if !in_a_child(NAME, &[]) {
        return;
    }
    let group = InProcess::new();
    let (primary, handled) = primary(Primary::builder("p").in_process(&group));
    let (client, asked) = (client(&group), Arc::new(AtomicBool::new(false)));
    assert!(!is_readable(primary.poll_fd(), Duration::ZERO));
    assert_eq!(primary.dispatch().expect("it has no threads"), 0);
    let (of_client, done) = (client.clone(), Arc::clone(&asked));
    let asking = thread::spawn(move || {
        let replies: Vec<_> = (0..50_u8)
            .map(|i| of_client.request(&Message::new(ECHO).with_param([i]).expect("it fits"), WITHIN))
            .collect();
        done.store(true, Relaxed);
        replies
    });
    dispatch_until(&primary, || asked.load(Relaxed));
    for (i, reply) in (0..).zip(asking.join().expect("no panic")) {
        assert_eq!(*reply.expect("it is answered").message.param, [i]);
    }
    assert_eq!(*handled.lock().expect("no panic"), [thread::current().id(); 50]);
    // Nobody answers what has no action, and that is told at once.
    let unknown = client.request_async(&Message::new(NOTE), WITHIN);
    dispatch_until(&primary, || primary.statistics().rejected_for(Rejection::NoAction) == 1);
    assert!(matches!(pollster::block_on(unknown), Err(RequestError::Ignored { .. })));
    let names = fs::read_dir("/proc/self/task").expect("it runs").flatten();
    let names = names.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    assert!(!names.into_iter().any(|name| name.starts_with("mp_handle")));
}

#[test]
fn one_call_does_a_bounded_amount_whatever_comes() {
    let group = InProcess::new();
    let (primary, _) = primary(Primary::builder("p").in_process(&group));
    let client = client(&group);
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !ended.load(Relaxed) {
                    let _ = client.within(Duration::from_millis(20)).send(&Message::new(NOTE));
                }
            });
        }
        let calls = (0..200).map(|_| primary.dispatch().expect("it has no threads"));
        let most = calls.max();
        ended.store(true, Relaxed);
        assert!(most <= Some(64), "{most:?}");
    });
}

#[test]
fn answers_without_room_are_kept_and_sent_by_later_calls() {
    let group = group!();
    let (primary, _) = primary(Primary::builder("p").runtime_dir(group.path()));
    let requester = RawSocket::bound(&group.join("requester"));
    for i in 0..20_u8 {
        requester.send(&group.join("mp_socket"), &Lie::request("echo", &[i]).bytes());
        dispatch_until(&primary, || primary.statistics().replies_sent == u64::from(i) + 1);
    }
    // Its queue takes eleven, of which it reads some at a time.
    for i in 0..20_u8 {
        assert_eq!(requester.receive(), (2, "echo".to_owned(), vec![i]));
        let deadline = Instant::now() + Duration::from_millis(30);
        dispatch_until(&primary, || Instant::now() > deadline);
    }
    assert_eq!(primary.statistics().answers_lost, 0);
    assert!(!is_readable(primary.poll_fd(), Duration::from_millis(50)), "nothing is left to do");
}

#[test]
fn what_has_come_when_it_stops_is_answered_and_answers_without_room_are_waited_for() {
    let group = InProcess::new();
    let (primary, _) = primary(Primary::builder("p").in_process(&group));
    let client = client(&group);
    let asked: Vec<_> = (0..5).map(|_| client.request_async(&Message::new(ECHO), WITHIN)).collect();
    assert!(is_readable(primary.poll_fd(), WITHIN));
    // Those that had come; the others may have been too late.
    assert!(primary.stop(WITHIN));
    for asked in asked {
        match pollster::block_on(asked) {
            Err(RequestError::Ignored { why }) => assert_eq!(why.reason(), Reason::Stopping),
            Err(RequestError::NoPrimary { .. } | RequestError::Gone) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(primary.dispatch().expect("it has no threads"), 0);
}

#[test]
fn inside_a_handler_it_does_nothing_and_a_panic_there_does_no_harm() {
    let group = InProcess::new();
    let own = Arc::new(Mutex::new(None::<Arc<Primary>>));
    let role = Arc::clone(&own);
    let primary = Primary::builder("p")
        .in_process(&group)
        .without_threads()
        .serve(ECHO, move |request| {
            let role = role.lock().expect("no panic").clone().expect("it is there");
            let inside = role.dispatch().expect("it has no threads");
            let _ = request.reply(&[u8::try_from(inside).expect("few")], &[]);
            std::panic::resume_unwind(Box::new("as it was asked to"));
        })
        .start();
    let primary = Arc::new(primary.expect("the place is free"));
    *own.lock().expect("no panic") = Some(Arc::clone(&primary));
    let client = client(&group);
    for panics in 1..4 {
        let asked = client.request_async(&Message::new(ECHO), WITHIN);
        dispatch_until(&primary, || primary.statistics().handler_panics == panics);
        assert_eq!(*pollster::block_on(asked).expect("it is answered").message.param, [0]);
    }
    own.lock().expect("no panic").take();
}

#[test]
fn streams_are_filled_by_it() {
    let group = InProcess::new();
    let (primary, _) = primary(Primary::builder("p").in_process(&group));
    let mut notes = primary.messages(NOTE, 4).expect("the name is free");
    client(&group).send(&Message::new(NOTE)).expect("there is room");
    assert!(notes.next_within(Duration::from_millis(20)).is_none());
    dispatch_until(&primary, || notes.next_within(Duration::ZERO).is_some());
}

#[test]
fn a_member_with_threads_says_that_it_needs_no_dispatch() {
    let primary = Primary::builder("p").in_process(&InProcess::new()).start().expect("it starts");
    let error = primary.dispatch().expect_err("it has threads");
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    assert!(error.to_string().contains("`without_threads`"), "{error}");
}
