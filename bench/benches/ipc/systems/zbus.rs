//! zbus, peer to peer, without a bus between.

use std::{
    future,
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    thread,
};

use tokio::runtime::{Builder, Runtime};
use zbus::{Connection, Fd, Guid, OwnedFd, connection, interface};

use super::{
    Answering, Asking, Payload,
    payload::{Lent, time_each_async},
};

const SOCKET: &str = "socket";
const OBJECT: &str = "/bench";
const INTERFACE: &str = "bench.Echo";

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

pub(crate) struct Asker {
    runtime: Runtime,
    connection: Connection,
    lent: Lent,
}

impl Asker {
    pub(crate) fn new(dir: &Path) -> Self {
        let runtime = runtime();
        let stream = UnixStream::connect(dir.join(SOCKET)).expect("the answering side is there");
        let connection = runtime.block_on(connection::Builder::unix_stream(stream).p2p().build());
        Self { runtime, connection: connection.expect("a connection"), lent: Lent::new() }
    }

    async fn exchange(&self, fds: usize, payload: Payload) {
        let (to, bytes, lent) = (None::<&str>, payload.0.as_slice(), self.lent.all());
        if fds == 0 {
            let call = self.connection.call_method(to, OBJECT, Some(INTERFACE), "Echo", &bytes);
            let answer = call.await.expect("an answer");
            payload.check(answer.body().deserialize::<&[u8]>().expect("bytes"), 0, 0);
        } else {
            let lent: Vec<Fd<'_>> = lent[..fds].iter().map(Fd::from).collect();
            let body = (bytes, lent);
            let call = self.connection.call_method(to, OBJECT, Some(INTERFACE), "EchoFds", &body);
            let answer = call.await.expect("an answer");
            let body = answer.body();
            let (bytes, back): (&[u8], Vec<OwnedFd>) = body.deserialize().expect("bytes and descriptors");
            payload.check(bytes, fds, back.len());
        }
    }
}

impl Asking for Asker {
    fn ask(&mut self, fds: usize, count: usize) -> Vec<u64> {
        self.runtime.block_on(time_each_async(count, async |payload| self.exchange(fds, payload).await))
    }
}

struct Echo;

#[interface(name = "bench.Echo")]
impl Echo {
    fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    fn echo_fds(&self, bytes: Vec<u8>, fds: Vec<OwnedFd>) -> (Vec<u8>, Vec<OwnedFd>) {
        (bytes, fds)
    }
}

/// Answers on a thread of its own, which ends with the process.
pub(crate) struct Answerer;

impl Answerer {
    pub(crate) fn new(dir: &Path) -> Self {
        let listener = UnixListener::bind(dir.join(SOCKET)).expect("the path is free");
        thread::spawn(move || {
            let (stream, _) = listener.accept().expect("the asking side");
            runtime().block_on(async {
                let connection = connection::Builder::unix_stream(stream).server(Guid::generate()).p2p();
                let connection = connection.serve_at(OBJECT, Echo).build().await;
                let _connection = connection.expect("a connection");
                future::pending::<()>().await;
            });
        });
        Self
    }
}

impl Answering for Answerer {}
