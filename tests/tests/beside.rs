//! Handlers that run beside each other by choice: as tasks of a runtime, and on the threads of a pool.

use std::{
    sync::{
        Arc, Barrier, Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
    time::Duration,
};

use mp_core::{InProcess, Reason, Rejection};
use mp_typed::{
    Client, HandlerPool, Message, Peer, Primary, RegisterError, Request, RequestError, Response, Secondary,
    Task,
};
use tests::{WITHIN, eventually};

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
#[message(name = "other", response = ())]
struct Other;

#[derive(Message)]
#[message(name = "note")]
struct Note;

fn double(double: &Double) -> Doubled {
    Doubled { number: u64::from(double.number) * 2 }
}

fn client(group: &InProcess) -> Client {
    Client::builder("p").in_process(group).start().expect("it only asks")
}

/// A runtime of sorts: each task has a thread.
fn spawn(task: Task) {
    thread::spawn(|| pollster::block_on(task));
}

#[track_caller]
fn assert_ignored<T>(result: Result<T, RequestError>, reason: Reason) {
    match result {
        Err(RequestError::Ignored { why }) => assert_eq!(why.reason(), reason, "{why}"),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it is answered"),
    }
}

#[test]
fn tasks_run_beside_each_other_and_answer() {
    let group = InProcess::new();
    let both = Arc::new(Barrier::new(2));
    let primary = Primary::builder("p")
        .in_process(&group)
        .serve_async(move |request: Double, peer: Peer| {
            let both = Arc::clone(&both);
            async move {
                assert_eq!(peer.pid(), std::process::id());
                both.wait();
                Ok::<_, String>(double(&request))
            }
        })
        .spawn_with(spawn)
        .start()
        .expect("the place is free");
    let client = client(&group);
    let asked = [1, 2].map(|number| client.request_async(&Double { number }, WITHIN));
    let doubled = asked.map(|asked| pollster::block_on(asked).expect("each waits for the other").number);
    assert_eq!(doubled, [2, 4]);
    assert!(primary.stop(WITHIN));
}

#[test]
fn a_task_that_fails_panics_or_is_dropped_answers_ignore() {
    let group = InProcess::new();
    let (keep, kept) = channel::<Task>();
    let (panics, fails) = (1, 2);
    let primary = Primary::builder("p")
        .in_process(&group)
        .spawn_with(move |task| keep.send(task))
        .serve_async(move |request: Double, _| async move {
            if request.number == panics {
                std::panic::resume_unwind(Box::new("as it was asked to"));
            }
            if request.number == fails { Err("no such number") } else { Ok(double(&request)) }
        })
        .start()
        .expect("the place is free");
    let client = client(&group);
    let end_one = |end: fn(Task)| {
        let kept: &Receiver<Task> = &kept;
        let task = kept.recv_timeout(WITHIN).expect("it was spawned");
        let ended = thread::spawn(move || end(task)).join();
        drop(ended);
    };
    let run: fn(Task) = |task| pollster::block_on(task);
    for (number, end) in [(panics, run), (fails, run), (0, drop as fn(Task))] {
        let asked = client.request_async(&Double { number }, WITHIN);
        end_one(end);
        assert_ignored(pollster::block_on(asked), Reason::HandlerFailed);
    }
    let asked = client.request_async(&Double { number: 3 }, WITHIN);
    end_one(run);
    assert_eq!(pollster::block_on(asked).expect("it goes on").number, 6);
    drop(primary);
}

#[test]
fn tasks_are_bounded_and_say_so() {
    let group = InProcess::new();
    let (keep, kept) = channel::<Task>();
    let primary = Primary::builder("p")
        .in_process(&group)
        .core(|core| core.tasks_under_way(2))
        .spawn_with(move |task| keep.send(task))
        .serve_async(|request: Double, _| async move { double(&request) })
        .on_async(|_: Note, _| async {})
        .start()
        .expect("the place is free");
    let client = client(&group);
    let asked = [1, 2].map(|number| client.request_async(&Double { number }, WITHIN));
    let [first, second] = [(); 2].map(|()| kept.recv_timeout(WITHIN).expect("it was spawned"));
    assert_ignored(client.request(&Double { number: 3 }, WITHIN), Reason::Overloaded);
    client.send(&Note).expect("there is room");
    assert!(eventually(|| primary.statistics().rejected_for(Rejection::BacklogFull) == 2));
    pollster::block_on(first);
    client.send(&Note).expect("there is room");
    pollster::block_on(kept.recv_timeout(WITHIN).expect("one has ended"));
    pollster::block_on(second);
    asked.into_iter().for_each(|asked| assert!(pollster::block_on(asked).is_ok()));
}

#[test]
fn without_a_spawner_there_are_no_tasks_and_the_error_says_what_to_do() {
    let builder = Primary::builder("p").in_process(&InProcess::new()).on_async(|_: Note, _| async {});
    let error = builder.start().expect_err("nothing runs them");
    assert_eq!(
        error.to_string(),
        "\"note\" is handled by tasks, and nothing runs them: say with `spawn_with` what does"
    );
    let primary = Primary::builder("p").in_process(&InProcess::new()).start().expect("it starts");
    let refused = primary.actions().serve_async(|request: Double, _| async move { double(&request) });
    assert!(matches!(refused, Err(RegisterError::NoSpawner { .. })));
}

#[test]
fn a_pool_runs_as_many_handlers_at_once_as_it_has_threads_and_holds_up_no_others() {
    let group = InProcess::new();
    let pool = HandlerPool::with_queue(3, 2);
    let (began, begin) = channel();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let primary = Primary::builder("p")
        .in_process(&group)
        .serve_on(&pool, move |request: Double, _: &Peer| {
            began.send(request.number).expect("the test waits");
            let _ = released.lock().expect("no panic").recv();
            double(&request)
        })
        .serve(|_: Other, _: &Peer| ())
        .start()
        .expect("the place is free");
    let client = client(&group);
    let ask = |number| client.request_async(&Double { number }, WITHIN);
    let running: Vec<_> = (0..3).map(ask).collect();
    let mut begun: Vec<u32> = (0..3).map(|_| begin.recv_timeout(WITHIN).expect("it has a thread")).collect();
    begun.sort_unstable();
    assert_eq!(begun, [0, 1, 2]);
    let waiting: Vec<_> = (3..5).map(ask).collect();
    assert!(eventually(|| primary.statistics().requests_received == 5));
    assert_ignored(client.request(&Double { number: 5 }, WITHIN), Reason::Overloaded);
    client.request(&Other, WITHIN).expect("it has no part in it");
    (0..5).for_each(|_| release.send(()).expect("they wait"));
    for (number, asked) in (0..).zip(running.into_iter().chain(waiting)) {
        assert_eq!(pollster::block_on(asked).expect("it is answered").number, number * 2);
    }
}

#[test]
fn stopping_waits_for_what_runs_in_a_pool_and_declines_what_waits_there() {
    let group = InProcess::new();
    let pool = HandlerPool::new(1);
    let (began, begin) = channel();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let primary = Primary::builder("p")
        .in_process(&group)
        .serve_on(&pool, move |request: Double, _: &Peer| {
            began.send(()).expect("the test waits");
            let _ = released.lock().expect("no panic").recv();
            double(&request)
        })
        .start()
        .expect("the place is free");
    // Another role's requests stay where they are.
    let secondary = Secondary::builder("p").in_process(&group).serve_on(&pool, |_: Other, _: &Peer| ());
    let secondary = secondary.start().expect("it joins");
    let member = primary.members().expect("a directory").remove(0);
    let client = client(&group);
    let running = client.request_async(&Double { number: 1 }, WITHIN);
    begin.recv_timeout(WITHIN).expect("it has a thread");
    let waiting = client.request_async(&Double { number: 2 }, WITHIN);
    let others = client.to(&member).request_async(&Other, WITHIN);
    assert!(eventually(|| primary.statistics().requests_received == 2));
    assert!(eventually(|| secondary.statistics().requests_received == 1));
    assert!(!primary.stop(Duration::from_millis(30)), "one runs");
    assert_ignored(pollster::block_on(waiting), Reason::Stopping);
    release.send(()).expect("it waits");
    assert!(primary.stop(WITHIN), "it has ended");
    assert_eq!(pollster::block_on(running).expect("it was answered").number, 2);
    pollster::block_on(others).expect("that role runs on");
}

#[test]
fn a_handler_in_a_pool_that_panics_or_stops_its_role_does_no_harm() {
    let group = InProcess::new();
    let pool = HandlerPool::new(2);
    let own = Arc::new(Mutex::new(None::<Primary>));
    let role = Arc::clone(&own);
    let primary = Primary::builder("p")
        .in_process(&group)
        .serve_on(&pool, |request: Double, _: &Peer| {
            if request.number == 0 {
                std::panic::resume_unwind(Box::new("as it was asked to"));
            }
            double(&request)
        })
        .serve_on(&pool, move |_: Other, _: &Peer| {
            let stopped = role.lock().expect("no panic").as_ref().map(|primary| primary.stop(WITHIN));
            assert_eq!(stopped, Some(true), "it does not wait for itself");
        })
        .start()
        .expect("the place is free");
    let client = client(&group);
    assert_ignored(client.request(&Double { number: 0 }, WITHIN), Reason::HandlerFailed);
    assert_eq!(client.request(&Double { number: 4 }, WITHIN).expect("it goes on").number, 8);
    // The other thread may answer before the first has caught the panic whose unwinding told its requester.
    assert!(eventually(|| primary.statistics().handler_panics == 1));
    *own.lock().expect("no panic") = Some(primary);
    client.request(&Other, WITHIN).expect("it is answered");
}

#[test]
fn what_has_waited_for_a_pool_and_is_wanted_no_more_is_not_handled() {
    let group = InProcess::new();
    let pool = HandlerPool::new(1);
    let (began, begin) = channel();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let primary = Primary::builder("p")
        .in_process(&group)
        .serve_on(&pool, move |request: Double, _: &Peer| {
            began.send(request.number).expect("the test waits");
            let _ = released.lock().expect("no panic").recv();
            double(&request)
        })
        .start()
        .expect("the place is free");
    let client = client(&group);
    let running = client.request_async(&Double { number: 1 }, WITHIN);
    assert_eq!(begin.recv_timeout(WITHIN), Ok(1));
    let late = client.request(&Double { number: 2 }, Duration::from_millis(50));
    assert!(matches!(late, Err(RequestError::TimedOut { .. })));
    let wanted = client.request_async(&Double { number: 3 }, WITHIN);
    (0..2).for_each(|_| release.send(()).expect("it waits"));
    assert_eq!(begin.recv_timeout(WITHIN), Ok(3));
    pollster::block_on(running).expect("it is answered");
    pollster::block_on(wanted).expect("it is answered");
    assert_eq!(primary.statistics().requests_given_up, 1);
}

#[test]
fn a_request_that_keeps_its_own_answerer_from_running_ends_at_its_deadline() {
    let group = InProcess::new();
    let (keep, kept) = channel::<Task>();
    let _primary = Primary::builder("p")
        .in_process(&group)
        .spawn_with(move |task| keep.send(task))
        .serve_async(|request: Double, _| async move { double(&request) })
        .start()
        .expect("the place is free");
    let client = client(&group);
    // As in a runtime of one thread, which is this one: nobody runs the task meanwhile.
    let blocked = client.request(&Double { number: 1 }, Duration::from_millis(50));
    assert!(matches!(blocked, Err(RequestError::TimedOut { .. })));
    pollster::block_on(kept.recv_timeout(WITHIN).expect("it was spawned"));
    let asked = client.request_async(&Double { number: 2 }, WITHIN);
    pollster::block_on(kept.recv_timeout(WITHIN).expect("it was spawned"));
    assert_eq!(pollster::block_on(asked).expect("its thread is free to answer").number, 4);
}
