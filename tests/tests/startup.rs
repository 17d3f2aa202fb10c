//! What comes while a member is starting.

use std::{path::Path, thread};

use tests::{Lie, Process, RawSocket, eventually, group};

/// Asks from the first moment at which somebody is bound at `to`.
fn ask_at_once(asker: &RawSocket, to: &Path, request: &Lie) -> (i32, String, Vec<u8>) {
    let bytes = request.bytes();
    assert!(eventually(|| {
        // As often as can be: the moment is short.
        (0..1000).any(|_| asker.try_send(to, &bytes).is_ok())
    }));
    asker.receive()
}

#[test]
fn the_first_request_there_can_be_finds_the_actions_in_place() {
    let group = group!();
    let (asker, to) = (RawSocket::bound(&group.join("asker")), group.join("mp_socket"));
    for _ in 0..15 {
        let mut primary = Process::spawn(group.command("primary", &[]));
        let answer = ask_at_once(&asker, &to, &Lie::request("echo", b"first"));
        assert_eq!(answer, (2, "echo".into(), b"first".to_vec()));
        assert_eq!(primary.wait_start(), Ok(()));
        assert!(primary.finish());
    }
}

#[test]
fn a_handler_that_runs_before_the_start_is_over_can_ask() {
    let group = group!();
    let (asker, to) = (RawSocket::bound(&group.join("asker")), group.join("mp_socket"));
    for _ in 0..15 {
        let mut primary = Process::spawn(group.command("primary", &[]));
        let (kind, _, answer) = ask_at_once(&asker, &to, &Lie::request("route", b"1 end"));
        // There is nobody to ask, of which it can tell only with its handle.
        assert_eq!((kind, String::from_utf8_lossy(&answer)), (2, format!("{} Gone", primary.pid()).into()));
        assert_eq!(primary.wait_start(), Ok(()));
        assert!(primary.finish());
    }
}

#[test]
fn what_comes_while_a_member_leaves_is_answered_or_not_accepted() {
    let group = group!();
    let to = group.join("mp_socket");
    for _ in 0..15 {
        let primary = group.primary();
        thread::scope(|scope| {
            for i in 0..3 {
                let (group, to) = (&group, &to);
                scope.spawn(move || {
                    let path = group.join(&format!("asker_{i}"));
                    let asker = RawSocket::bound(&path);
                    let request = Lie::request("echo", b"last").bytes();
                    while asker.try_send(to, &request).is_ok() {
                        let (kind, _, _) = asker.receive();
                        assert!(kind == 2 || kind == 3, "a reply, or ignore");
                    }
                    std::fs::remove_file(path).expect("it is there");
                });
            }
            assert!(primary.finish());
        });
    }
}
