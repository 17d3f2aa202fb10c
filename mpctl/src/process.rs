//! What the kernel tells of a process of this host.

use std::fs;

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
    fn this_process_runs() {
        assert_eq!(standstill(std::process::id()), None);
        assert_eq!(standstill(4_000_000), None, "nobody");
    }
}
