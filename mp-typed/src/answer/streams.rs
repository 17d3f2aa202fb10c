//! What comes, to be read instead of handled: the core's, of values.

use mp_core::{Incoming, Peer};

use super::Responder;
use crate::message::Request;

/// The messages of one type, each with its sender: a stream for tasks, an iterator that blocks for
/// threads. See [`Incoming`].
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use mp_typed::{Message, Primary, Secondary};
///
/// #[derive(Message)]
/// #[message(name = "link_state")]
/// struct LinkState { port: u16, up: bool }
///
/// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
/// let secondary = Secondary::builder("example").runtime_dir(dir.path()).start()?;
/// let states = secondary.messages::<LinkState>(16)?;
/// primary.send(&LinkState { port: 7, up: true })?;
/// for (state, peer) in states {
///     assert_eq!((state.port, state.up, peer.pid()), (7, true, std::process::id()));
///     break;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Messages<M> = Incoming<(M, Peer)>;

/// The requests of one type, each with its sender and with what answers it: a stream for tasks, an
/// iterator that blocks for threads. See [`Incoming`].
///
/// # Examples
///
/// Each is answered by a task of its own:
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::time::Duration;
/// use mp_typed::{Client, Primary, Request, Response};
///
/// #[derive(Request)]
/// #[message(name = "double", response = Doubled)]
/// struct Double(u32);
///
/// #[derive(Response)]
/// struct Doubled(u64);
///
/// # fn spawn(task: impl Future<Output = ()> + Send + 'static) { std::thread::spawn(|| pollster::block_on(task)); }
/// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
/// let mut requests = primary.requests::<Double>(64)?;
/// spawn(async move {
///     while let Some((double, _peer, responder)) = requests.next().await {
///         spawn(async move { _ = responder.reply(&Doubled(u64::from(double.0) * 2)); });
///     }
/// });
///
/// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
/// let doubled = pollster::block_on(client.request_async(&Double(21), Duration::from_secs(1)))?;
/// assert_eq!(doubled.0, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Requests<Q> = Incoming<(Q, Peer, Responder<<Q as Request>::Response>)>;
