//! A request to all that does not wait for the last: who answers in time is heard, and of the others it is told why not.
//!
//! ```text
//! cargo run -p examples --bin stragglers
//! ```

use std::{
    error::Error,
    os::unix::fs::PermissionsExt,
    sync::mpsc::{Sender, channel},
    time::Duration,
};

use mp_typed::{Outcome, Peer, Primary, Request, Responder, Response, Secondary};

#[derive(Request)]
#[message(name = "load", response = Load)]
struct HowBusy;

#[derive(Response)]
struct Load {
    worker: u8,
    percent: u8,
}

/// What a worker does when it is asked.
enum Worker {
    Answers {
        percent: u8,
    },
    /// It puts the question aside.
    IsBusy(Sender<Responder<Load>>),
    /// It has no action of that name.
    DoesNotKnow,
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
    let join = |number: u8, worker: Worker| {
        let builder = Secondary::builder("packet-app").runtime_dir(dir.path());
        match worker {
            Worker::Answers { percent } => {
                builder.serve(move |_: HowBusy, _: &Peer| Load { worker: number, percent })
            }
            Worker::IsBusy(later) => builder.serve_later(move |_: HowBusy, _: &Peer, responder| {
                // Unanswered as long as somebody has it.
                let _ = later.send(responder);
            }),
            Worker::DoesNotKnow => builder,
        }
        .start()
    };

    let primary = Primary::builder("packet-app").runtime_dir(dir.path()).start()?;
    let (later, _aside) = channel();
    let _workers = [
        join(1, Worker::Answers { percent: 20 })?,
        join(2, Worker::Answers { percent: 70 })?,
        join(3, Worker::IsBusy(later))?,
        join(4, Worker::DoesNotKnow)?,
    ];

    // All are asked at once: however many are slow, this takes 200 ms.
    let loads = primary.request(&HowBusy, Duration::from_millis(200))?;
    let mut heard: Vec<_> = loads.replies.iter().map(|reply| &reply.response).collect();
    heard.sort_by_key(|load| load.worker);
    heard.iter().for_each(|load| println!("worker {}: {} %", load.worker, load.percent));
    let mut others: Vec<_> =
        loads.outcomes.iter().filter(|(_, outcome)| *outcome != Outcome::Replied).collect();
    others.sort_by_key(|(_, outcome)| outcome.to_string());
    others.iter().for_each(|(_, outcome)| println!("another {outcome}"));
    println!("{} of {} that know the question answered in time", loads.received(), loads.sent());
    Ok(())
}
