//! Messages and requests that are read rather than handled: by tasks, by threads that block, and by nobody.

use std::{
    fs,
    future::poll_fn,
    pin::Pin,
    sync::mpsc,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use futures_core::Stream;
use mp_core::{InProcess, Name, Reason, Rejection};
use mp_typed::{Client, Message, Peer, Primary, RegisterError, Request, RequestError, Response, Secondary};
use tests::{WITHIN, eventually};

#[derive(Message, Debug, PartialEq)]
#[message(name = "note")]
struct Note {
    number: u32,
}

#[derive(Request)]
#[message(name = "double", response = Doubled)]
struct Double {
    number: u32,
}

#[derive(Response)]
struct Doubled {
    number: u64,
}

#[derive(Request)]
#[message(name = "ping", response = ())]
struct Ping;

fn group() -> (InProcess, Primary, Client) {
    let group = InProcess::new();
    let primary = Primary::builder("p").in_process(&group).start().expect("the place is free");
    let client = Client::builder("p").in_process(&group).start().expect("it only asks");
    (group, primary, client)
}

fn polled<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn messages_are_read_in_order_by_a_thread_that_blocks_until_the_role_stops() {
    let (_group, primary, client) = group();
    let notes = primary.messages::<Note>(16).expect("the name is free");
    let reading = thread::spawn(move || {
        let mut read = Vec::new();
        for (note, peer) in notes {
            assert_eq!(peer.pid(), std::process::id());
            read.push(note.number);
        }
        read
    });
    for number in 0..5 {
        client.send(&Note { number }).expect("there is room");
    }
    assert!(eventually(|| primary.statistics().messages_received == 5));
    assert!(primary.stop(WITHIN));
    assert_eq!(reading.join().expect("no panic"), [0, 1, 2, 3, 4]);
}

#[test]
fn requests_are_read_and_answered_by_a_task() {
    let (_group, primary, client) = group();
    let mut requests = primary.requests::<Double>(64).expect("the name is free");
    let answering = thread::spawn(move || {
        pollster::block_on(async {
            while let Some((double, _, responder)) = requests.next().await {
                responder.reply(&Doubled { number: u64::from(double.number) * 2 }).expect("it waits");
            }
        });
    });
    for number in 0..100 {
        let doubled = client.request(&Double { number }, WITHIN).expect("it is answered");
        assert_eq!(doubled.number, u64::from(number) * 2);
    }
    drop(primary);
    answering.join().expect("the end is told");
}

#[test]
fn it_is_a_stream_for_whoever_polls() {
    let (_group, primary, client) = group();
    let mut notes = primary.messages::<Note>(16).expect("the name is free");
    assert!(polled(&mut notes).is_pending());
    client.send(&Note { number: 7 }).expect("there is room");
    let next = pollster::block_on(poll_fn(|context| Pin::new(&mut notes).poll_next(context)));
    assert_eq!(next.map(|(note, _)| note.number), Some(7));
    primary.stop(WITHIN);
    assert!(matches!(polled(&mut notes), Poll::Ready(None)) && notes.is_ended());
}

#[test]
fn a_deadline_ends_a_wait_and_by_reference_a_part_is_read() {
    let (_group, primary, client) = group();
    let mut notes = primary.messages::<Note>(16).expect("the name is free");
    let start = Instant::now();
    assert_eq!(notes.next_within(Duration::from_millis(30)), None);
    assert!(start.elapsed() >= Duration::from_millis(30) && !notes.is_ended());
    (0..3).for_each(|number| client.send(&Note { number }).expect("there is room"));
    let first: Vec<_> = notes.take(2).map(|(note, _)| note.number).collect();
    assert_eq!(first, [0, 1]);
    client.send(&Note { number: 3 }).expect("there is room");
    let mut rest = Vec::new();
    for (note, _) in &mut notes {
        rest.push(note.number);
        if rest.len() == 2 {
            break;
        }
    }
    assert_eq!((rest, notes.next_within(Duration::ZERO)), (vec![2, 3], None));
}

#[test]
fn what_is_registered_before_the_start_misses_nothing() {
    let group = InProcess::new();
    let builder = Primary::builder("p").in_process(&group);
    let mut notes = builder.messages::<Note>(4).expect("the name is free");
    let mut requests = builder.requests::<Double>(4).expect("the name is free");
    let primary = builder.start().expect("the place is free");
    let client = Client::builder("p").in_process(&group).start().expect("it only asks");
    client.send(&Note { number: 1 }).expect("there is room");
    assert_eq!(notes.next_within(WITHIN).map(|(note, _)| note.number), Some(1));
    let asked = client.request_async(&Double { number: 3 }, WITHIN);
    let (double, _, responder) = requests.next_within(WITHIN).expect("it has come");
    responder.reply(&Doubled { number: u64::from(double.number) * 2 }).expect("it waits");
    assert_eq!(pollster::block_on(asked).expect("it is answered").number, 6);
    drop(primary);
    assert_eq!(notes.next_within(WITHIN), None);
}

#[test]
fn a_name_has_one_action_and_is_free_again_when_the_stream_is_dropped() {
    let (_group, primary, client) = group();
    let notes = primary.messages::<Note>(4).expect("the name is free");
    let taken = primary.messages::<Note>(4).expect_err("it is taken");
    assert_eq!(taken.to_string(), "an action named \"note\" is registered already");
    assert!(primary.actions().on(|_: Note, _: &Peer| ()).is_err());
    drop(notes);
    primary.actions().on(|_: Note, _: &Peer| ()).expect("it is free").forever();
    assert!(matches!(primary.messages::<Note>(4), Err(RegisterError::Taken { .. })));

    let requests = primary.requests::<Double>(4).expect("the name is free");
    let waiting = client.request_async(&Double { number: 1 }, WITHIN);
    assert!(eventually(|| primary.statistics().requests_received == 1));
    drop(requests);
    let ignored = pollster::block_on(waiting);
    assert!(matches!(&ignored, Err(RequestError::Ignored { why }) if why.reason() == Reason::NoAction));

    let builder = Primary::builder("q").on(|_: Note, _: &Peer| ());
    assert!(matches!(builder.messages::<Note>(1), Err(RegisterError::Taken { .. })));
    let builder = Primary::builder("q");
    let _notes = builder.messages::<Note>(1).expect("the name is free");
    assert!(builder.messages::<Note>(1).is_err());
    assert!(builder.on(|_: Note, _: &Peer| ()).in_process(&InProcess::new()).start().is_err());
}

#[test]
fn after_the_role_has_stopped_nothing_is_registered_and_nobody_waits() {
    let (_group, primary, _client) = group();
    let actions = primary.actions().clone();
    primary.stop(WITHIN);
    assert!(matches!(actions.messages::<Note>(4), Err(RegisterError::Stopped { .. })));
    drop(primary);
    assert!(matches!(actions.requests::<Double>(4), Err(RegisterError::Stopped { .. })));
}

#[test]
fn the_stream_of_a_role_that_cannot_start_ends() {
    let (group, _primary, _client) = group();
    let builder = Primary::builder("p").in_process(&group);
    let notes = builder.messages::<Note>(4).expect("the name is free");
    assert!(builder.start().is_err());
    assert_eq!(notes.into_iter().next(), None);
}

#[test]
fn over_the_bound_messages_are_dropped_and_counted_and_requests_are_told_so() {
    let (_group, primary, client) = group();
    let mut notes = primary.messages::<Note>(3).expect("the name is free");
    let mut requests = primary.requests::<Double>(1).expect("the name is free");
    for number in 0..8 {
        client.send(&Note { number }).expect("there is room");
    }
    let waiting = client.request_async(&Double { number: 1 }, WITHIN);
    assert!(eventually(|| primary.statistics().requests_received == 1));
    match client.request(&Double { number: 2 }, WITHIN) {
        Err(RequestError::Ignored { why }) => assert_eq!(why.reason(), Reason::Overloaded),
        _ => panic!("one more than may wait"),
    }
    assert_eq!(primary.statistics().rejected_for(Rejection::BacklogFull), 6);
    let read: Vec<_> = std::iter::from_fn(|| notes.next_within(Duration::ZERO)).collect();
    assert_eq!(read.iter().map(|(note, _)| note.number).collect::<Vec<_>>(), [0, 1, 2]);
    let (_, _, responder) = requests.next_within(WITHIN).expect("it waits");
    responder.reply(&Doubled { number: 2 }).expect("it waits");
    assert_eq!(pollster::block_on(waiting).expect("it is answered").number, 2);
}

#[test]
fn requests_that_nobody_has_read_are_told_that_the_role_stops() {
    let (_group, primary, client) = group();
    let mut requests = primary.requests::<Double>(4).expect("the name is free");
    let waiting = client.request_async(&Double { number: 1 }, WITHIN);
    assert!(eventually(|| primary.statistics().requests_received == 1));
    assert!(primary.stop(WITHIN));
    let ignored = pollster::block_on(waiting);
    assert!(matches!(&ignored, Err(RequestError::Ignored { why }) if why.reason() == Reason::Stopping));
    assert!(requests.next_within(WITHIN).is_none());
}

#[test]
fn a_stream_that_nobody_reads_holds_up_neither_the_receiver_nor_other_actions() {
    let group = InProcess::new();
    let (release, held) = mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let primary = Primary::builder("p")
        .in_process(&group)
        .backlog(4)
        .on(move |_: Stall, _: &Peer| _ = held.lock().expect("no panic").recv())
        .serve(|_: Ping, _: &Peer| ())
        .start()
        .expect("the place is free");
    let _unread = primary.messages::<Note>(2).expect("the name is free");
    let client = Client::builder("p").in_process(&group).start().expect("it only asks");
    // While a handler is slow, what is for the stream takes none of the backlog.
    client.send(&Stall).expect("there is room");
    let flood = |count: u32| {
        (0..count).for_each(|number| client.within(WITHIN).send(&Note { number }).expect("it is read"));
    };
    flood(500);
    let waiting = client.request_async(&Ping, WITHIN);
    flood(500);
    release.send(()).expect("it waits");
    pollster::block_on(waiting).expect("it had its place in the backlog");
    // And a flood that goes on starves nobody.
    let (end, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let flood = &flood;
        scope.spawn(move || {
            while ended.try_recv() == Err(mpsc::TryRecvError::Empty) {
                flood(50);
            }
        });
        for _ in 0..200 {
            client.request(&Ping, WITHIN).expect("it is answered meanwhile");
        }
        drop(end);
    });
    assert!(primary.statistics().rejected_for(Rejection::BacklogFull) >= 998);
}

