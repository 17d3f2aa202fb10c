//! What a command has made in the file system, to be removed when it ends.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mp_core::Client;

use super::peer::Peer;
use crate::{
    failure::Failure,
    interrupt::{Awaited, unless_interrupted},
};

/// Does `work` with the peer, unless the user interrupts it; nothing is left behind then.
pub(super) fn cleaned_up<T, F>(peer: &Peer, work: F) -> Result<Awaited<T>, Failure>
where
    T: Send + 'static,
    F: FnOnce(&Peer) -> T + Send + 'static,
{
    let worker = peer.clone();
    let result = unless_interrupted(move || work(&worker))?;
    if let Awaited::Interrupted = result {
        remove_reply_sockets(&peer.client);
    }
    Ok(result)
}

/// Removes the sockets on which this process waits for replies.
///
/// A client removes them itself when a request ends; this is for requests that are left.
pub(super) fn remove_reply_sockets(client: &Client) {
    let Some(entries) = client.runtime_dir().and_then(|dir| fs::read_dir(dir).ok()) else { return };
    let ours = format!("mp_reply_{}_", std::process::id());
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&ours) {
            // If it is gone already, all the better.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The directories of a group that were not there before. Dropped, it removes those that are empty.
#[derive(Debug)]
pub(super) struct NewDirectories(Vec<PathBuf>);

impl NewDirectories {
    /// To be called before they are made.
    pub(super) fn of(runtime_dir: &Path) -> Self {
        let both = runtime_dir.ancestors().take(2);
        Self(both.filter(|dir| !dir.exists()).map(Path::to_owned).collect())
    }
}

impl Drop for NewDirectories {
    fn drop(&mut self) {
        for dir in &self.0 {
            // It stays if somebody else has moved in.
            let _ = fs::remove_dir(dir);
        }
    }
}
