//! A primary without threads in a program on tokio: its descriptor is one of those that the runtime waits for.
//!
//! ```text
//! cargo run -p examples --example async_fd
//! ```

use std::{error::Error, os::unix::fs::PermissionsExt, thread, time::Duration};

use mp_typed::{Client, Peer, Primary, Request, Response};
use tokio::{
    io::{Interest, unix::AsyncFd},
    task::JoinSet,
};

#[derive(Request)]
#[message(name = "square", response = Square)]
struct SquareOf {
    number: u32,
}

#[derive(Response)]
struct Square {
    number: u64,
}

/// Has the primary handle what comes, for ever.
#[allow(deprecated, reason = "sound here, since the descriptor is borrowed; tokio's other way is unsafe")]
async fn handle(primary: &Primary) -> std::io::Result<()> {
    let readable = AsyncFd::with_interest(primary.poll_fd(), Interest::READABLE)?;
    loop {
        let mut guard = readable.readable().await?;
        // The runtime is told of changes only: it waits again when there is nothing left.
        if primary.dispatch()? == 0 {
            guard.clear_ready();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
    let runtime_thread = thread::current().id();
    let primary = Primary::builder("packet-app")
        .runtime_dir(dir.path())
        .without_threads()
        .serve(move |of: SquareOf, _: &Peer| {
            assert_eq!(thread::current().id(), runtime_thread, "it is handled by the runtime");
            Square { number: u64::from(of.number).pow(2) }
        })
        .start()?;

    let client = Client::builder("packet-app").runtime_dir(dir.path()).start()?;
    let mut asking = JoinSet::new();
    for number in 1..=100 {
        let client = client.clone();
        asking.spawn(async move { client.request_async(&SquareOf { number }, Duration::from_secs(5)).await });
    }
    let mut sum = 0;
    let answers = async {
        while let Some(answer) = asking.join_next().await {
            sum += answer??.number;
        }
        Ok::<(), Box<dyn Error>>(())
    };
    tokio::select! {
        answered = answers => answered?,
        ended = handle(&primary) => ended?,
    }
    println!("100 requests handled by the runtime; the sum of the squares is {sum}");
    Ok(())
}
