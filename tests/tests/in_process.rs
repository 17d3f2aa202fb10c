//! The roles within one process, in a directory of their own: what a user's unit tests rely on.

use std::{
    fs::File,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::PermissionsExt,
    },
    sync::mpsc,
    time::Duration,
};

use mp_typed::{
    Change, Client, InProcess, Message, Outcome, Peer, Primary, RegisterError, Request, RequestError,
    Response, Secondary, StartError,
};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Request)]
#[message(name = "open", response = Opened)]
struct Open {
    which: u8,
}

#[derive(Debug, Response)]
struct Opened {
    #[fd]
    file: OwnedFd,
}

#[derive(Debug, Message)]
#[message(name = "note")]
struct Note {
    number: u32,
}

fn open(request: &Open) -> Result<Opened, String> {
    match request.which {
        0 => File::open("/dev/null").map(|file| Opened { file: file.into() }).map_err(|e| e.to_string()),
        n => Err(format!("there is no file {n}")),
    }
}

#[test]
fn requests_carry_descriptors_and_outcomes_are_told() {
    let group = InProcess::new();
    let primary = Primary::builder("any")
        .in_process(&group)
        .serve(|request: Open, _: &Peer| open(&request))
        .start()
        .unwrap();
    let client = Client::builder("any").in_process(&group).start().unwrap();

    let opened = client.request(&Open { which: 0 }, SECOND).unwrap();
    let path = std::fs::read_link(format!("/proc/self/fd/{}", opened.file.as_raw_fd())).unwrap();
    assert_eq!(path.to_str(), Some("/dev/null"));
    let refused = client.request(&Open { which: 1 }, SECOND).unwrap_err();
    assert!(matches!(refused, RequestError::Ignored { .. }));
    drop(primary);
    let gone = client.request(&Open { which: 0 }, SECOND).unwrap_err();
    assert!(matches!(gone, RequestError::NoPrimary { .. }), "{gone}");
}

#[test]
fn a_primary_reaches_every_secondary_in_order() {
    let group = InProcess::new();
    let primary = Primary::builder("any").in_process(&group).start().unwrap();
    let (seen, notes) = mpsc::channel();
    let secondaries: Vec<_> = (0..3)
        .map(|which| {
            let seen = seen.clone();
            Secondary::builder("any")
                .in_process(&group)
                .on(move |note: Note, _: &Peer| seen.send((which, note.number)).unwrap())
                .serve(|request: Open, _: &Peer| open(&request))
                .start()
                .unwrap()
        })
        .collect();
    for number in 0..100 {
        assert_eq!(primary.send(&Note { number }).unwrap().sent(), 3);
    }
    let mut next = [0; 3];
    for _ in 0..300 {
        let (which, number) = notes.recv_timeout(SECOND).unwrap();
        assert_eq!(number, next[which as usize]);
        next[which as usize] += 1;
    }
    let opened = primary.request(&Open { which: 0 }, SECOND).unwrap();
    assert_eq!((opened.sent(), opened.received()), (3, 3));
    drop(secondaries);
    assert!(primary.request(&Open { which: 0 }, SECOND).unwrap().outcomes.is_empty());
}

#[test]
fn who_is_silent_times_out_and_who_answers_is_kept() {
    let group = InProcess::new();
    let primary = Primary::builder("any").in_process(&group).start().unwrap();
    let (keep, kept) = mpsc::channel();
    let silent = Secondary::builder("any")
        .in_process(&group)
        .serve_later(move |_: Open, _: &Peer, responder| keep.send(responder).unwrap())
        .start()
        .unwrap();
    let prompt = Secondary::builder("any")
        .in_process(&group)
        .serve(|request: Open, _: &Peer| open(&request))
        .start()
        .unwrap();
    let replies = primary.request(&Open { which: 0 }, Duration::from_millis(50)).unwrap();
    assert_eq!((replies.sent(), replies.received()), (2, 1));
    assert!(replies.outcomes.iter().any(|(_, outcome)| *outcome == Outcome::TimedOut));
    drop((kept, silent, prompt));
}

#[test]
fn groups_do_not_meet_and_have_one_primary_each() {
    let (one, other) = (InProcess::new(), InProcess::new());
    let _primary = Primary::builder("any").in_process(&one).start().unwrap();
    assert!(matches!(Primary::builder("any").in_process(&one).start(), Err(StartError::Bind(_))));
    let _other = Primary::builder("any").in_process(&other).start().unwrap();
}

#[test]
fn a_primary_sees_who_joins_and_leaves() {
    let group = InProcess::new();
    let primary = Primary::builder("any").in_process(&group).start().unwrap();
    let mut watch = primary.watch().unwrap();
    let secondary = Secondary::builder("any").in_process(&group).start().unwrap();
    let here = secondary.core().address().clone();
    assert!(
        matches!(watch.next_within(SECOND).unwrap(), Some(Change::Joined(member)) if *member.address() == here)
    );
    drop(secondary);
    assert!(
        matches!(watch.next_within(SECOND).unwrap(), Some(Change::Left(member)) if *member.address() == here)
    );
    assert_eq!(watch.next_within(Duration::ZERO).unwrap(), None);
}

#[test]
fn two_actions_of_one_name_are_an_error_at_the_start() {
    let builder = || {
        Primary::builder("any")
            .in_process(&InProcess::new())
            .serve(|request: Open, _: &Peer| open(&request))
            .on(|_: Note, _: &Peer| ())
    };
    assert!(builder().start().is_ok());
    for twice in
        [builder().serve(|request: Open, _: &Peer| open(&request)), builder().on(|_: Note, _: &Peer| ())]
    {
        let error = twice.start().expect_err("a name is taken");
        assert!(matches!(error, StartError::Register(RegisterError::Taken { .. })), "{error:?}");
        assert!(error.to_string().ends_with("is registered already"), "{error}");
    }
}

#[test]
fn its_directory_is_private_and_goes_with_the_last_of_the_group() {
    let group = InProcess::new();
    let client = Client::builder("any").in_process(&group).start().unwrap();
    let dir = client.core().runtime_dir().unwrap().to_owned();
    assert!(!dir.exists(), "nobody has joined yet");
    let primary = Primary::builder("any").in_process(&group).start().unwrap();
    assert!(primary.core().address().path().starts_with(&dir) && primary.core().address().path().exists());
    assert_eq!(std::fs::metadata(&dir).unwrap().permissions().mode() & 0o7777, 0o700);
    drop((primary, group));
    std::fs::write(dir.join("left behind"), "").unwrap();
    assert!(dir.exists(), "the client may still ask");
    drop(client);
    assert!(!dir.exists());
}
