//! The bridge's loop: on one thread it takes what comes from the server and from local processes,
//! lets the [`Side`] decide, and does what that says.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::{
        mpsc::{self, Receiver, UnboundedReceiver},
        oneshot,
    },
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use crate::{
    bridge::BridgeError,
    counters::Counters,
    local::{Arrived, Event, Host, Responders},
    nats::{Access, Came, Server},
    state::{BEAT, Output, Refusal, Side},
    subject::Subjects,
};

/// How many messages and requests of local processes may wait for the loop.
const ARRIVALS: usize = 4096;
/// When to try again what found no room in a local queue.
const RETRY: Duration = Duration::from_millis(2);
/// How many outputs are done before what has come is looked at again.
const AT_ONCE: usize = 64;

/// What goes from the threads of local processes to the loop.
#[derive(Debug)]
pub(crate) struct Channels {
    arrivals: Receiver<Arrived>,
    events: UnboundedReceiver<Event>,
}

/// What a bridge is connected to.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) access: Access,
    pub(crate) subjects: Subjects,
    pub(crate) channels: Channels,
    pub(crate) stop: oneshot::Receiver<()>,
}

pub(crate) fn channels() -> (mpsc::Sender<Arrived>, mpsc::UnboundedSender<Event>, Channels) {
    let (arrived, arrivals) = mpsc::channel(ARRIVALS);
    let (happened, events) = mpsc::unbounded_channel();
    (arrived, happened, Channels { arrivals, events })
}

/// Runs until `stop` says so, or it may not go on.
pub(crate) async fn run<H: Host>(
    mut side: H::Side,
    host: impl FnOnce() -> io::Result<H>,
    is_home: bool,
    counters: Arc<Counters>,
    Link { access, subjects, mut channels, mut stop }: Link,
) -> Result<(), BridgeError> {
    let mut was_told = false;
    let on_failure = |why: &str| {
        if !std::mem::replace(&mut was_told, true) {
            tracing::warn!("the NATS server is not there yet: {why}");
        }
    };
    let (server, mut connected) = tokio::select! {
        server = Server::connect(&access, subjects, is_home, on_failure) => server?,
        _ = &mut stop => return Ok(()),
    };
    tracing::info!("connected to the NATS server");
    let host = host().map_err(BridgeError::Io)?;
    side.connected(true, now());
    let responders = Responders::default();
    let mut this = Loop { side, host, server, responders, counters, is_connected: true, ended: None };
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let room = this.server.room();
    let (mut is_stuck, mut is_waiting) = (false, false);
    while this.ended.is_none() {
        tokio::select! {
            came = this.server.next() => this.came(came),
            Some(arrived) = channels.arrivals.recv() => this.arrived(arrived),
            Some(event) = channels.events.recv() => this.event(event),
            Some(is_connected) = connected.recv() => this.connected(is_connected),
            _ = beat.tick() => this.tick(),
            () = room.wait(), if is_stuck => {}
            () = sleep(RETRY), if is_waiting => {}
            _ = &mut stop => this.ended = Some(Ok(())),
        }
        is_stuck = this.pump();
        is_waiting = this.host.retry(now());
    }
    this.end().await
}

struct Loop<H: Host> {
    side: H::Side,
    host: H,
    server: Server,
    responders: Responders,
    counters: Arc<Counters>,
    is_connected: bool,
    ended: Option<Result<(), BridgeError>>,
}

impl<H: Host> Loop<H> {
    fn came(&mut self, came: Option<Came>) {
        match came {
            Some(Came::Frame(frame)) => self.side.frame(frame, now()),
            Some(Came::Nobody(bridge)) => self.side.nobody(bridge, now()),
            Some(Came::NoFrame) => self.counters.not_understood.add(),
            None => self.ended = Some(Err(BridgeError::Closed)),
        }
    }

    fn arrived(&mut self, mut arrived: Arrived) {
        let id = self.host.arrived(&mut self.side, &mut arrived, now());
        if let (Some(id), Some(responder)) = (id, arrived.responder) {
            self.responders.keep(id, responder);
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Answered { session, id, answer } => self.side.answered(session, id, answer),
            event => self.host.event(&mut self.side, event, now()),
        }
    }

    fn connected(&mut self, is_connected: bool) {
        if std::mem::replace(&mut self.is_connected, is_connected) != is_connected {
            let how = if is_connected { "is there again" } else { "is lost" };
            tracing::warn!("the connection to the NATS server {how}");
        }
        self.side.connected(is_connected, now());
    }

    fn tick(&mut self) {
        self.host.tick(&mut self.side, now());
        self.side.tick(now());
    }

    /// Does what is to be done, and sends what may be sent; whether some of that found no room.
    fn pump(&mut self) -> bool {
        for _ in 0..AT_ONCE {
            while let Some(output) = self.side.next_output() {
                self.perform(output);
            }
            if !self.server.has_room() {
                return true;
            }
            match self.side.next_frame() {
                Some((bridge, frame)) => self.server.send(crate::state::To::Bridge(bridge), frame),
                None => return false,
            }
        }
        true
    }

    fn perform(&mut self, output: Output) {
        match output {
            // It would be stale when the connection is there again.
            Output::Send { to, frame } if self.is_connected => self.server.send(to, frame),
            Output::Send { .. } => {}
            Output::Answer { id, answer } => self.responders.answer(id, answer),
            Output::Tell(text) => tracing::info!("{text}"),
            Output::Stop(refusal) => self.ended = Some(Err(refusal.into())),
            output => self.host.perform(output, now()),
        }
    }

    async fn end(mut self) -> Result<(), BridgeError> {
        self.side.end();
        while self.pump() && self.server.has_room() {}
        let Self { server, mut host, ended, responders, .. } = self;
        server.close().await;
        // Nothing else runs here any more that this could hold up.
        host.end();
        drop(responders);
        ended.unwrap_or(Ok(()))
    }
}

impl From<Refusal> for BridgeError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::HomeTaken { host } => Self::HomeTaken { host },
            Refusal::PrimaryHere { why } => Self::PrimaryHere { why },
        }
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}
