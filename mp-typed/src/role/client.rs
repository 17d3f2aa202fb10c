//! The client: it asks, and does not join.

use std::ffi::OsString;

use mp_core::StartError;

use super::{Builder, Role};

/// Sends messages and requests to the primary of a group without joining it.
///
/// No primary ever sends to it or waits for it. Cheap to clone.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::time::Duration;
/// use mp_typed::{Client, Peer, Primary, Request};
///
/// #[derive(Request)]
/// #[message(name = "ping", response = ())]
/// struct Ping;
///
/// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
/// let error = client.request(&Ping, Duration::from_secs(1)).unwrap_err();
/// assert!(error.to_string().starts_with("there is no primary in "));
///
/// let _primary = Primary::builder("example").runtime_dir(dir.path()).serve(|_: Ping, _: &Peer| ()).start()?;
/// pollster::block_on(async {
///     let first = client.request_async(&Ping, Duration::from_secs(1));
///     let second = client.request_async(&Ping, Duration::from_secs(1));
///     first.await.and(second.await)
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) core: mp_core::Client,
}

impl Role for Client {
    type Core = mp_core::Client;
}

impl Client {
    /// Sets up a client of the group with this `--file-prefix`.
    #[must_use]
    pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
        Builder::new(mp_core::Client::builder(file_prefix))
    }
}

impl Builder<Client> {
    /// Makes the client. There need not be a primary yet.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the file-prefix or the directory's path cannot be used.
    pub fn start(self) -> Result<Client, StartError> {
        Ok(Client { core: self.core.start()? })
    }
}