#[derive(Message)]
#[message(name = "stall")]
struct Stall;

#[test]
fn what_cannot_be_decoded_is_counted_answered_and_not_given_out() {
    let (_group, primary, client) = group();
    let mut requests = primary.requests::<Double>(4).expect("the name is free");
    let raw = mp_core::Message::new(Name::new("double").expect("valid")).with_param(b"x").expect("it fits");
    let undecodable = client.core().request_async(&raw, WITHIN);
    let fine = client.request_async(&Double { number: 4 }, WITHIN);
    let (double, _, responder) = requests.next_within(WITHIN).expect("the second one");
    assert_eq!(double.number, 4);
    responder.reply(&Doubled { number: 8 }).expect("it waits");
    pollster::block_on(fine).expect("it is answered");
    let ignored = pollster::block_on(undecodable);
    assert!(
        matches!(&ignored, Err(mp_core::RequestError::Ignored { why }) if why.reason() == Reason::Undecodable)
    );
    assert_eq!(primary.statistics().rejected_for(Rejection::Undecodable), 1);
    // A message under a request's name is none.
    client.core().send(&raw).expect("there is room");
    assert!(eventually(|| primary.statistics().rejected_for(Rejection::NoAction) == 1));
}

#[test]
fn a_request_whose_requester_has_given_up_is_not_given_out() {
    let (_group, primary, client) = group();
    let mut requests = primary.requests::<Double>(8).expect("the name is free");
    let timed_out = client.request(&Double { number: 1 }, Duration::from_millis(50));
    assert!(matches!(timed_out, Err(RequestError::TimedOut { .. })));
    let cancelled = client.request_async(&Double { number: 2 }, WITHIN);
    assert!(eventually(|| primary.statistics().requests_received == 2));
    drop(cancelled);
    let reply_sockets = || {
        let files = fs::read_dir(primary.runtime_dir().expect("it runs")).expect("a directory");
        files.flatten().filter(|file| file.file_name().to_string_lossy().starts_with("mp_reply_")).count()
    };
    assert!(eventually(|| reply_sockets() == 0));
    let wanted = client.request_async(&Double { number: 3 }, WITHIN);
    assert!(eventually(|| primary.statistics().requests_received == 3));
    let (double, _, responder) = requests.next_within(WITHIN).expect("one is wanted");
    assert_eq!(double.number, 3);
    assert!(responder.is_wanted());
    responder.reply(&Doubled { number: 6 }).expect("it waits");
    pollster::block_on(wanted).expect("it is answered");
    assert_eq!(primary.statistics().requests_given_up, 2);
}

