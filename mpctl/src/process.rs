//! What the kernel tells of a process of this host.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The table of all Unix sockets of this network namespace.
pub(crate) const UNIX_SOCKETS: &str = "/proc/net/unix";

/// How many files a process has open, and how many it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) open: u64,
    pub(crate) limit: u64,
}

/// What it was started as; `None` if that may not be seen from here.
pub(crate) fn command_line(pid: u32) -> Option<String> {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok().filter(|line| !line.is_empty())?;
    let arguments = arguments.strip_suffix(b"\0").unwrap_or(&arguments);
    let words: Vec<_> = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    Some(words.join(" "))
}

/// Why it runs no code, if it does not, and what to do about it.
pub(crate) fn standstill(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    match state(&stat)? {
        'T' => Some(format!("is stopped: `kill -CONT {pid}` lets it go on")),
        't' => Some("is held by a debugger: let it go on there".to_owned()),
        'D' => Some("waits for a device, in the kernel: see its log and the kernel's".to_owned()),
        'Z' | 'X' => Some("has ended: start it again".to_owned()),
        _ => None,
    }
}

/// `None` if that may not be seen from here.
pub(crate) fn files(pid: u32) -> Option<Files> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64;
    let limit = open_files(&fs::read_to_string(format!("/proc/{pid}/limits")).ok()?)?;
    Some(Files { open, limit })
}

/// `Max open files  soft  hard  files`.
fn open_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Whether it counts processes otherwise than this one; `false` if that may not be seen from here.
pub(crate) fn is_in_other_pid_namespace(pid: u32) -> bool {
    let of = |process: &str| fs::read_link(format!("/proc/{process}/ns/pid")).ok();
    of(&pid.to_string()).is_some_and(|namespace| of("self").is_some_and(|own| own != namespace))
}

/// The ABI version of the DPDK library that it has loaded: `26` of `librte_eal.so.26.0`.
pub(crate) fn dpdk_abi(pid: u32) -> Option<u32> {
    abi(&fs::read_to_string(format!("/proc/{pid}/maps")).ok()?)
}

fn abi(maps: &str) -> Option<u32> {
    let version = maps.lines().find_map(|line| line.rsplit_once("/librte_eal.so."))?.1;
    version.split('.').next()?.parse().ok()
}

/// The path in a line of the table of sockets.
pub(crate) fn bound_path(line: &[u8]) -> Option<PathBuf> {
    // It comes last, and no field before it has a slash.
    let at = line.iter().position(|byte| *byte == b'/')?;
    Some(Path::new(OsStr::from_bytes(&line[at..])).to_owned())
}

/// `pid (command) state …`, where the command may hold anything.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(") ")?.1.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_stands_behind_a_command_of_any_name() {
        assert_eq!(state("7 (a) T (b) S 1 7 7 0"), Some('S'));
        assert_eq!(state("7 (sleep) T 1 7 7 0"), Some('T'));
        assert_eq!(state(""), None);
    }

    #[test]
    fn the_kernels_tables_are_read() {
        let limits = "Limit  Soft  Hard  Units\nMax open files            1024                 524288               files     \n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(
            open_files("Max open files            unlimited            unlimited            files"),
            None
        );
        let maps = "7f00-7f01 r-xp 00000000 08:01 7 /usr/lib/librte_eal.so.23.0\n";
        assert_eq!(
            (abi(maps), abi("7f00-7f01 r-xp 00000000 08:01 7 /usr/lib/libm.so.6\n")),
            (Some(23), None)
        );
        let line = b"0000000000000000: 00000002 00000000 00000000 0002 01  4711 /run/a b/mp_socket";
        assert_eq!(bound_path(line), Some("/run/a b/mp_socket".into()));
        assert_eq!(bound_path(b"0000000000000000: 00000002 00000000 00000000 0002 01  4711"), None);
        assert!(files(std::process::id()).is_some_and(|files| files.open > 2 && files.open < files.limit));
        assert!(!is_in_other_pid_namespace(std::process::id()));
    }

    #[test]
    fn this_process_runs() {
        assert_eq!(standstill(std::process::id()), None);
        assert_eq!(standstill(4_000_000), None, "nobody");
    }
}
