//! The pool in the interleavings there are: its file once more, with loom's
//! primitives for the standard ones.

#[allow(clippy::duplicate_mod, reason = "this copy is loom's")]
#[path = "pool.rs"]
mod pool;

/// What that file shares with.
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

use pool::Pool;

/// Stands in for a reply socket: counts those that are open.
struct Line {
    peer: u8,
    open: Arc<AtomicUsize>,
    users: Arc<AtomicUsize>,
}

impl Line {
    fn new(peer: u8, open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, SeqCst);
        Self { peer, open: Arc::clone(open), users: Arc::new(AtomicUsize::new(0)) }
    }

    /// What a request does: nobody else may have the line meanwhile.
    fn ask(&self) {
        assert_eq!(self.users.fetch_add(1, SeqCst), 0, "two requests on one line");
        assert_eq!(self.users.fetch_sub(1, SeqCst), 1);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.open.fetch_sub(1, SeqCst);
    }
}

fn ask(pool: &Pool<Line>, peer: u8, open: &Arc<AtomicUsize>) {
    let line = pool.take(|line| line.peer == peer).unwrap_or_else(|| Line::new(peer, open));
    line.ask();
    pool.give_back(line);
}

#[test]
fn no_two_requests_have_one_line() {
    loom::model(|| {
        let (pool, open) = (Arc::new(Pool::new()), Arc::new(AtomicUsize::new(0)));
        pool.give_back(Line::new(1, &open));
        let other = {
            let (pool, open) = (Arc::clone(&pool), Arc::clone(&open));
            thread::spawn(move || ask(&pool, 1, &open))
        };
        ask(&pool, 1, &open);
        other.join().expect("it asked");
        let idle = open.load(SeqCst);
        assert!((1..=2).contains(&idle), "{idle} lines are kept");
    });
}

#[test]
fn once_closed_nothing_is_kept_whoever_comes_back_when() {
    loom::model(|| {
        let (pool, open) = (Arc::new(Pool::new()), Arc::new(AtomicUsize::new(0)));
        pool.give_back(Line::new(1, &open));
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
        pool.give_back(Line::new(1, &open));
        pool.give_back(Line::new(2, &open));
        let other = {
            let (pool, open) = (Arc::clone(&pool), Arc::clone(&open));
            thread::spawn(move || ask(&pool, 2, &open))
        };
        pool.forget(|line| line.peer == 1);
        other.join().expect("it asked");
        assert!(pool.take(|line| line.peer == 1).is_none());
        assert!(pool.take(|line| line.peer == 2).is_some());
        assert_eq!(open.load(SeqCst), 0);
    });
}
