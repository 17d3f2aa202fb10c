//! Processes of several users, which takes root to make.

use std::{ffi::OsStr, path::Path, process::Command};

use rustix::process::geteuid;

/// Two users, and a system group that they may be in. Nobody need have made them.
pub const ALICE: u32 = 64_101;
/// The other.
pub const BOB: u32 = 64_102;
/// The group.
pub const SHARED: u32 = 64_200;

/// Whether this is root; says that the test is skipped if not.
#[must_use]
pub fn is_root() -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        eprintln!("skipped: only root can start processes of other users");
    }
    is_root
}

/// The same command run by another user, who is in this group and in no other.
#[must_use]
pub fn as_user(uid: u32, gid: u32, command: &Command) -> Command {
    let (uid, gid) = (format!("--reuid={uid}"), format!("--regid={gid}"));
    run_by("setpriv", ["--clear-groups".as_ref(), uid.as_ref(), gid.as_ref()], command)
}

/// The same command run by a program that takes it behind its own arguments.
#[must_use]
pub fn run_by<'a>(
    program: &str,
    arguments: impl IntoIterator<Item = &'a OsStr>,
    command: &Command,
) -> Command {
    let mut run = Command::new(program);
    run.args(arguments).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => run.env(name, value),
            None => run.env_remove(name),
        };
    }
    run
}

/// A root file system of its own, with what programs need, and the runtime directory at the path that it has outside.
const CONTAINER: &str = r#"
set -e
dir=$1 program=$2; shift 2
mount --make-rprivate /
root=$(mktemp -d)
mount -t tmpfs none "$root"
for shared in /usr /bin /lib /lib64; do
    if [ -e "$shared" ]; then mkdir -p "$root$shared"; mount --rbind "$shared" "$root$shared"; fi
done
mkdir -p "$root/proc" "$root/dev" "$root$dir" "$root$(dirname "$program")"
mount -t proc none "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$dir" "$root$dir"
mount --bind "$(dirname "$program")" "$root$(dirname "$program")"
exec chroot "$root" "$program" "$@"
"#;

/// The namespaces of a container, save that of users.
pub const NAMESPACES: [&str; 7] = ["--mount", "--pid", "--fork", "--kill-child", "--net", "--uts", "--ipc"];

/// The same command in a container of its own, which is given this runtime directory.
#[must_use]
pub fn in_container(dir: &Path, command: &Command) -> Command {
    let arguments = NAMESPACES.map(OsStr::new).into_iter();
    let script = ["sh", "-c", CONTAINER, "sh"].map(OsStr::new);
    run_by("unshare", arguments.chain(script).chain([dir.as_os_str()]), command)
}
