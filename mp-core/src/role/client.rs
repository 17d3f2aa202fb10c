//! The client: it asks, and does not join.

use std::ffi::OsString;

use crate::role::{
    Builder, StartError,
    asking::{Asking, NotRunning, Shared},
    builder::{Role, sealed},
};

/// Sends messages and requests to the primary of a group without joining it.
///
/// It binds nothing that a primary looks for, so no primary ever sends to it or
/// waits for it. It has no thread until its first asynchronous request. Cheap to
/// clone; clones share everything. Dropping the last one ends the asynchronous
/// requests under way with [`Stopped`](crate::RequestError::Stopped), and waits for a
/// callback that is running, but not longer than a second, and not inside it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use mp_core::{Client, Message, Name, RequestError};
///
/// let client = Client::builder("no-such-app").start()?;
/// let ping = Message::new(Name::new("ping")?);
/// let error = client.request(&ping, Duration::from_secs(1)).unwrap_err();
/// assert!(matches!(error, RequestError::NoPrimary { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client(Shared<Asking>);

impl Role for Client {}

impl sealed::Role for Client {
    type Asking = Asking;
}

impl Client {
    /// Sets up a client of the group with this `--file-prefix`.
    #[must_use]
    pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
        Builder::new(file_prefix.into())
    }

    pub(super) fn asking(&self) -> Result<&Asking, NotRunning> {
        self.0.get()
    }
}

impl Builder<Client> {
    /// Makes the client. There need not be a primary, nor a directory, yet.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the file-prefix or the directory's path cannot be used.
    pub fn start(self) -> Result<Client, StartError> {
        let group = self.setup.group()?;
        group.sweep_replies();
        self.handle.started(Asking::new(group, self.setup.policy(), &self.setup));
        Ok(Client(self.handle))
    }
}
