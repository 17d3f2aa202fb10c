//! What is not the group's: forks, limits and signals.

use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};

use crate::{shared::Shared, words::lock};

impl Shared {
    /// What a fork's copy of the role does, told by its exit code.
    pub(crate) fn fork(&self) -> String {
        #![allow(unsafe_code)]
        // SAFETY: the other threads are all blocked, in receiving or in waiting
        // for it, so that none holds a lock of the allocator or of ours; the
        // child makes no use of standard input or output and ends by `_exit`.
        match unsafe { libc::fork() } {
            0 => {
                let asked = self.asker().ask("echo", "from the child", Duration::from_secs(5));
                let later = self.asker().ask_later("echo", "from the child", Duration::from_secs(5));
                let stopped = self.role().stop(Duration::from_secs(5));
                let mut kept = std::mem::take(&mut *lock(&self.kept));
                let reply = kept.pop().map(|responder| responder.reply(b"from the child", &[]));
                drop(kept);
                let refused = matches!(reply, None | Some(Err(mp_core::ReplyError::Forked)));
                let code = i32::from(!asked.contains("Stopped"))
                    + 2 * i32::from(!stopped)
                    + 4 * i32::from(!later.contains("Stopped"))
                    + 8 * i32::from(!refused);
                // SAFETY: it ends the process, and touches nothing of ours.
                unsafe { libc::_exit(code) }
            }
            pid => {
                let pid = Pid::from_raw(pid).expect("fork succeeded");
                let waited = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
                let status = waited.expect("it is our child").expect("it was waited for").1;
                format!("{:?}", status.exit_status())
            }
        }
    }
}

/// A child that runs no other program and stays until it is killed; its pid.
pub(crate) fn fork_and_stay() -> String {
    #![allow(unsafe_code)]
    let (told, tells) = rustix::pipe::pipe().expect("there is room for two descriptors");
    // SAFETY: the child makes one system call after another, none of which takes a lock or
    // touches memory.
    match unsafe { libc::fork() } {
        0 => {
            let _ = rustix::io::write(&tells, b"x");
            loop {
                // SAFETY: it waits for a signal.
                unsafe { libc::pause() };
            }
        }
        pid => {
            // What the fork has done on its way out of `fork` is done then.
            rustix::io::read(&told, &mut [0; 1]).expect("the fork says that it is there");
            pid.to_string()
        }
    }
}

pub(crate) fn limit_fds(count: usize) -> String {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit { current: Some(count as u64), maximum };
    format!("{:?}", setrlimit(Resource::Nofile, limit))
}

/// Lets SIGUSR1 interrupt whatever blocks, and do nothing else.
pub(crate) fn interruptible() -> String {
    #![allow(unsafe_code)]
    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: all zeros is a valid `sigaction`: no flags, so no restarting, and
    // an empty mask. The handler does nothing, so it is safe at any time.
    let result = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as usize;
        libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut())
    };
    result.to_string()
}

/// Closes all but standard input and output, whoever's they are, as some daemons do; and as things
/// go then, what is opened next gets their numbers. (Without that the standard library ends a
/// process built for debugging that closes one of its own.)
pub(crate) fn close_all() -> String {
    #![allow(unsafe_code)]
    let null = std::fs::File::open("/dev/null").expect("it is always there");
    let listed = std::fs::read_dir("/proc/self/fd").expect("its own descriptors");
    let numbers: Vec<i32> = listed
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|n| *n > 2)
        .collect();
    for number in &numbers {
        // SAFETY: none, for whoever owns what is closed; that nothing worse than errors comes of it
        // is what is shown.
        unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&null), *number) };
    }
    "0".into()
}

/// Becomes another user for good, as a daemon does that drops its privileges.
pub(crate) fn become_user(uid: u32, gid: u32) -> String {
    #![allow(unsafe_code)]
    // SAFETY: they take numbers, and no group from nowhere.
    let done = unsafe {
        libc::setgroups(0, std::ptr::null()) == 0
            && libc::setresgid(gid, gid, gid) == 0
            && libc::setresuid(uid, uid, uid) == 0
    };
    assert!(done, "{}", std::io::Error::last_os_error());
    String::new()
}