#[test]
fn waited_for_inside_a_handler_it_lets_other_handlers_go_first() {
    let group = InProcess::new();
    let builder = Secondary::builder("p").in_process(&group);
    let mut notes = builder.messages::<Note>(4).expect("the name is free");
    let next = std::sync::Mutex::new(move || notes.next_within(WITHIN).map(|(note, _)| note.number));
    let primary = Primary::builder("p").in_process(&group).start().expect("the place is free");
    let handle = builder.handle();
    let secondary = builder
        .serve(move |_: Double, _: &Peer| {
            let number = next.lock().expect("no panic")().map_or(0, u64::from);
            Doubled { number }
        })
        .on(move |_: Stall, _: &Peer| {
            let _ = handle.send(&Stall);
        })
        .start()
        .expect("it joins");
    let member = primary.members().expect("a directory").remove(0);
    thread::scope(|scope| {
        let asked = scope.spawn(|| primary.to(&member).request(&Double { number: 0 }, WITHIN));
        assert!(eventually(|| secondary.statistics().requests_received == 1));
        // Its turn is free for others: this one is handled, and the primary hears of it.
        primary.send(&Stall).expect("there is room");
        assert!(eventually(|| primary.statistics().messages_received == 1));
        primary.send(&Note { number: 9 }).expect("there is room");
        assert_eq!(asked.join().expect("no panic").expect("it is answered").number, 9);
    });
}
