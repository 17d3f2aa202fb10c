//! What is wrong, judged from facts alone.

use std::path::Path;

use mp_core::{Layout, MAX_FDS, inspect::Role};
use rustix::io::Errno;

use super::{
    Finding,
    facts::{Facts, MemberFacts, own_uid},
};
use crate::show::plural;

/// A directory that is shared with a system group: sticky, and closed to others.
const SHARED: u32 = 0o1770;

pub(super) fn all(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(directory(facts));
    found.extend(layout_unknown(facts));
    found.extend(unwatchable(facts));
    found.extend(no_primary(facts));
    found.extend(reply_sockets(facts));
    for member in &facts.members {
        let of_member = [
            stale(member),
            stopped(member),
            unseen(member),
            spelling(facts, member),
            owner(facts, member),
            descriptors(member),
            layout(facts, member),
        ];
        found.extend(of_member.into_iter().flatten());
    }
    found
}

fn directory(facts: &Facts) -> Vec<Finding> {
    let dir = &facts.dir;
    let is_open = dir.mode & 0o077 != 0 && dir.mode & !0o2000 != SHARED;
    let open = is_open.then(|| {
        finding(
            "directory_mode",
            &dir.path,
            None,
            format!("has mode {:04o}: others may join, and members in Rust refuse it", dir.mode),
            format!("chmod 700 {}, or 1770 to share it with a system group", quoted(&dir.path)),
        )
    });
    let above = facts.above.as_ref().filter(|above| above.mode & 0o022 != 0 && above.mode & 0o1000 == 0);
    let above = above.map(|above| {
        finding(
            "directory_mode",
            &above.path,
            None,
            format!("has mode {:04o}: others may put another directory in the group's place", above.mode),
            format!("chmod go-w {}", quoted(&above.path)),
        )
    });
    let is_foreign = own_uid() != 0 && own_uid() != dir.uid && dir.mode & !0o2000 != SHARED;
    let foreign = is_foreign.then(|| {
        finding(
            "directory_owner",
            &dir.path,
            None,
            format!("belongs to uid {}, and this is uid {}", dir.uid, own_uid()),
            format!("run this, and each member, as uid {}", dir.uid),
        )
    });
    [open, above, foreign].into_iter().flatten().collect()
}

fn layout_unknown(facts: &Facts) -> Option<Finding> {
    if facts.layout.is_some() {
        return None;
    }
    let config = facts.dir.path.join("config");
    let remedy = format!(
        "if no DPDK process is starting there, end all members, remove {}, and start the primary first",
        quoted(&config)
    );
    let wrong =
        "does not tell DPDK's version, so nobody can tell how long a datagram is here, and none is sent";
    Some(finding("layout_unknown", &config, None, wrong.to_owned(), remedy))
}

fn unwatchable(facts: &Facts) -> Option<Finding> {
    let (wrong, remedy) = match facts.unwatchable? {
        Errno::MFILE => (
            "cannot be watched: this user has as many inotify instances, or this process as many files, as it may",
            "raise fs.inotify.max_user_instances with sysctl, or `ulimit -n`",
        ),
        Errno::NOSPC => (
            "cannot be watched: this user has as many inotify watches as it may",
            "raise fs.inotify.max_user_watches with sysctl",
        ),
        _ => (
            "cannot be watched",
            "see that its file system has inotify: some that are mounted over a network have not",
        ),
    };
    Some(finding("inotify", &facts.dir.path, None, wrong.to_owned(), remedy.to_owned()))
}

fn no_primary(facts: &Facts) -> Option<Finding> {
    let alive = || facts.members.iter().filter(|member| member.alive);
    let secondaries = alive().filter(|member| member.role == Role::Secondary).count();
    if secondaries == 0 || alive().any(|member| member.role == Role::Primary) {
        return None;
    }
    Some(finding(
        "no_primary",
        &facts.dir.path,
        None,
        format!("has no live primary: what {} to it fails", asks(secondaries)),
        "start it again".to_owned(),
    ))
}

fn asks(secondaries: usize) -> String {
    match secondaries {
        1 => "1 secondary says".to_owned(),
        many => format!("{many} secondaries say"),
    }
}

