//! ipc-channel: a channel each way.

use std::{fs, path::Path, thread};

use ipc_channel::ipc::{self, IpcOneShotServer, IpcReceiver, IpcSender};

use super::{
    Answering, Asking, Payload,
    payload::{Words, time_each},
};

/// Where the answering side leaves the name that the first connection is made by.
const NAME_FILE: &str = "name";

/// What the asking side hands over at first: the other ends of its channels.
type Ends = (IpcReceiver<Words>, IpcSender<Words>);

pub(crate) struct Asker {
    requests: IpcSender<Words>,
    answers: IpcReceiver<Words>,
}

impl Asker {
    pub(crate) fn new(dir: &Path) -> Self {
        let name = fs::read_to_string(dir.join(NAME_FILE)).expect("the answering side has left its name");
        let (requests, theirs) = ipc::channel().expect("a channel");
        let (back, answers) = ipc::channel().expect("a channel");
        let first: IpcSender<Ends> = IpcSender::connect(name).expect("the answering side is there");
        first.send((theirs, back)).expect("the answering side is there");
        Self { requests, answers }
    }
}

impl Asking for Asker {
    fn ask(&mut self, _fds: usize, count: usize) -> Vec<u64> {
        time_each(count, |payload| {
            self.requests.send(payload.to_words()).expect("the answering side is there");
            let answer = Payload::from_words(self.answers.recv().expect("an answer"));
            payload.check(&answer.0, 0, 0);
        })
    }
}

/// Answers on a thread of its own, which ends with the process.
pub(crate) struct Answerer;

impl Answerer {
    pub(crate) fn new(dir: &Path) -> Self {
        let (server, name) = IpcOneShotServer::<Ends>::new().expect("a server");
        fs::write(dir.join(NAME_FILE), name).expect("the directory is writable");
        thread::spawn(move || {
            let (_first, (requests, answers)) = server.accept().expect("the asking side");
            while let Ok(words) = requests.recv() {
                if answers.send(words).is_err() {
                    return;
                }
            }
        });
        Self
    }
}

impl Answering for Answerer {}
