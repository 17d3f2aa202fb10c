//! Ctrl-C, and being told to terminate: the end comes orderly, and what was made is removed.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::mpsc::{self, Receiver, Sender},
    thread,
};

use crate::failure::Failure;

/// What a command waited for.
#[derive(Debug)]
pub(crate) enum Awaited<T> {
    /// Its work has a result, or the next one.
    Done(T),
    /// The user wants an end first.
    Interrupted,
}

/// Where results and the interrupt come from, and where results go.
type Events<T> = (Sender<Awaited<T>>, Receiver<Awaited<T>>);

/// From now on an interrupt does not end the process but arrives in the channel.
pub(crate) fn channel<T: Send + 'static>() -> Result<Events<T>, Failure> {
    let (events, happened) = mpsc::channel();
    let interrupted = events.clone();
    // Nobody listens any more once there is a result, nor is there a need to.
    ctrlc::set_handler(move || drop(interrupted.send(Awaited::Interrupted)))
        .map_err(|error| Failure::Failed(format!("cannot watch for signals: {error}")))?;
    Ok((events, happened))
}

/// Does `work` on a thread of its own, so that it can be left when the user interrupts it.
pub(crate) fn unless_interrupted<T, F>(work: F) -> Result<Awaited<T>, Failure>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let (events, happened) = channel()?;
    thread::spawn(move || {
        let result = panic::catch_unwind(AssertUnwindSafe(work));
        drop(events.send(Awaited::Done(result)));
    });
    match happened.recv() {
        Ok(Awaited::Done(Ok(result))) => Ok(Awaited::Done(result)),
        Ok(Awaited::Done(Err(panic))) => panic::resume_unwind(panic),
        // The handler of signals holds the channel as long as the process lives.
        Ok(Awaited::Interrupted) | Err(_) => Ok(Awaited::Interrupted),
    }
}
