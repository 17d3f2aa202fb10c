//! Every datagram that leaves a Rust process, recorded by the kernel's word for it: `strace`.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Command,
    sync::{Mutex, PoisonError},
};

use tempfile::TempDir;

/// How many datagrams of each length have left all recorded processes that ended.
static TALLY: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

/// The recording of what one process sends.
#[derive(Debug)]
pub struct Recording {
    directory: TempDir,
    /// The one length that is right in the process's group.
    length: usize,
}

impl Recording {
    /// A recording that allows datagrams of `length` only.
    pub(super) fn of_length(length: usize) -> Self {
        Self {
            directory: TempDir::with_prefix("mp-record").expect("a temporary directory can be made"),
            length,
        }
    }

    /// A command that runs `program` and records what it sends; arguments may follow.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("strace");
        // A file a thread, so that no call is torn in two lines; only calls that send are stopped at.
        command.args(["-ff", "--seccomp-bpf", "-qq", "-y", "-s", "0", "-e", "signal=none"]);
        command.args(["-e", "trace=sendmsg,sendto,sendmmsg,write,writev,sendfile,splice"]);
        command.arg("-o").arg(self.directory.path().join("thread")).arg(program);
        command
    }

    /// The same, but so that the command's process is the program's own, to be sent signals.
    pub(super) fn command_of_its_own(&self, program: &Path) -> Command {
        let recorder = self.command(program);
        let mut command = Command::new(recorder.get_program());
        command.arg("-D").args(recorder.get_args());
        command
    }

    /// Checks what was recorded, once the process has ended; tells how many datagrams it sent.
    ///
    /// # Panics
    /// If a datagram of another length left it.
    pub fn check(&self) -> usize {
        let mut lengths = BTreeMap::new();
        for file in fs::read_dir(self.directory.path()).expect("the recording is there").flatten() {
            let lines = fs::read(file.path()).expect("the recording can be read");
            for length in String::from_utf8_lossy(&lines).lines().filter_map(datagram_length) {
                *lengths.entry(length).or_insert(0) += 1;
            }
        }
        let mut tally = TALLY.lock().unwrap_or_else(PoisonError::into_inner);
        for (length, count) in &lengths {
            *tally.entry(*length).or_insert(0) += count;
        }
        let count = lengths.values().sum();
        let strays: Vec<_> = lengths.into_keys().filter(|length| *length != self.length).collect();
        assert!(
            strays.is_empty(),
            "datagrams of {strays:?} bytes left a Rust process, where {} are the rule",
            self.length
        );
        count
    }
}

/// How many datagrams of each length have left the Rust processes of this run that have ended.
#[must_use]
pub fn datagrams_sent() -> BTreeMap<usize, usize> {
    TALLY.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The length of the datagram that a line of `strace -y` tells of, if it does and the call succeeded.
fn datagram_length(line: &str) -> Option<usize> {
    let (call, arguments) = line.split_once('(')?;
    let to_socket = arguments.split_once('<').is_some_and(|(_, target)| target.starts_with("socket:"));
    let (_, result) = line.rsplit_once(" = ")?;
    match call {
        "sendmsg" | "sendto" => result.parse().ok(),
        "write" | "writev" if to_socket => result.parse().ok(),
        "sendmmsg" | "sendfile" | "splice" => panic!("a call whose datagrams are not counted yet: {line}"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::datagram_length;

    #[test]
    fn what_reaches_a_socket_counts() {
        for (line, length) in [
            ("sendto(3<socket:[11525]>, \"\"..., 332, 0, NULL, 0) = 332", Some(332)),
            (
                "sendmsg(3<socket:[11525]>, {msg_name=NULL, msg_iovlen=2}, MSG_DONTWAIT|MSG_NOSIGNAL) = 340",
                Some(340),
            ),
            ("write(3<socket:[11525]>, \"\"..., 2) = 2", Some(2)),
            ("write(1<pipe:[11520]>, \"\"..., 7) = 7", None),
            (
                "sendmsg(3<socket:[1]>, {msg_name=NULL}, MSG_DONTWAIT) = -1 EAGAIN (Resource temporarily unavailable)",
                None,
            ),
            ("sendmsg(3<socket:[1]>, {msg_name=NULL}, 0) = ?", None),
            ("+++ exited with 0 +++", None),
        ] {
            assert_eq!(datagram_length(line), length, "{line}");
        }
    }
}
