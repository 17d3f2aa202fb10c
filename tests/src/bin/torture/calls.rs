//! Which system calls can fail, with what, and how often a scenario makes each: read from what `strace` writes.

use std::collections::BTreeMap;

/// The calls that are made to fail, each with every error that `man 2` gives for it and the program could meet.
///
/// Not among them: `close`, which would leave the descriptor open where the kernel would not; the allocator's, whose failure
/// ends a Rust program by definition (`scarce_memory` of the tests has what can be done about it); and those that cannot fail.
pub(crate) const FAILURES: [(&str, &[&str]); 39] = [
    ("accept4", &["EINTR", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ECONNABORTED"]),
    (
        "bind",
        &["EADDRINUSE", "EACCES", "EROFS", "ENOSPC", "ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "ENOMEM"],
    ),
    ("clone3", &["EAGAIN", "ENOMEM"]),
    (
        "connect",
        &["ECONNREFUSED", "EACCES", "EPERM", "ENOENT", "ENOTDIR", "ELOOP", "EAGAIN", "EINTR", "ENOMEM"],
    ),
    ("dup", &["EMFILE"]),
    ("dup3", &["EMFILE"]),
    ("epoll_create1", &["EMFILE", "ENFILE", "ENOMEM"]),
    ("epoll_ctl", &["ENOMEM", "ENOSPC"]),
    ("epoll_pwait", &["EINTR"]),
    ("epoll_pwait2", &["EINTR"]),
    ("epoll_wait", &["EINTR"]),
    ("eventfd2", &["EMFILE", "ENFILE", "ENOMEM"]),
    ("fchmod", &["EPERM", "EROFS"]),
    ("fchmodat", &["EPERM", "EROFS", "EACCES", "ENOENT"]),
    ("fchown", &["EPERM", "EROFS"]),
    ("fcntl", &["EMFILE", "ENOLCK", "EINTR"]),
    ("flock", &["EINTR", "EAGAIN", "ENOLCK"]),
    ("fstat", &["ENOMEM"]),
    ("getdents64", &["ENOENT", "ENOMEM"]),
    ("getpeername", &["ENOBUFS", "ENOTCONN"]),
    ("getsockname", &["ENOBUFS"]),
    ("getsockopt", &["ENOBUFS"]),
    ("inotify_add_watch", &["EACCES", "ENOENT", "ENOMEM", "ENOSPC"]),
    ("inotify_init1", &["EMFILE", "ENFILE", "ENOMEM"]),
    ("memfd_create", &["EMFILE", "ENFILE", "ENOMEM"]),
    ("mkdir", &["EACCES", "EROFS", "ENOSPC"]),
    ("mkdirat", &["EACCES", "EROFS", "ENOSPC"]),
    ("newfstatat", &["EACCES", "ENOENT", "ELOOP", "ENOTDIR", "ENOMEM"]),
    ("openat", &["EMFILE", "ENFILE", "EACCES", "ENOENT", "ENOTDIR", "ELOOP", "EINTR", "ENOMEM"]),
    ("pidfd_open", &["EMFILE", "ENFILE", "ESRCH", "ENOMEM"]),
    ("poll", &["EINTR", "ENOMEM"]),
    ("ppoll", &["EINTR", "ENOMEM"]),
    ("recvmsg", &["EINTR", "EAGAIN", "ENOBUFS", "ENOMEM", "ECONNREFUSED"]),
    ("renameat", &["EACCES", "EROFS", "ENOSPC", "ENOENT"]),
    (
        "sendmsg",
        &[
            "EINTR",
            "EAGAIN",
            "ENOBUFS",
            "ENOMEM",
            "EACCES",
            "EPERM",
            "ECONNREFUSED",
            "ENOENT",
            "ENOTDIR",
            "ELOOP",
            "ENAMETOOLONG",
            "ETOOMANYREFS",
            "EPIPE",
            "EMFILE",
        ],
    ),
    ("setsockopt", &["ENOBUFS", "ENOMEM"]),
    ("socket", &["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EACCES"]),
    ("statx", &["EACCES", "ENOENT", "ELOOP", "ENOTDIR", "ENOMEM"]),
    ("unlinkat", &["EACCES", "EPERM", "EROFS", "ENOENT", "EBUSY", "ENOMEM"]),
];

/// The errors of a call, if it is one of those that are made to fail.
pub(crate) fn errors(call: &str) -> Option<&'static [&'static str]> {
    FAILURES.iter().find(|(name, _)| *name == call).map(|(_, errors)| *errors)
}

/// The calls of a scenario that can be made to fail.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// Of each thread, in its order.
    threads: BTreeMap<u32, Vec<String>>,
}

impl Calls {
    /// Reads the output of `strace -f -o`.
    pub(crate) fn of_trace(trace: &str) -> Self {
        let mut calls = Self::default();
        for line in trace.lines() {
            let Some((thread, rest)) = line.trim_start().split_once(char::is_whitespace) else { continue };
            // What is resumed, ends or is signalled begins otherwise.
            let Some((name, _)) = rest.trim_start().split_once('(') else { continue };
            if let (Ok(thread), Some(_)) = (thread.parse(), errors(name)) {
                calls.threads.entry(thread).or_default().push(name.to_owned());
            }
        }
        calls
    }

    /// How often the thread that makes it most often makes each call.
    pub(crate) fn most_by_one_thread(&self) -> BTreeMap<&str, usize> {
        let mut most = BTreeMap::new();
        for calls in self.threads.values() {
            let mut counts = BTreeMap::<&str, usize>::new();
            calls.iter().for_each(|name| *counts.entry(name).or_default() += 1);
            for (name, count) in counts {
                let most = most.entry(name).or_default();
                *most = count.max(*most);
            }
        }
        most
    }

    /// Each two calls that follow each other in one thread, with the number of each among its like.
    pub(crate) fn neighbours(&self) -> Vec<[(String, usize); 2]> {
        let numbered = |calls: &Vec<String>| {
            let mut counts = BTreeMap::<String, usize>::new();
            let number = |name: &String| {
                let count = counts.entry(name.clone()).or_default();
                *count += 1;
                (name.clone(), *count)
            };
            calls.iter().map(number).collect::<Vec<_>>()
        };
        let pairs = |calls: Vec<(String, usize)>| {
            calls.windows(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = self.threads.values().map(numbered).flat_map(pairs).collect();
        all.sort();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "\
10 read(0, \"go\\n\", 8192) = 3
10 socket(AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC, 0) = 5
11 sendmsg(5, {...} <unfinished ...>
10 bind(5, {...}, 40) = 0
11 <... sendmsg resumed>, 0) = 332
11 sendmsg(5, {...}, 0) = 332
11 +++ exited with 0 +++
";

    #[test]
    fn calls_are_counted_by_thread_where_they_begin() {
        let calls = Calls::of_trace(TRACE);
        assert_eq!(calls.most_by_one_thread(), BTreeMap::from([("bind", 1), ("sendmsg", 2), ("socket", 1)]));
    }

    #[test]
    fn neighbours_are_of_one_thread() {
        let neighbours = Calls::of_trace(TRACE).neighbours();
        let pair = |a: &str, m, b: &str, n| [(a.to_owned(), m), (b.to_owned(), n)];
        assert_eq!(neighbours, [pair("sendmsg", 1, "sendmsg", 2), pair("socket", 1, "bind", 1)]);
    }
}
