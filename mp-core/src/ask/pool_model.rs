//! The pool in all interleavings of a few threads: its file compiled once more, with loom's
//! primitives instead of the standard ones.

#[allow(clippy::duplicate_mod, reason = "this copy is loom's")]
#[path = "pool.rs"]
mod pool;

/// The primitives that the file uses.
mod sync {
    pub(super) use std::sync::PoisonError;

    pub(super) use loom::sync::{Mutex, MutexGuard};
}

use loom::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use pool::{IDLE, LOOKS, Pool};

/// Stands in for a reply socket: counts those that are open.
struct ReplySocket {
    peer: usize,
    open: Arc<AtomicUsize>,
    users: Arc<AtomicUsize>,
}

impl ReplySocket {
    fn new(peer: usize, open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, SeqCst);
        Self { peer, open: Arc::clone(open), users: Arc::new(AtomicUsize::new(0)) }
    }

    /// What a request does: nobody else may have the reply socket meanwhile.
    fn ask(&self) {
        assert_eq!(self.users.fetch_add(1, SeqCst), 0, "two requests on one reply socket");
        assert_eq!(self.users.fetch_sub(1, SeqCst), 1);
    }
}

impl Drop for ReplySocket {
    fn drop(&mut self) {
        self.open.fetch_sub(1, SeqCst);
    }
}

fn ask(pool: &Pool<ReplySocket>, peer: usize, open: &Arc<AtomicUsize>) {
    let reply_socket =
        pool.take(|reply_socket| reply_socket.peer == peer).unwrap_or_else(|| ReplySocket::new(peer, open));
    reply_socket.ask();
    pool.give_back(reply_socket);
}

#[test]
fn no_two_requests_have_one_reply_socket() {
    loom::model(|| {
        let (pool, open) = (Arc::new(Pool::new()), Arc::new(AtomicUsize::new(0)));
        pool.give_back(ReplySocket::new(1, &open));
        let other = {
            let (pool, open) = (Arc::clone(&pool), Arc::clone(&open));
            thread::spawn(move || ask(&pool, 1, &open))
        };
        ask(&pool, 1, &open);
        other.join().expect("it asked");
        let idle = open.load(SeqCst);
        assert!((1..=2).contains(&idle), "{idle} reply sockets are kept");
    });
}

#[test]
fn once_closed_nothing_is_kept_whoever_comes_back_when() {
    loom::model(|| {
        let (pool, open) = (Arc::new(Pool::new()), Arc::new(AtomicUsize::new(0)));
        pool.give_back(ReplySocket::new(1, &open));
        let other = {
            let (pool, open) = (Arc::clone(&pool), Arc::clone(&open));
            thread::spawn(move || ask(&pool, 1, &open))
        };
        pool.close();
        other.join().expect("it asked");
        assert_eq!(open.load(SeqCst), 0, "a closed pool keeps nothing");
    });
}

#[test]
fn a_peer_that_is_gone_is_forgotten_and_no_other() {
    loom::model(|| {
        let (pool, open) = (Arc::new(Pool::new()), Arc::new(AtomicUsize::new(0)));
        pool.give_back(ReplySocket::new(1, &open));
        pool.give_back(ReplySocket::new(2, &open));
        let other = {
            let (pool, open) = (Arc::clone(&pool), Arc::clone(&open));
            thread::spawn(move || ask(&pool, 2, &open))
        };
        pool.forget(|reply_socket| reply_socket.peer == 1);
        other.join().expect("it asked");
        assert!(pool.take(|reply_socket| reply_socket.peer == 1).is_none());
        assert!(pool.take(|reply_socket| reply_socket.peer == 2).is_some());
        assert_eq!(open.load(SeqCst), 0);
    });
}

#[test]
fn the_stale_go_and_no_other_whoever_asks_meanwhile() {
    loom::model(|| {
        let (pool, open) = (Arc::new(Pool::new()), Arc::new(AtomicUsize::new(0)));
        pool.give_back(ReplySocket::new(1, &open));
        pool.give_back(ReplySocket::new(2, &open));
        let other = {
            let (pool, open) = (Arc::clone(&pool), Arc::clone(&open));
            thread::spawn(move || ask(&pool, 2, &open))
        };
        pool.drop_stale(|reply_socket| reply_socket.peer == 1);
        other.join().expect("it asked");
        assert!(pool.take(|reply_socket| reply_socket.peer == 1).is_none());
        assert!(pool.take(|reply_socket| reply_socket.peer == 2).is_some());
    });
}

#[test]
fn looking_for_the_stale_while_the_pool_closes_keeps_nothing() {
    loom::model(|| {
        let (pool, open) = (Arc::new(Pool::new()), Arc::new(AtomicUsize::new(0)));
        (1..=2).for_each(|peer| pool.give_back(ReplySocket::new(peer, &open)));
        let other = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.drop_stale(|_| false))
        };
        pool.close();
        other.join().expect("it looked");
        assert_eq!(open.load(SeqCst), 0, "a closed pool keeps nothing");
    });
}

#[test]
fn a_full_pool_keeps_the_newest() {
    loom::model(|| {
        let (pool, open) = (Pool::new(), Arc::new(AtomicUsize::new(0)));
        (0..IDLE + 8).for_each(|peer| pool.give_back(ReplySocket::new(peer, &open)));
        assert_eq!(open.load(SeqCst), IDLE);
        assert!(pool.take(|reply_socket| reply_socket.peer < 8).is_none());
        // Those in use are looked at a few at a time, beginning with the longest idle.
        let looked = std::cell::RefCell::new(Vec::new());
        for _ in 0..2 {
            pool.drop_stale(|reply_socket| {
                looked.borrow_mut().push(reply_socket.peer);
                reply_socket.peer == 9
            });
        }
        let (live, stale) = (2 * LOOKS, 1);
        assert_eq!(*looked.borrow(), (8..8 + live + stale).collect::<Vec<_>>());
        assert_eq!(open.load(SeqCst), IDLE - stale);
    });
}
