//! The connection to the NATS server: frames out and in, and whether it is there.
//!
//! Frames leave through a bounded channel, in order. Every one names a subject of ours for the
//! answer, at which the server says at once if nobody is there (`503 No Responders`).

use std::{io, path::PathBuf, time::Duration};

use async_nats::{
    Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, Message, ServerAddr, StatusCode,
    Subscriber,
};
use futures_util::{StreamExt, stream::SelectAll};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver},
    task::JoinHandle,
    time::timeout,
};

use crate::{frame::Frame, state::To, subject::Subjects};

/// Between two attempts to connect.
const RECONNECT: Duration = Duration::from_millis(200);
/// After two of these without an answer a connection counts as lost.
const PING: Duration = Duration::from_secs(2);
/// How many frames are on their way to the server. What waits beyond, the state counts.
const ON_THEIR_WAY: usize = 256;
/// How long the last frames may take.
const LAST: Duration = Duration::from_secs(1);

/// Which server, and how to be let in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    pub(crate) servers: Vec<String>,
    pub(crate) credentials: Option<PathBuf>,
    pub(crate) nkey: Option<PathBuf>,
    pub(crate) roots: Option<PathBuf>,
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
    pub(crate) require_tls: bool,
}

/// Why there is no connection, and will be none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A file of credentials cannot be read, or is none.
    #[error("{path:?} cannot be used")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The server's address is none, or it refuses this bridge.
    #[error("the NATS server cannot be used: {why}")]
    Refused {
        /// What is said.
        why: String,
    },
}

/// What comes from the server.
#[derive(Debug)]
pub(crate) enum Came {
    Frame(Frame),
    NoFrame,
    /// That bridge is not there; 0 is the home.
    Nobody(u64),
}

#[derive(Debug)]
pub(crate) struct Server {
    client: Client,
    incoming: SelectAll<Subscriber>,
    outgoing: mpsc::Sender<(To, Frame)>,
    writer: JoinHandle<()>,
}

impl Server {
    /// Connects; tries again while nobody is at the address. Besides, tells from then on whether the
    /// connection is there, as it changes.
    pub(crate) async fn connect(
        access: &Access,
        subjects: Subjects,
        is_home: bool,
        mut on_failure: impl FnMut(&str),
    ) -> Result<(Self, UnboundedReceiver<bool>), ServerError> {
        let (changed, connected) = mpsc::unbounded_channel();
        let client = loop {
            match options(access, changed.clone())?.connect(access.servers.as_slice()).await {
                Ok(client) => break client,
                Err(error) if may_come(&error) => {
                    on_failure(&error.to_string());
                    tokio::time::sleep(RECONNECT).await;
                }
                Err(error) => return Err(ServerError::Refused { why: error.to_string() }),
            }
        };
        let mut incoming = SelectAll::new();
        let home = is_home.then(|| subjects.home());
        for subject in [subjects.own(), subjects.all_gone()].into_iter().chain(home) {
            let subscribed = client.subscribe(subject).await;
            incoming.push(subscribed.map_err(|error| ServerError::Refused { why: error.to_string() })?);
        }
        let (outgoing, frames) = mpsc::channel(ON_THEIR_WAY);
        let writer = tokio::spawn(write(client.clone(), subjects, frames));
        Ok((Self { client, incoming, outgoing, writer }, connected))
    }

    /// What comes next; `None` if nothing will any more.
    pub(crate) async fn next(&mut self) -> Option<Came> {
        let Message { subject, payload, status, .. } = self.incoming.next().await?;
        Some(match status {
            Some(StatusCode::NO_RESPONDERS) => {
                Subjects::who_is_gone(&subject).map_or(Came::NoFrame, Came::Nobody)
            }
            _ => Frame::decode(&payload).map_or(Came::NoFrame, Came::Frame),
        })
    }

    /// Whether one more frame finds room.
    pub(crate) fn has_room(&self) -> bool {
        self.outgoing.capacity() > 0
    }

    /// To wait for that.
    pub(crate) fn room(&self) -> Room {
        Room(self.outgoing.clone())
    }

    /// Sends a frame, or drops it if there is no room.
    pub(crate) fn send(&self, to: To, frame: Frame) {
        let _ = self.outgoing.try_send((to, frame));
    }

    /// Waits a little while for what has been sent.
    pub(crate) async fn close(self) {
        let Self { client, outgoing, writer, .. } = self;
        drop(outgoing);
        let last = async {
            let _ = writer.await;
            let _ = client.flush().await;
        };
        let _ = timeout(LAST, last).await;
    }
}

/// Waits until a frame finds room.
#[derive(Debug)]
pub(crate) struct Room(mpsc::Sender<(To, Frame)>);

impl Room {
    pub(crate) async fn wait(&self) {
        let _ = self.0.reserve().await;
    }
}

async fn write(client: Client, subjects: Subjects, mut frames: mpsc::Receiver<(To, Frame)>) {
    while let Some((to, frame)) = frames.recv().await {
        let (subject, other) = match to {
            To::Home => (subjects.home(), 0),
            To::Bridge(bridge) => (subjects.bridge(bridge), bridge),
        };
        let payload = frame.encode().into();
        if let Err(error) = client.publish_with_reply(subject, subjects.gone(other), payload).await {
            tracing::debug!(%error, "a frame was not sent");
        }
    }
}

/// Whether it may do to try again: not where the two do not want each other.
fn may_come(error: &ConnectError) -> bool {
    use ConnectErrorKind::{Dns, Io, MaxReconnects, TimedOut};
    // What TLS does not accept.
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    let is_invalid = cause.is_some_and(|cause| cause.kind() == io::ErrorKind::InvalidData);
    !is_invalid && matches!(error.kind(), Io | Dns | TimedOut | MaxReconnects)
}

/// The user and password, or the token, of a server's URL: the client leaves them there.
fn in_url(server: &str, options: ConnectOptions) -> Result<ConnectOptions, ServerError> {
    let address: ServerAddr = server
        .parse()
        .map_err(|error| ServerError::Refused { why: format!("its address is none: {error}") })?;
    Ok(match (address.username(), address.password()) {
        (Some(user), Some(password)) => options.user_and_password(user.into(), password.into()),
        (Some(token), None) => options.token(token.into()),
        _ => options,
    })
}

fn options(access: &Access, changed: mpsc::UnboundedSender<bool>) -> Result<ConnectOptions, ServerError> {
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path).map_err(|source| ServerError::File { path: path.clone(), source })
    };
    let mut options = ConnectOptions::new()
        .name("mp-bridge")
        .client_capacity(ON_THEIR_WAY)
        .ping_interval(PING)
        .connection_timeout(PING)
        .reconnect_delay_callback(|_| RECONNECT)
        .require_tls(access.require_tls)
        .event_callback(move |event| {
            match event {
                Event::Connected => drop(changed.send(true)),
                Event::Disconnected | Event::Closed => drop(changed.send(false)),
                other => tracing::warn!("the NATS server: {other}"),
            }
            async {}
        });
    for server in &access.servers {
        options = in_url(server, options)?;
    }
    if let Some(path) = &access.credentials {
        let credentials = options.credentials(&read(path)?);
        options = credentials.map_err(|source| ServerError::File { path: path.clone(), source })?;
    }
    if let Some(path) = &access.nkey {
        options = options.nkey(read(path)?.trim().to_owned());
    }
    if let Some(path) = &access.roots {
        options = options.add_root_certificates(path.clone());
    }
    if let Some((certificate, key)) = &access.certificate {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}
