//! An answer that comes later than the handler's end, from another thread, and not in the order of the requests.
//!
//! The handler keeps the responder and returns; whoever has it answers, when it can. Meanwhile the handler is free for
//! the next request, and the requesters wait no longer than they said.
//!
//! ```text
//! cargo run -p examples --bin deferred
//! ```

use std::{
    error::Error,
    os::unix::fs::PermissionsExt,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use mp_typed::{Client, Peer, Primary, Request, Responder, Response};

/// Leases an address of a pool.
#[derive(Request)]
#[message(name = "lease", response = Leased)]
struct Lease {
    host: u8,
}

#[derive(Response)]
struct Leased {
    address: [u8; 4],
}

const HOSTS: u8 = 3;

/// Waits until all have asked, and then serves the last first.
fn lease(asked: &Receiver<(Lease, Responder<Leased>)>) {
    let mut waiting: Vec<_> = asked.iter().take(HOSTS.into()).collect();
    while let Some((lease, responder)) = waiting.pop() {
        if lease.host == 2 {
            // Dropped, it would say the same without the reason.
            responder.ignore("host 2 is not to be served");
        } else if let Err(error) = responder.reply(&Leased { address: [192, 0, 2, lease.host] }) {
            println!("host {} has gone: {error}", lease.host);
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
    let (keep, asked) = channel();
    let _primary = Primary::builder("leases")
        .runtime_dir(dir.path())
        .serve_later(move |lease: Lease, _: &Peer, responder: Responder<Leased>| {
            // If nobody takes it, it is dropped, which is an answer, too.
            let _ = keep.send((lease, responder));
        })
        .start()?;
    let server = thread::spawn(move || lease(&asked));

    let client = Client::builder("leases").runtime_dir(dir.path()).start()?;
    let answers = thread::scope(|scope| {
        let ask = |host| {
            let client = &client;
            scope.spawn(move || client.request(&Lease { host }, Duration::from_secs(5)))
        };
        let asking: Vec<_> = (1..=HOSTS).map(ask).collect();
        asking.into_iter().map(|asking| asking.join().expect("it does not panic")).collect::<Vec<_>>()
    });
    for (host, answer) in (1..).zip(answers) {
        match answer {
            Ok(Leased { address: [a, b, c, d] }) => println!("host {host}: {a}.{b}.{c}.{d}"),
            Err(error) => println!("host {host}: {error}"),
        }
    }
    server.join().expect("it does not panic");
    Ok(())
}
