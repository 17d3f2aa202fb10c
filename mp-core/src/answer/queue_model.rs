//! What is put aside to be read, in the interleavings there are: its file once more, with loom's
//! primitives for the standard ones. Loom also finds whoever waits for ever: a lost wake-up is a
//! failure.

#[allow(clippy::duplicate_mod, reason = "this copy is loom's")]
#[path = "queue.rs"]
mod queue;

use std::future::poll_fn;

use loom::{
    future::block_on,
    sync::Arc,
    thread::{self, JoinHandle},
};

use queue::{Next, Queue};
use sync::Deadline;

/// What that file shares with.
mod sync {
    use std::time::Duration;

    pub(super) use std::sync::PoisonError;

    pub(super) use loom::sync::{Condvar, Mutex, MutexGuard};

    /// Loom knows no time: one that never comes.
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Deadline;

    impl Deadline {
        pub(super) fn is_over(self) -> bool {
            false
        }

        pub(super) fn left(self) -> Duration {
            Duration::MAX
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Full,
    Closed,
}

type Items = Arc<Queue<u8, Refused>>;

/// How a reader waits.
#[derive(Debug, Clone, Copy)]
enum Reader {
    Blocking,
    WithDeadline,
    Task,
}

const READERS: [Reader; 3] = [Reader::Blocking, Reader::WithDeadline, Reader::Task];

impl Reader {
    /// Everything up to the end.
    fn read(self, queue: &Items) -> Vec<u8> {
        let next = || match self {
            Self::Task => block_on(poll_fn(|context| queue.poll(context))),
            Self::Blocking => item(queue.next(None)),
            Self::WithDeadline => item(queue.next(Some(Deadline))),
        };
        std::iter::from_fn(next).collect()
    }
}

/// In all interleavings with two changes of thread that nothing calls for.
fn model(run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(run);
}

fn item(next: Next<u8>) -> Option<u8> {
    match next {
        Next::Item(item) => Some(item),
        Next::Ended => None,
        Next::Late => panic!("it has time"),
    }
}

/// Puts these in, and tells which were refused for want of room.
fn push(queue: &Items, items: std::ops::Range<u8>) -> Vec<u8> {
    let refused = items.filter_map(|item| queue.push(item, Refused::Full).err());
    refused.inspect(|(_, why)| assert_eq!(*why, Refused::Full)).map(|(item, _)| item).collect()
}

#[test]
fn everything_is_read_once_in_order_or_refused_and_the_reader_hears_of_the_end() {
    for reader in READERS {
        for bound in 0..3 {
            model(move || {
                let queue = Arc::new(Queue::new(bound));
                let reading = Arc::clone(&queue);
                let reading = thread::spawn(move || reader.read(&reading));
                let refused = push(&queue, 0..2);
                queue.close(Refused::Closed);
                assert_eq!(queue.push(9, Refused::Full), Err((9, Refused::Closed)));
                let read = reading.join().expect("no panic");
                assert!(read.is_sorted(), "{read:?}");
                let mut all = [read, refused].concat();
                all.sort_unstable();
                assert_eq!(all, [0, 1]);
                assert!(queue.is_ended());
            });
        }
    }
}

#[test]
fn of_several_readers_each_hears_of_the_end_and_nothing_is_read_twice() {
    model(|| {
        let queue = Arc::new(Queue::new(2));
        let read = |_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || Reader::Blocking.read(&queue))
        };
        let readers: Vec<JoinHandle<_>> = (0..2).map(read).collect();
        let refused = push(&queue, 0..2);
        queue.close(Refused::Closed);
        let mut all: Vec<_> =
            readers.into_iter().flat_map(|reader| reader.join().expect("no panic")).collect();
        all.extend(refused);
        all.sort_unstable();
        assert_eq!(all, [0, 1]);
    });
}

#[test]
fn what_is_drained_is_read_by_nobody_and_a_reader_ends_nonetheless() {
    for reader in READERS {
        model(move || {
            let queue = Arc::new(Queue::new(2));
            let reading = Arc::clone(&queue);
            let reading = thread::spawn(move || reader.read(&reading));
            push(&queue, 0..2);
            queue.close(Refused::Closed);
            let mut all = queue.remove(|item| *item == 1);
            all.extend(queue.drain());
            all.extend(reading.join().expect("no panic"));
            all.sort_unstable();
            assert_eq!(all, [0, 1]);
            assert_eq!(queue.try_next(), Next::Ended);
        });
    }
}
