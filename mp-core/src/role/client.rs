//! The client: it asks, and does not join.

use crate::{
    ask::Asking,
    role::{Builder, StartError, builder::sealed, shared::Shared},
};

/// Sends messages and requests to the primary of a group without joining it.
///
/// It binds nothing that a primary looks for, so no primary ever sends to it or waits for it. It
/// has no thread until its first asynchronous request. Cheap to clone; clones share everything.
/// Dropping the last one ends the asynchronous requests under way with
/// [`Stopped`](crate::RequestError::Stopped), and waits for a callback that is running, but not
/// longer than a second, and not inside it.
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
pub struct Client(pub(super) Shared<Asking>);

impl sealed::Role for Client {
    type Asking = Asking;

    fn start(Builder { setup, handle }: Builder<Self>) -> Result<Self, StartError> {
        let ready = setup.group().map_err(StartError::from).and_then(|group| {
            setup.needs_primary.wait(&group)?;
            Ok(group)
        });
        let group = ready.inspect_err(|_| handle.start_failed())?;
        group.sweep_replies();
        handle.started(setup.asking(&group));
        Ok(Self(handle))
    }
}
