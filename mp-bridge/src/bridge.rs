//! What a user holds: a bridge, its settings, and why it may not run.

use std::{
    ffi::{OsStr, OsString},
    hash::{BuildHasher, RandomState},
    io,
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use mp_core::Client;
use tokio::sync::oneshot;

use crate::{
    counters::{Counters, Statistics},
    local::{AwayHost, Gate, HomeHost, Place, PlaceError},
    names::{Names, Pattern},
    nats::{Access, ServerError},
    run,
    state::{Away, Home, Terms},
    subject::Subjects,
};

/// Sets up a [`Bridge`]. Every setting but the server has a default.
#[derive(Debug, Clone)]
pub struct Builder {
    is_home: bool,
    file_prefix: OsString,
    runtime_dir: Option<PathBuf>,
    host: Option<String>,
    access: Access,
    names: Names,
    grace: Duration,
    patience: Duration,
    queue: usize,
}

/// One host's end of a group that spans several. Dropping it ends it.
///
/// # Examples
///
/// ```no_run
/// use mp_bridge::Bridge;
///
/// let bridge = Bridge::home("packet-app").server("nats://10.0.0.1:4222").deny("debug.*").start()?;
/// bridge.wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Bridge {
    counters: Arc<Counters>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), BridgeError>>>,
}

/// Ends a bridge from elsewhere.
#[derive(Debug)]
pub struct Stop(oneshot::Sender<()>);

impl Stop {
    /// Ends it; [`Bridge::wait`] returns then.
    pub fn stop(self) {
        // It may be over already.
        let _ = self.0.send(());
    }
}

/// What a bridge has passed on, also when it has ended.
#[derive(Debug, Clone)]
pub struct Totals(Arc<Counters>);

impl Totals {
    /// So far.
    #[must_use]
    pub fn now(&self) -> Statistics {
        self.0.snapshot()
    }
}

impl Bridge {
    /// The bridge of the host with the group's primary.
    #[must_use]
    pub fn home(file_prefix: impl Into<OsString>) -> Builder {
        Builder::new(true, file_prefix.into())
    }

    /// That of any other host: it is the primary there.
    #[must_use]
    pub fn away(file_prefix: impl Into<OsString>) -> Builder {
        Builder::new(false, file_prefix.into())
    }

    /// What it has passed on so far, and what not.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.counters.snapshot()
    }

    /// The same for whoever outlives it.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals(Arc::clone(&self.counters))
    }

    /// What ends it; `None` if that has been taken before. Without it, dropping the bridge does.
    pub fn stopper(&mut self) -> Option<Stop> {
        self.stop.take().map(Stop)
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    ///
    /// [`BridgeError`] if it may not go on.
    pub fn wait(mut self) -> Result<(), BridgeError> {
        self.thread.take().map_or(Ok(()), joined)
    }

    /// Ends it: its members leave, and the other hosts are told.
    ///
    /// # Errors
    ///
    /// [`BridgeError`] if it had ended before, for that reason.
    pub fn stop(mut self) -> Result<(), BridgeError> {
        self.stop.take().map(Stop).into_iter().for_each(Stop::stop);
        self.thread.take().map_or(Ok(()), joined)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.stop.take().map(Stop).into_iter().for_each(Stop::stop);
        let _ = self.thread.take().map(joined);
    }
}

fn joined(thread: JoinHandle<Result<(), BridgeError>>) -> Result<(), BridgeError> {
    thread.join().unwrap_or(Err(BridgeError::Closed))
}

impl Builder {
    fn new(is_home: bool, file_prefix: OsString) -> Self {
        Self {
            is_home,
            file_prefix,
            runtime_dir: None,
            host: None,
            access: Access::default(),
            names: Names::default(),
            grace: Duration::from_secs(3),
            patience: Duration::from_secs(60),
            queue: 4096,
        }
    }