fn reply_sockets(facts: &Facts) -> Option<Finding> {
    let first = facts.reply_sockets.first()?;
    let count = plural(facts.reply_sockets.len(), "reply socket");
    let wrong = format!("is left over from a process that has gone ({count} in all)");
    let remedy = format!("the next process in Rust that starts here removes them; or rm {}", quoted(first));
    Some(finding("stale_reply_socket", first, None, wrong, remedy))
}

fn stale(member: &MemberFacts) -> Option<Finding> {
    if member.alive {
        return None;
    }
    let next = match member.role {
        Role::Primary => "start the primary again, which takes its place",
        Role::Secondary => "the next message to all removes it",
    };
    let wrong = "is left over: its process has gone";
    let remedy = format!("{next}; or rm {}", quoted(&member.socket));
    Some(finding("stale_socket", &member.socket, member.pid, wrong.to_owned(), remedy))
}

fn stopped(member: &MemberFacts) -> Option<Finding> {
    let standstill = member.standstill.as_ref()?;
    let (wrong, remedy) = standstill.split_once(": ").unwrap_or((standstill, "let it go on"));
    let wrong = format!("answers nobody: its process {wrong}");
    Some(finding("stopped", &member.socket, member.pid, wrong, remedy.to_owned()))
}

fn unseen(member: &MemberFacts) -> Option<Finding> {
    let wrong = match (member.alive, member.pid, member.other_pid_namespace) {
        (true, None, _) => {
            "is held by a process that cannot be seen from here: it is in another pid namespace, or another user's"
        }
        (true, Some(_), true) => {
            "is held by a process of another pid namespace, for which pids are other numbers than here"
        }
        _ => return None,
    };
    let remedy = "run all in one pid namespace (docker run --pid, hostPID), or go by sockets, not by pids";
    Some(finding("pid_namespace", &member.socket, member.pid, wrong.to_owned(), remedy.to_owned()))
}

/// C peers take an answer only from the very path that they asked.
fn spelling(facts: &Facts, member: &MemberFacts) -> Option<Finding> {
    let primary = facts.members.iter().find(|member| member.role == Role::Primary)?.spelled.as_ref()?;
    let own = member.spelled.as_ref().filter(|own| *own != primary)?;
    let wrong = format!(
        "is bound as {own:?}, and the primary in {primary:?}: the same directory, but C peers match answers byte for byte"
    );
    let remedy = format!("start it with the runtime directory spelled as {}", quoted(primary));
    Some(finding("spelling", &member.socket, member.pid, wrong, remedy))
}

fn owner(facts: &Facts, member: &MemberFacts) -> Option<Finding> {
    if !member.alive || member.uid == facts.dir.uid || facts.dir.mode & !0o2000 == SHARED {
        return None;
    }
    let wrong = format!(
        "is uid {}'s, in a directory of uid {}: those do not trust each other",
        member.uid, facts.dir.uid
    );
    let remedy = "start all as one user, or share the directory with a system group (mode 1770)";
    Some(finding("directory_owner", &member.socket, member.pid, wrong, remedy.to_owned()))
}

/// With less than a tenth left, or less than what one message may bring.
fn descriptors(member: &MemberFacts) -> Option<Finding> {
    let files = member.files.filter(|files| {
        let left = files.limit.saturating_sub(files.open);
        left < MAX_FDS as u64 || left < files.limit / 10
    })?;
    let wrong = format!("has {} files open of {} that it may", files.open, files.limit);
    let pid = member.pid.map_or_else(|| "PID".to_owned(), |pid| pid.to_string());
    let more = files.limit.saturating_mul(4);
    let remedy =
        format!("prlimit --pid {pid} --nofile={more}; for its next start, `ulimit -n` or LimitNOFILE=");
    Some(finding("descriptors", &member.socket, member.pid, wrong, remedy))
}

/// The first ABI version of DPDK (25.11) whose datagrams are longer.
const LONGER_SINCE: u32 = 26;

fn layout(facts: &Facts, member: &MemberFacts) -> Option<Finding> {
    let (abi, group) = (member.dpdk_abi?, facts.layout?);
    let own = if abi >= LONGER_SINCE { Layout::Bytes340 } else { Layout::Bytes332 };
    if own == group {
        return None;
    }
    let wrong = format!(
        "has loaded DPDK's ABI {abi}, whose datagrams have {} bytes; in this group they have {}: one of the wrong length ends \
         a DPDK process's IPC for good",
        own.len(),
        group.len()
    );
    let remedy =
        "run all DPDK processes of the group from one release; remove a `config` that an older one has left";
    Some(finding("layout", &member.socket, member.pid, wrong, remedy.to_owned()))
}

