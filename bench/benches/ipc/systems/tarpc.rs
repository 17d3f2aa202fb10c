//! tarpc on a Unix socket, with bincode.

use std::{path::Path, sync::mpsc, thread};

use futures::StreamExt;
use tarpc::{
    client, context, serde_transport,
    server::{BaseChannel, Channel},
    tokio_serde::formats::Bincode,
};
use tokio::runtime::{Builder, Runtime};

use super::{
    Answering, Asking, Payload,
    payload::{Words, time_each_async},
};

const SOCKET: &str = "socket";

#[tarpc::service]
trait Echo {
    /// The same back.
    async fn echo(words: Words) -> Words;
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

pub(crate) struct Asker {
    runtime: Runtime,
    client: EchoClient,
}

impl Asker {
    pub(crate) fn new(dir: &Path) -> Self {
        let runtime = runtime();
        let client = runtime.block_on(async {
            let connection = serde_transport::unix::connect(dir.join(SOCKET), Bincode::default);
            let connection = connection.await.expect("the answering side is there");
            EchoClient::new(client::Config::default(), connection).spawn()
        });
        Self { runtime, client }
    }
}

impl Asking for Asker {
    fn ask(&mut self, _fds: usize, count: usize) -> Vec<u64> {
        self.runtime.block_on(time_each_async(count, async |payload: Payload| {
            let answer = self.client.echo(context::current(), payload.to_words());
            payload.check(&Payload::from_words(answer.await.expect("an answer")).0, 0, 0);
        }))
    }
}

/// Answers on a thread of its own, which ends with the process.
pub(crate) struct Answerer;

#[derive(Clone)]
struct Server;

impl Echo for Server {
    async fn echo(self, _: context::Context, words: Words) -> Words {
        words
    }
}

impl Answerer {
    pub(crate) fn new(dir: &Path) -> Self {
        let path = dir.join(SOCKET);
        let (listening, listens) = mpsc::channel();
        thread::spawn(move || {
            runtime().block_on(async {
                let incoming = serde_transport::unix::listen(path, Bincode::default).await;
                let mut incoming = incoming.expect("the path is free");
                listening.send(()).expect("the other thread waits");
                let connection = incoming.next().await.expect("the asking side").expect("the asking side");
                let requests = BaseChannel::with_defaults(connection).execute(Server.serve());
                requests.for_each(|answer| async { drop(tokio::spawn(answer)) }).await;
            });
        });
        listens.recv().expect("it listens");
        Self
    }
}

impl Answering for Answerer {}
