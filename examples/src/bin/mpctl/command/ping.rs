//! `mpctl ping`.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use mp_core::{Client, Outcome, RequestError};

use super::{Context, made, request::outcome};
use crate::{
    cli::PingArgs,
    failure::Failure,
    input::Outgoing,
    interrupt::{self, Awaited},
    show::{Pings, word},
};

/// What became of one request, and how long that took.
type Ping = (Result<(), RequestError>, Duration);

pub(super) fn run(context: &Context, args: &PingArgs) -> Result<bool, Failure> {
    let outgoing = Outgoing::without_files(args.name, &args.payload)?;
    let client = context.client()?;
    let (results, happened) = interrupt::channel()?;
    // Dropped at the end, it tells the asking thread to end.
    let (keep_on, stop) = channel();
    thread::spawn({
        let (client, args, timeout) = (client.clone(), args.clone(), context.timeout);
        move || ask(&client, &outgoing, &args, timeout, &results, &stop)
    });

    let mut pings = Pings::new(args.name);
    while pings.sent() < args.count.get() {
        match happened.recv() {
            Ok(Awaited::Done((Ok(()), took))) => pings.replied(took),
            Ok(Awaited::Done((Err(error), _))) => {
                let outcome = match (outcome(&error), &error) {
                    (Some(outcome), _) => outcome,
                    // It was there when we began.
                    (None, RequestError::NoPrimary { .. }) if pings.sent() > 0 => Outcome::Gone,
                    (None, error) => return Err(Failure::of_request(error)),
                };
                if pings.lost() == 0 {
                    eprintln!("mpctl: the first loss: the primary {outcome}");
                }
                pings.lose(word(outcome));
            }
            Ok(Awaited::Interrupted) | Err(_) => {
                made::remove_reply_sockets(&client);
                break;
            }
        }
    }
    drop(keep_on);
    let all = pings.lost() == 0 && pings.sent() > 0;
    context.output.print(&pings)?;
    Ok(all)
}

/// Asks again and again, at fixed times where the answers allow it, until it is told to stop.
fn ask(
    client: &Client,
    outgoing: &Outgoing,
    args: &PingArgs,
    timeout: Duration,
    results: &Sender<Awaited<Ping>>,
    stop: &Receiver<()>,
) {
    let mut next = Instant::now();
    for _ in 0..args.count.get() {
        let asked = Instant::now();
        let result = client.request(outgoing.message(), timeout);
        let took = asked.elapsed();
        if results.send(Awaited::Done((result.map(drop), took))).is_err() {
            return;
        }
        next += args.interval;
        let wait = next.saturating_duration_since(Instant::now());
        if stop.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}
