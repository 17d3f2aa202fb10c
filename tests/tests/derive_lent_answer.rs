//! A response that lends what it sends: who answers keeps its descriptors and text.

use std::fs::{File, Permissions};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::thread;

use mp_typed::{Client, Peer, Primary, Request, RequestError, Responder, Response};
use tests::WITHIN;

#[derive(Request, Debug)]
#[message(name = "file_open", response = Opened)]
struct Open(u8);

#[derive(Response, Debug)]
enum Opened {
    File {
        #[message(max_len = 8)]
        name: String,
        #[fd]
        #[message(max_len = 2)]
        files: Vec<OwnedFd>,
    },
    Nothing,
}

#[derive(Response, Debug)]
#[message(lends = Opened)]
#[allow(dead_code, reason = "both sides have all variants")]
enum LentOpened<'a> {
    File {
        #[message(max_len = 8)]
        name: &'a str,
        #[fd]
        #[message(max_len = 2)]
        files: Vec<BorrowedFd<'a>>,
    },
    Nothing,
}

fn primary(
    serve: impl FnOnce(mp_typed::Builder<Primary>) -> mp_typed::Builder<Primary>,
) -> (Primary, Client, tempfile::TempDir) {
    let dir =
        tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().expect("a directory");
    let primary = serve(Primary::builder("lent").runtime_dir(dir.path())).start().expect("its first one");
    let client = Client::builder("lent").runtime_dir(dir.path()).start().expect("its first one");
    (primary, client, dir)
}

/// Asks three times, and reads from what came.
fn assert_served(client: &Client) {
    for number in 0..3 {
        let Opened::File { name, files } = client.request(&Open(number), WITHIN).expect("an answer") else {
            panic!("it answers with a file")
        };
        assert_eq!((&*name, files.len()), ("zero", 2));
        for file in files {
            let mut byte = [1];
            File::from(file).read_exact(&mut byte).expect("a byte");
            assert_eq!(byte, [0]);
        }
    }
}

#[test]
fn a_responder_answers_with_what_it_lends() {
    let file = Arc::new(File::open("/dev/zero").unwrap());
    let (_primary, client, _dir) = primary(|builder| {
        builder.serve_later(move |_: Open, _: &Peer, responder: Responder<Opened>| {
            let file = Arc::clone(&file);
            thread::spawn(move || {
                let files = vec![file.as_fd(), file.as_fd()];
                responder.reply(&LentOpened::File { name: "zero", files }).unwrap();
            });
        })
    });
    assert_served(&client);
}

#[test]
fn a_handler_returns_what_lives_on() {
    let file: &'static File = Box::leak(Box::new(File::open("/dev/zero").unwrap()));
    let (_primary, client, _dir) = primary(|builder| {
        builder
            .serve(move |_: Open, _: &Peer| LentOpened::File { name: "zero", files: vec![file.as_fd(); 2] })
    });
    assert_served(&client);
}

#[test]
fn a_handler_may_fail_to_lend() {
    let (_primary, client, _dir) = primary(|builder| {
        builder.serve(|open: Open, _: &Peer| match open.0 {
            0 => Ok(LentOpened::Nothing),
            other => Err(format!("there is no file {other}")),
        })
    });
    assert!(matches!(client.request(&Open(0), WITHIN), Ok(Opened::Nothing)));
    let error: RequestError = client.request(&Open(1), WITHIN).unwrap_err();
    assert!(!error.to_string().is_empty());
}
