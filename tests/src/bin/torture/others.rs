//! The processes that nothing is done to: whatever becomes of the tortured one, they go on.

use std::{
    collections::BTreeSet,
    error::Error,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use mp_typed::{Client, Peer, Primary, Secondary};

use crate::scenario::{ComeAndGo, Double, Doubled, serve_others};

/// A primary and two secondaries, and a client that asks whether they are well.
pub(crate) struct Others {
    dir: PathBuf,
    primary: Primary,
    _secondaries: [Secondary; 2],
    client: Client,
    files: BTreeSet<OsString>,
}

impl Others {
    pub(crate) fn start(dir: &Path) -> Result<Self, Box<dyn Error>> {
        let secondary = || {
            let builder = Secondary::builder("torture").runtime_dir(dir);
            builder.serve(|double: Double, _: &Peer| Doubled(2 * double.0)).start()
        };
        let builder = Primary::builder("torture").runtime_dir(dir);
        let handle = builder.handle();
        let primary = serve_others(builder, handle, dir).start()?;
        let secondaries = [secondary()?, secondary()?];
        let client = Client::builder("torture").runtime_dir(dir).start()?;
        let mut others =
            Self { dir: dir.to_owned(), primary, _secondaries: secondaries, client, files: BTreeSet::new() };
        others.are_well()?;
        others.files = others.list()?;
        Ok(others)
    }

    /// Only those are there that were at first: who was killed has perhaps not let another go that it had called.
    pub(crate) fn alone(&self) -> Result<(), Box<dyn Error>> {
        Ok(self.client.request(&ComeAndGo { comes: false }, Duration::from_secs(2))?)
    }

    /// Whether each of them answers, and answers to another's question as well.
    pub(crate) fn are_well(&self) -> Result<(), Box<dyn Error>> {
        let second = Duration::from_secs(2);
        if self.client.request(&Double(21), second)?.0 != 42 {
            return Err("the primary's answer is wrong".into());
        }
        let replies = self.primary.request(&Double(21), second)?;
        let right = replies.replies.iter().filter(|reply| reply.response.0 == 42).count();
        if right < 2 {
            return Err(format!("{right} secondaries answered: {:?}", replies.outcomes).into());
        }
        Ok(())
    }

    /// The sockets of a process that has ended in order. A member that could not take the directory lock leaves a dead one,
    /// which whoever sends to all removes.
    pub(crate) fn left_by(&self, pid: u32) -> io::Result<Vec<OsString>> {
        let of_it = format!("_{pid}_");
        Ok(self.list()?.into_iter().filter(|name| name.to_string_lossy().contains(&of_it)).collect())
    }

    /// What is in the directory that was not there at first. A dead process's reply sockets go when somebody new asks, but
    /// not those of this very moment.
    pub(crate) fn left(&self) -> io::Result<Vec<OsString>> {
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            if let Ok(new) = Client::builder("torture").runtime_dir(&self.dir).start() {
                let _ = new.request(&Double(1), Duration::from_secs(1));
            }
            let left: Vec<_> = self.list()?.difference(&self.files).cloned().collect();
            // The client and the primary keep reply sockets of their own.
            let ours = format!("mp_reply_{}_", std::process::id());
            let left: Vec<_> =
                left.into_iter().filter(|name| !name.to_string_lossy().starts_with(&ours)).collect();
            if left.is_empty() || Instant::now() > until {
                return Ok(left);
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn list(&self) -> io::Result<BTreeSet<OsString>> {
        let names: io::Result<BTreeSet<_>> =
            fs::read_dir(&self.dir)?.map(|entry| Ok(entry?.file_name())).collect();
        // The tortured one's own group is a directory, in which nobody else is.
        Ok(names?.into_iter().filter(|name| name.to_string_lossy().starts_with("mp_")).collect())
    }
}
