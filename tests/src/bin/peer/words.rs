//! Words of the protocol, in and out.

use std::{
    fmt::Write as _,
    io::{BufRead, Write as _},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use mp_core::{Message, Name, Rejection, Statistics};

/// An error's variant, and its text after it.
pub(crate) fn variant<E: std::error::Error>(error: &E) -> String {
    let variant = format!("{error:?}");
    let end = variant.find(|c: char| !c.is_alphanumeric()).unwrap_or(variant.len());
    format!("{}: {}", &variant[..end], text_of(error))
}

/// An error's text and those of its sources.
pub(crate) fn text_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}

/// `<counter>=<value> …`, and `<reason>=<value>` for each reason of rejection.
pub(crate) fn counters(statistics: &Statistics) -> String {
    let mut text = format!(
        "messages={} requests={} replies={} ignores={} sent_replies={} sent_ignores={} lost={} backlogged={} given_up={} panics={}",
        statistics.messages_received,
        statistics.requests_received,
        statistics.replies_received,
        statistics.ignores_received,
        statistics.replies_sent,
        statistics.ignores_sent,
        statistics.answers_lost,
        statistics.backlogged,
        statistics.requests_given_up,
        statistics.handler_panics,
    );
    for reason in Rejection::ALL {
        let _ = write!(text, " {reason:?}={}", statistics.rejected_for(*reason));
    }
    text
}
pub(crate) fn text(message: &Message) -> String {
    String::from_utf8_lossy(&message.param).into_owned()
}

pub(crate) fn name(name: &str) -> Name {
    Name::new(name).expect("a valid name")
}

pub(crate) fn number(word: &str) -> usize {
    word.parse().expect("a number")
}

pub(crate) fn millis(word: &str) -> Duration {
    Duration::from_millis(word.parse().expect("milliseconds"))
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic")
}

/// Writes a line in one piece.
pub(crate) fn tell(line: &str) {
    // Whoever started this may have gone.
    let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}

pub(crate) fn read_line() -> Option<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).ok()?;
    (read > 0).then_some(line)
}
