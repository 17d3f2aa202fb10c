//! What a process of the suite prints, read as it comes.

use std::{
    io::{BufRead, BufReader, Read},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

use super::answer::{Answer, Event, Line, Refused};

/// The lines of a process, sorted by kind as they come.
pub(super) struct Lines {
    pub(super) ready: Receiver<Answer>,
    pub(super) answers: Receiver<Result<Answer, Refused>>,
    pub(super) events: Receiver<Event>,
}

impl Lines {
    pub(super) fn of(stdout: impl Read + Send + 'static, title: &str) -> Self {
        let ((to_ready, ready), (to_answers, answers), (to_events, events)) =
            (mpsc::channel(), mpsc::channel(), mpsc::channel());
        let sort = move || {
            for line in BufReader::new(stdout).lines() {
                match line.as_deref().map(Line::parse) {
                    Ok(Line::Ready(answer)) => give(&to_ready, answer),
                    Ok(Line::Answer(answer)) => give(&to_answers, answer),
                    Ok(Line::Event(event)) => give(&to_events, event),
                    Err(_) => break,
                }
            }
        };
        thread::Builder::new().name(format!("lines of {title}")).spawn(sort).expect("a thread starts");
        Self { ready, answers, events }
    }
}

/// Sends what nobody may be waiting for any more.
pub(super) fn give<T>(to: &Sender<T>, line: T) {
    let _ = to.send(line);
}

/// Keeps what a process prints to stderr, for when it fails.
pub(super) fn collect(stderr: impl Read + Send + 'static, into: Arc<Mutex<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut printed = into.lock().expect("its readers do not panic");
            printed.push_str(&line);
            printed.push('\n');
        }
    })
}
