//! `mpctl ping`.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use mp_core::{Outcome, RequestError};

use super::{Context, made, peer::Peer, request::outcome};
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
    args.payload.check_values()?;
    let outgoing = Outgoing::without_files(args.name, &args.payload)?;
    let peer = context.peer(&args.to)?;
    let (results, happened) = interrupt::channel()?;
    // Dropped at the end, it tells the asking thread to end.
    let (keep_on, stop) = channel();
    let asking = thread::spawn({
        let (peer, args, timeout) = (peer.clone(), args.clone(), context.timeout);
        move || ask(&peer, &outgoing, &args, timeout, &results, &stop)
    });

    let mut pings = Pings::new(args.name);
    let end = collect(&happened, &peer, args.count.get(), &mut pings);
    drop(keep_on);
    match end {
        // It may be waiting for a reply still.
        Ok(End::Interrupted) => made::remove_reply_sockets(&peer.client),
        // The last who has the client removes its socket.
        Ok(End::Complete) | Err(_) => drop(asking.join()),
    }
    end?;
    if pings.lost() > 0
        && let Some(standstill) = context.standstill(&peer)
    {
        eprintln!("mpctl: {standstill}");
    }
    let all = pings.lost() == 0 && pings.sent() > 0;
    context.output.print(&pings)?;
    Ok(all)
}

/// Why no more round trips are made.
#[derive(Debug)]
enum End {
    Complete,
    Interrupted,
}

/// Adds up results until there are enough.
fn collect(
    happened: &Receiver<Awaited<Ping>>,
    peer: &Peer,
    count: u64,
    pings: &mut Pings,
) -> Result<End, Failure> {
    while pings.sent() < count {
        let (result, took) = match happened.recv() {
            Ok(Awaited::Done(ping)) => ping,
            Ok(Awaited::Interrupted) | Err(_) => return Ok(End::Interrupted),
        };
        match result {
            Ok(()) => pings.replied(took),
            Err(error) => pings.lose(loss(&error, peer, pings)?),
        }
    }
    Ok(End::Complete)
}

/// What became of a request without a reply; a failure if it cannot be made at all.
fn loss(error: &RequestError, peer: &Peer, pings: &Pings) -> Result<&'static str, Failure> {
    let outcome = match (outcome(error), error) {
        (Some(outcome), _) => outcome,
        // It was there when we began.
        (None, RequestError::NoPrimary { .. }) if pings.sent() > 0 => Outcome::Gone,
        (None, error) => return Err(Failure::of_request(error)),
    };
    let word = word(&outcome);
    if pings.lost() == 0 {
        eprintln!("mpctl: the first loss: {peer} {outcome}");
    }
    Ok(word)
}

/// Asks again and again, at fixed times where the answers allow it, until it is told to stop.
fn ask(
    peer: &Peer,
    outgoing: &Outgoing,
    args: &PingArgs,
    timeout: Duration,
    results: &Sender<Awaited<Ping>>,
    stop: &Receiver<()>,
) {
    let mut next = Instant::now();
    for _ in 0..args.count.get() {
        let asked = Instant::now();
        let result = peer.request(outgoing.message(), timeout);
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
