//! Requests answered by tasks of tokio, in two ways: a task for each, and a loop that reads them as a stream.
//!
//! `spawn_with` is the one line that tells what runs the tasks.
//!
//! ```text
//! cargo run -p examples --example serve_with_tokio
//! ```

use std::{error::Error, os::unix::fs::PermissionsExt, time::Duration};

use mp_typed::{Client, Primary, Request, Response};
use tokio::{runtime::Handle, task::JoinSet, time::sleep};

/// Is answered when so many milliseconds have passed.
#[derive(Request)]
#[message(name = "wait", response = Waited)]
struct Wait {
    ms: u64,
}

#[derive(Response)]
struct Waited {
    ms: u64,
}

/// Opens one more of what there are three.
#[derive(Request)]
#[message(name = "open", response = Opened)]
struct Open;

#[derive(Response)]
struct Opened {
    number: u32,
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
    let runtime = Handle::current();
    let primary = Primary::builder("packet-app")
        .runtime_dir(dir.path())
        .spawn_with(move |task| runtime.spawn(task))
        .serve_async(|wait: Wait, _peer| async move {
            sleep(Duration::from_millis(wait.ms)).await;
            Waited { ms: wait.ms }
        })
        .start()?;

    // One task reads these, in order, and may keep what it counts to itself.
    let mut opens = primary.requests::<Open>(64)?;
    let reading = tokio::spawn(async move {
        let mut opened = 0;
        while let Some((_open, peer, responder)) = opens.next().await {
            opened += 1;
            match opened {
                1..=3 => drop(responder.reply(&Opened { number: opened })),
                _ => responder.ignore(format!("process {} asks for too many", peer.pid())),
            }
        }
        println!("the stream has ended with the primary, after {opened} requests");
    });

    // In a runtime, ask with `request_async`: a `request` that blocks would keep its thread from the tasks that answer.
    let client = Client::builder("packet-app").runtime_dir(dir.path()).start()?;
    let mut waiting = JoinSet::new();
    for ms in (1..=10).map(|tenths| tenths * 10) {
        let client = client.clone();
        waiting.spawn(async move { client.request_async(&Wait { ms }, 10 * SECOND).await });
    }
    let mut sum = 0;
    while let Some(waited) = waiting.join_next().await {
        sum += waited??.ms;
    }
    println!("ten tasks have waited side by side, {sum} ms in all");

    for _ in 0..4 {
        match client.request_async(&Open, SECOND).await {
            Ok(opened) => println!("opened number {}", opened.number),
            Err(error) => {
                println!("refused: {}", error.to_string().replace(&std::process::id().to_string(), "here"))
            }
        }
    }
    drop(primary);
    reading.await?;
    Ok(())
}
