//! Requests as futures, in a program that runs on tokio: many at once, and one that is given up.
//!
//! The futures belong to no runtime; here tokio drives them, and its timers can end them. Dropping one cancels it.
//!
//! ```text
//! cargo run -p examples --example with_tokio
//! ```

use std::{error::Error, os::unix::fs::PermissionsExt, time::Duration};

use mp_typed::{Client, Peer, Primary, Request, Responder, Response};
use tokio::{task::JoinSet, time::timeout};

#[derive(Request)]
#[message(name = "square", response = Square)]
struct SquareOf {
    number: u32,
}

#[derive(Response)]
struct Square {
    number: u64,
}

/// Is never answered.
#[derive(Request)]
#[message(name = "silence", response = ())]
struct Silence;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
    let (keep, _kept) = std::sync::mpsc::channel();
    let _primary = Primary::builder("packet-app")
        .runtime_dir(dir.path())
        .serve(|of: SquareOf, _: &Peer| Square { number: u64::from(of.number).pow(2) })
        .serve_later(move |_: Silence, _: &Peer, responder: Responder<()>| drop(keep.send(responder)))
        .start()?;

    let client = Client::builder("packet-app").runtime_dir(dir.path()).start()?;
    let mut asking = JoinSet::new();
    for number in 1..=100 {
        let client = client.clone();
        asking.spawn(async move { client.request_async(&SquareOf { number }, Duration::from_secs(5)).await });
    }
    let mut sum = 0;
    while let Some(answer) = asking.join_next().await {
        sum += answer??.number;
    }
    println!("100 requests under way at once; the sum of the squares is {sum}");

    // It could wait for a minute; tokio's timer gives it up.
    let silence = client.request_async(&Silence, Duration::from_secs(60));
    let given_up = timeout(Duration::from_millis(50), silence).await;
    println!("given up: {}", given_up.is_err());
    Ok(())
}
