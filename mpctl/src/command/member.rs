//! `mpctl serve` and `mpctl listen`: members of the group that show what arrives.
//!
//! ```text
//! handlers ─ answer at once ─► bounded queue ─► printing thread ─► stdout
//! main thread: waits for the last line, or for Ctrl-C, and leaves the group
//! ```
//!
//! Requests are answered before they are printed, and handlers never wait for the output: whoever
//! pages through it must not hold up the group.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use mp_core::{Address, Builder, Joins, Message, Peer, Primary, Responder, Secondary, inspect::DpdkVersion};

use super::{Context, made::NewDirectories};
use crate::{
    cli::{ListenArgs, ServeArgs},
    failure::{Failure, chain},
    interrupt::{self, Awaited},
    output::Output,
    show::{Arrival, Kind, Ready},
};

/// How many arrivals wait for being printed before the next are dropped and counted.
const QUEUE: usize = 4096;

/// How long leaving waits for handlers, and for the output to take what is queued.
const LEAVE: Duration = Duration::from_secs(1);

pub(super) fn serve(context: &Context, args: &ServeArgs) -> Result<bool, Failure> {
    let (queue, arrivals) = Queue::new(context.version());
    let failed = |error| Failure::of_start(&error);
    if args.primary {
        // Dropped last, when the group is left.
        let _made = NewDirectories::of(&context.runtime_dir()?);
        let builder = serving(context.group.builder(Primary::builder), args, &queue);
        let primary = builder.start().map_err(failed)?;
        watch(context.output, primary.address(), None, queue, arrivals, || primary.stop(LEAVE))
    } else {
        context.check_group()?;
        let builder = serving(context.group.builder(Secondary::builder), args, &queue);
        let secondary = builder.start().map_err(failed)?;
        watch(context.output, secondary.address(), None, queue, arrivals, || secondary.stop(LEAVE))
    }
}

pub(super) fn listen(context: &Context, args: &ListenArgs) -> Result<bool, Failure> {
    context.check_group()?;
    let (queue, arrivals) = Queue::new(context.version());
    let (names, handled) = (args.names.clone(), queue.clone());
    let builder = context.group.builder(Secondary::builder).otherwise(move |arrival| {
        let (kind, message, peer, responder) = parts(arrival);
        // Unanswered, it tells the requester to ignore this process.
        drop(responder);
        if names.is_empty() || names.contains(&message.name) {
            handled.put(kind, &message, &peer);
        }
    });
    let secondary = builder.start().map_err(|error| Failure::of_start(&error))?;
    let count = args.count.map(u64::from);
    watch(context.output, secondary.address(), count, queue, arrivals, || secondary.stop(LEAVE))
}

/// With actions that answer requests with what came, and show everything.
fn serving<R: Joins>(builder: Builder<R>, args: &ServeArgs, queue: &Queue) -> Builder<R> {
    let builder = if args.allow_dpdk_actions { builder.allow_dpdk_actions() } else { builder };
    args.names.iter().fold(builder, |builder, name| {
        let queue = queue.clone();
        builder.action(*name, move |arrival| {
            let (kind, message, peer, responder) = parts(arrival);
            if let Some(responder) = responder {
                echo(&message, responder);
            }
            queue.put(kind, &message, &peer);
            Ok(())
        })
    })
}

fn echo(message: &Message, responder: Responder) {
    let fds: Vec<_> = message.fds.iter().collect();
    if let Err(error) = responder.reply(&message.param, &fds) {
        eprintln!("mpctl: a request \"{}\" was not answered: {}", message.name, chain(&error));
    }
}

fn parts(arrival: mp_core::Arrival<'_>) -> (Kind, Message, Peer, Option<Responder>) {
    match arrival {
        mp_core::Arrival::Message(mut message) => {
            (Kind::Message, message.take_message(), message.peer().clone(), None)
        }
        mp_core::Arrival::Request(mut request) => {
            let (message, peer) = (request.take_message(), request.peer().clone());
            (Kind::Request, message, peer, Some(request.defer()))
        }
    }
}

/// Says that the member is ready, and prints what arrives until it is enough or the user
/// interrupts.
fn watch(
    output: Output,
    address: &Address,
    count: Option<u64>,
    queue: Queue,
    arrivals: Receiver<Option<Arrival>>,
    leave: impl FnOnce() -> bool,
) -> Result<bool, Failure> {
    let (events, happened) = interrupt::channel()?;
    output.print(&Ready::at(address))?;
    thread::spawn(move || events.send(Awaited::Done(print(output, count, &arrivals))));
    let printed = match happened.recv() {
        Ok(Awaited::Done(result)) => Some(result),
        Ok(Awaited::Interrupted) | Err(_) => None,
    };
    leave();
    queue.end();
    // What is still queued is cut off only if nobody reads it.
    let printed = printed.or_else(|| match happened.recv_timeout(LEAVE) {
        Ok(Awaited::Done(result)) => Some(result),
        Ok(Awaited::Interrupted) | Err(_) => None,
    });
    if let missed @ 1.. = queue.missed.load(Relaxed) {
        eprintln!("mpctl: {missed} arrivals are not shown: the output was not read fast enough");
    }
    printed.unwrap_or(Ok(())).map(|()| true).map_err(Failure::from)
}

fn print(output: Output, count: Option<u64>, arrivals: &Receiver<Option<Arrival>>) -> io::Result<()> {
    let limit = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
    arrivals.iter().map_while(|item| item).take(limit).try_for_each(|arrival| output.print(&arrival))
}

/// What handlers leave to be printed.
#[derive(Debug, Clone)]
struct Queue {
    items: SyncSender<Option<Arrival>>,
    missed: Arc<AtomicU64>,
    /// Of the group's DPDK.
    version: Option<DpdkVersion>,
}

impl Queue {
    fn new(version: Option<DpdkVersion>) -> (Self, Receiver<Option<Arrival>>) {
        let (items, arrivals) = sync_channel(QUEUE);
        (Self { items, missed: Arc::default(), version }, arrivals)
    }

    /// Never waits.
    fn put(&self, kind: Kind, message: &Message, peer: &Peer) {
        let arrival = Arrival::of(kind, message, peer, self.version);
        if let Err(TrySendError::Full(_)) = self.items.try_send(Some(arrival)) {
            self.missed.fetch_add(1, Relaxed);
        }
    }

    /// Lets the printing end after what is queued. If the queue is full, nobody reads the output.
    fn end(&self) {
        let _ = self.items.try_send(None);
    }
}

impl Context {
    fn runtime_dir(&self) -> Result<PathBuf, Failure> {
        Ok(self.client()?.runtime_dir().map(Path::to_owned).unwrap_or_default())
    }

    /// A secondary would make the directory of a group that does not exist, and wait there alone.
    pub(super) fn check_group(&self) -> Result<(), Failure> {
        let dir = self.runtime_dir()?;
        if dir.is_dir() { Ok(()) } else { Err(Failure::no_group(&dir)) }
    }
}