fn finding(check: &'static str, subject: &Path, pid: Option<u32>, wrong: String, remedy: String) -> Finding {
    Finding { check, subject: subject.to_owned(), pid, wrong, remedy }
}

/// As a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::{super::facts::Owned, *};
    use crate::process::Files;

    fn member(role: Role) -> MemberFacts {
        let name = if role == Role::Primary { "mp_socket" } else { "mp_socket_7_f" };
        MemberFacts {
            socket: Path::new("/run/g").join(name),
            role,
            alive: true,
            pid: Some(7),
            uid: own_uid(),
            spelled: Some("/run/g".into()),
            standstill: None,
            files: Some(Files { open: 10, limit: 1024 }),
            other_pid_namespace: false,
            dpdk_abi: None,
        }
    }

    fn healthy() -> Facts {
        Facts {
            dir: Owned { path: "/run/g".into(), mode: 0o700, uid: own_uid() },
            above: Some(Owned { path: "/run/dpdk".into(), mode: 0o755, uid: 0 }),
            members: vec![member(Role::Primary), member(Role::Secondary)],
            reply_sockets: Vec::new(),
            layout: Some(Layout::Bytes332),
            unwatchable: None,
        }
    }

    fn found(change: impl FnOnce(&mut Facts)) -> Vec<&'static str> {
        let mut facts = healthy();
        change(&mut facts);
        all(&facts).iter().map(|finding| finding.check).collect()
    }

    #[test]
    fn a_healthy_group_has_nothing() {
        assert_eq!(found(|_| ()), [""; 0]);
        assert_eq!(found(|facts| facts.members.clear()), [""; 0], "an empty directory is nobody's fault");
        for mode in [0o1770, 0o3770] {
            let shared = found(|facts| {
                facts.dir.mode = mode;
                facts.members[1].uid += 1;
            });
            assert_eq!(shared, [""; 0], "shared by choice: {mode:o}");
        }
    }

    #[test]
    fn each_fault_is_found_alone() {
        assert_eq!(found(|facts| facts.dir.mode = 0o755), ["directory_mode"]);
        assert_eq!(found(|facts| facts.above.as_mut().expect("there").mode = 0o777), ["directory_mode"]);
        assert_eq!(found(|facts| facts.layout = None), ["layout_unknown"]);
        assert_eq!(found(|facts| facts.unwatchable = Some(Errno::NOSPC)), ["inotify"]);
        assert_eq!(found(|facts| drop(facts.members.remove(0))), ["no_primary"]);
        assert_eq!(
            found(|facts| facts.reply_sockets = vec!["/run/g/mp_reply_7_f".into()]),
            ["stale_reply_socket"]
        );
        assert_eq!(found(|facts| facts.members[1].alive = false), ["stale_socket"]);
        assert_eq!(found(|facts| facts.members[0].standstill = Some("is stopped: x".into())), ["stopped"]);
        assert_eq!(found(|facts| facts.members[0].pid = None), ["pid_namespace"]);
        assert_eq!(found(|facts| facts.members[0].other_pid_namespace = true), ["pid_namespace"]);
        assert_eq!(found(|facts| facts.members[1].spelled = Some("/var/run/g".into())), ["spelling"]);
        assert_eq!(found(|facts| facts.members[1].uid += 1), ["directory_owner"]);
        let scarce = Files { open: 923, limit: 1024 };
        assert_eq!(found(|facts| facts.members[1].files = Some(scarce)), ["descriptors"]);
        assert_eq!(found(|facts| facts.members[1].dpdk_abi = Some(26)), ["layout"]);
        assert_eq!(found(|facts| facts.members[1].dpdk_abi = Some(25)), [""; 0]);
    }

    #[test]
    fn a_remedy_can_be_pasted_into_a_shell() {
        assert_eq!(quoted(Path::new("/run/g/mp_socket_7_f")), "/run/g/mp_socket_7_f");
        assert_eq!(quoted(Path::new("/run/a b'c")), r"'/run/a b'\''c'");
    }
}