    /// Uses this runtime directory. Default: DPDK's, for the file-prefix.
    #[must_use]
    pub fn runtime_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.runtime_dir = Some(dir.into());
        self
    }

    /// A NATS server, as a URL: `nats://host:port`, `tls://host:port`, with a user and password or a
    /// token before an `@`. May be called again for the others of a cluster. Default:
    /// `nats://127.0.0.1:4222`.
    #[must_use]
    pub fn server(mut self, url: impl Into<String>) -> Self {
        self.access.servers.push(url.into());
        self
    }

    /// A file of credentials: a JWT and its key, as `nsc` writes it.
    #[must_use]
    pub fn credentials(mut self, file: impl Into<PathBuf>) -> Self {
        self.access.credentials = Some(file.into());
        self
    }

    /// A file with the seed of an NKey.
    #[must_use]
    pub fn nkey(mut self, file: impl Into<PathBuf>) -> Self {
        self.access.nkey = Some(file.into());
        self
    }

    /// A file of certificates, in PEM, besides the system's: whoever has the server's certificate
    /// signed.
    #[must_use]
    pub fn roots(mut self, file: impl Into<PathBuf>) -> Self {
        self.access.roots = Some(file.into());
        self
    }

    /// The bridge's own certificate and key, in PEM, for servers that ask for one.
    #[must_use]
    pub fn certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.access.certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Connects with TLS only. Default: if the URL or the server says so.
    #[must_use]
    pub fn require_tls(mut self) -> Self {
        self.access.require_tls = true;
        self
    }

    /// What the other hosts call this one in what they tell. Default: its host name.
    #[must_use]
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.host = Some(name.into());
        self
    }

    /// Lets names pass that are this, or with a `*` at its end begin so, in either direction. May
    /// be called again. Default: all names.
    #[must_use]
    pub fn allow(mut self, name: impl AsRef<str>) -> Self {
        self.names.allow.push(Pattern::new(name.as_ref()));
        self
    }

    /// Lets none of these pass, whatever is allowed. May be called again.
    #[must_use]
    pub fn deny(mut self, name: impl AsRef<str>) -> Self {
        self.names.deny.push(Pattern::new(name.as_ref()));
        self
    }

    /// How long another host may not be heard until it counts as gone. Default: 3 s. One whose
    /// bridge ends counts as gone at once.
    #[must_use]
    pub fn grace(mut self, time: Duration) -> Self {
        self.grace = time;
        self
    }

    /// How long the answer to a request may take, whatever its requester's deadline is, which the
    /// wire does not tell. Default: 60 s; it must be longer than any deadline.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// How many messages and requests may wait for one other host: over that, messages are dropped
    /// and requests answered *ignore*. Default: 4,096, of at most half a KiB.
    #[must_use]
    pub fn queue(mut self, frames: usize) -> Self {
        self.queue = frames;
        self
    }

    /// Starts it, on a thread of its own. It need not find a server, another host or a primary yet.
    ///
    /// # Errors
    ///
    /// [`PlaceError`] if the group cannot be used, or has a bridge on this host already.
    pub fn start(self) -> Result<Bridge, PlaceError> {
        let mut client = Client::builder(&self.file_prefix).requests_under_way(16_384);
        if let Some(dir) = &self.runtime_dir {
            client = client.runtime_dir(dir);
        }
        let place = Place::take(client.start()?)?;
        let counters = Arc::<Counters>::default();
        let (stop, stopped) = oneshot::channel();
        let (of_thread, path) = (Arc::clone(&counters), place.dir.clone());
        let thread = std::thread::Builder::new().name("mp_bridge".into());
        let thread = thread.spawn(move || self.run(place, of_thread, stopped));
        let thread = thread.map_err(|source| PlaceError::Io { path, source })?;
        Ok(Bridge { counters, stop: Some(stop), thread: Some(thread) })
    }

    fn run(
        mut self,
        place: Place,
        counters: Arc<Counters>,
        stop: oneshot::Receiver<()>,
    ) -> Result<(), BridgeError> {
        if self.access.servers.is_empty() {
            self.access.servers.push("nats://127.0.0.1:4222".into());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let me = random();
        let subjects = Subjects::new(self.file_prefix.as_bytes(), me);
        let terms = Terms {
            me,
            host: self.host.unwrap_or_else(host_name),
            names: self.names.clone(),
            grace: self.grace,
            patience: self.patience,
            queue: self.queue,
        };
        let (arrivals, events, channels) = run::channels();
        let gate = Gate { names: self.names, counters: Arc::clone(&counters), arrivals };
        let (patience, link) = (self.patience, run::Link { access: self.access, subjects, channels, stop });
        runtime.block_on(async {
            if self.is_home {
                let side = Home::new(terms, Arc::clone(&counters));
                run::run(side, || HomeHost::new(place, gate, events, patience), true, counters, link).await
            } else {
                let side = Away::new(terms, Arc::clone(&counters), random());
                run::run(side, || AwayHost::new(place, gate, events, patience), false, counters, link).await
            }
        })
    }
}

/// Why a bridge has ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// Another host has the group's primary, and its bridge was there before.
    #[error("{host} has the primary of this group already: run this bridge as `away`, without a primary")]
    HomeTaken {
        /// What the other host calls itself.
        host: String,
    },
    /// This host has a primary of its own, in whose place the bridge would be.
    #[error("this host has a primary of its own ({why}): stop it, or make this host the group's home")]
    PrimaryHere {
        /// Who it is.
        why: String,
    },
    /// The server cannot be used.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A thread could not be started.
    #[error("the system is short of something")]
    Io(#[from] io::Error),
    /// The connection was closed for good.
    #[error("the connection to the NATS server was closed for good")]
    Closed,
}

/// Not 0, and not to be guessed.
fn random() -> u64 {
    RandomState::new().hash_one(0) | 1
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    OsStr::new(name.trim()).to_string_lossy().into_owned()
}
