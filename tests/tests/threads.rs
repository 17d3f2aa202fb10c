//! Threads: their names, their processors, their signals, and what is called on each as it starts.

use std::{
    collections::BTreeMap,
    fs,
    net::{TcpListener, TcpStream},
    os::fd::AsFd,
    sync::{Arc, Mutex},
    thread,
};

use mp_core::{Client, HandlerPool, Message, MessageRef, Name, Primary, ThreadRole};
use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};
use tests::{Lie, RawSocket, WITHIN, eventually, group, in_a_child};

const ECHO: Name = Name::from_static("echo");

/// The processors that a set has.
fn processors(set: &CpuSet) -> Vec<usize> {
    (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect()
}

fn of_this_thread() -> Vec<usize> {
    processors(&sched_getaffinity(None).expect("it runs"))
}

/// The only one of these.
fn only(cpu: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(cpu);
    set
}

/// The last of this thread's processors, where somebody polls.
fn poll_core() -> CpuSet {
    only(*of_this_thread().last().expect("it runs somewhere"))
}

/// Each thread of this library: its name, its processors and which signals it blocks.
fn threads() -> Vec<(String, Vec<usize>, u64)> {
    let of = |task: fs::DirEntry| -> Option<_> {
        let name = fs::read_to_string(task.path().join("comm")).ok()?.trim().to_owned();
        let status = fs::read_to_string(task.path().join("status")).ok()?;
        let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:"))?.trim();
        let id = Pid::from_raw(task.file_name().to_str()?.parse().ok()?);
        let processors = processors(&sched_getaffinity(id).ok()?);
        name.starts_with("mp_").then_some((name, processors, u64::from_str_radix(blocked, 16).ok()?))
    };
    let tasks = fs::read_dir("/proc/self/task").expect("it runs");
    tasks.flatten().filter_map(of).collect()
}

fn count(name: &str) -> usize {
    threads().iter().filter(|(thread, ..)| thread == name).count()
}

/// Has a thread of each kind there is started, whichever can be by a thread on one processor only.
fn start_all(dir: &std::path::Path, start: impl Fn(ThreadRole) + Clone + Send + Sync + 'static) -> Kept {
    let pooled = Name::from_static("pooled");
    let pool = HandlerPool::new(2);
    let primary = Primary::builder("p")
        .runtime_dir(dir)
        .on_thread_start(start.clone())
        .serve_on(&pool, pooled, |request| _ = request.reply(b"", &[]))
        .on(Name::from_static("take"), |_, _| ())
        .start()
        .expect("the place is free");
    let client = Client::builder("p").runtime_dir(dir).on_thread_start(start).start().expect("it only asks");
    let requester = RawSocket::bound(&dir.join("requester"));
    let poll_core = poll_core();
    thread::scope(|scope| {
        scope.spawn(|| {
            sched_setaffinity(None, &poll_core).expect("it is allowed there");
            let mut echoes = primary.requests(ECHO, 64).expect("the name is free");
            pollster::block_on(client.request_async(&Message::new(pooled), WITHIN)).expect("it is answered");
            pollster::block_on(primary.request_async(&Message::new(pooled), WITHIN))
                .expect("there is nobody");
            // More answers than its queue takes.
            for _ in 0..20 {
                requester.send(&dir.join("mp_socket"), &Lie::request("echo", b"").bytes());
                let (_, _, responder) = echoes.next_within(WITHIN).expect("it has come");
                responder.reply(b"", &[]).expect("it is kept");
            }
        });
    });
    // A connection is closed on a thread for that.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let connection = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
    let fds = [connection.as_fd()];
    let take = Name::from_static("take");
    client.send(MessageRef::new(&take, b"", &fds).expect("it fits")).expect("there is room");
    Kept { _all: (primary, client, requester, pool) }
}

struct Kept {
    _all: (Primary, Client, RawSocket, HandlerPool),
}

#[test]
fn threads_begin_where_the_role_was_started_not_where_somebody_asked_first_and_handle_no_signals() {
    const NAME: &str =
        "threads_begin_where_the_role_was_started_not_where_somebody_asked_first_and_handle_no_signals";
    if !in_a_child(NAME, &[]) {
        return;
    }
    let group = group!();
    let (started, where_started) = (Arc::new(Mutex::new(BTreeMap::new())), of_this_thread());
    let seen = Arc::clone(&started);
    let kept = start_all(group.path(), move |role| {
        *seen.lock().expect("no panic").entry(role.name()).or_insert_with(Vec::new) = of_this_thread();
    });
    let all = ["mp_async", "mp_close", "mp_handle", "mp_held_replies", "mp_pool"];
    assert!(eventually(|| started.lock().expect("no panic").len() == all.len()), "{started:?}");
    let started = started.lock().expect("no panic");
    assert_eq!(started.keys().copied().collect::<Vec<_>>(), all);
    for (name, processors) in &*started {
        assert_eq!(*processors, where_started, "{name}");
    }
    // Two receive and handle; client and primary have one each for what they ask.
    assert_eq!((count("mp_handle"), count("mp_async"), count("mp_held_replies")), (2, 2, 1));
    assert!((1..=2).contains(&count("mp_pool")));
    let bit = |signal: i32| 1_u64 << (signal - 1);
    for (name, processors, blocked) in threads() {
        assert!(processors == where_started || name == "mp_close_exit", "{name}: {processors:?}");
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGUSR1, libc::SIGCHLD, libc::SIGPIPE]
        {
            assert_ne!(blocked & bit(signal), 0, "{name} handles {signal}");
        }
        if !name.starts_with("mp_close") {
            assert_eq!(blocked & (bit(libc::SIGSEGV) | bit(libc::SIGBUS)), 0, "{name} hides its faults");
        }
    }
    let own = fs::read_to_string("/proc/thread-self/status").expect("it runs");
    let own = own.lines().find_map(|line| line.strip_prefix("SigBlk:")).expect("it is told").trim();
    assert_eq!(u64::from_str_radix(own, 16), Ok(0), "whoever starts threads keeps its signals");
    drop(kept);
}

#[test]
fn what_is_called_on_each_thread_can_place_it_and_a_panic_there_does_no_harm() {
    const NAME: &str = "what_is_called_on_each_thread_can_place_it_and_a_panic_there_does_no_harm";
    if !in_a_child(NAME, &[]) {
        return;
    }
    let group = group!();
    let first = only(of_this_thread()[0]);
    let kept = start_all(group.path(), move |_| {
        sched_setaffinity(None, &first).expect("it is allowed there");
        std::panic::resume_unwind(Box::new("as it was asked to"));
    });
    let placed = || {
        let threads = threads();
        threads.len() >= 6 && threads.iter().all(|(_, processors, _)| *processors == self::processors(&first))
    };
    assert!(eventually(placed), "{:?}", threads());
    drop(kept);
    assert!(eventually(|| count("mp_handle") == 0 && count("mp_async") == 0));
}
