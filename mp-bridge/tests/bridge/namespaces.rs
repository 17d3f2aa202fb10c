//! Two hosts in network namespaces of their own, joined by a veth pair, and one server: the four
//! scenes of `quickstart` across them. It takes root, and `ip` of iproute2.

use std::{net::Ipv4Addr, path::Path, process::Command};

use rustix::process::Signal;
use tests::{Group, Process, eventually};

use crate::common::{Background, Bridge, command_of};

/// Two namespaces, `mp-<pid>-home` and `-away`, joined by a pair of interfaces. They are removed
/// when this is dropped.
struct Namespaces {
    home: String,
    away: String,
}

const HOME: Ipv4Addr = Ipv4Addr::new(10, 99, 17, 1);
const AWAY: Ipv4Addr = Ipv4Addr::new(10, 99, 17, 2);

impl Namespaces {
    /// `None` where the kernel lets nobody make them.
    fn make() -> Option<Self> {
        let [home, away] = ["home", "away"].map(|side| format!("mp-{}-{side}", std::process::id()));
        let this = Self { home, away };
        let (pair, other) = (format!("mph{}", std::process::id()), format!("mpa{}", std::process::id()));
        if !ip(&["netns", "add", &this.home]) {
            return None;
        }
        assert!(ip(&["netns", "add", &this.away]));
        let ends = ["peer", "name", &other, "netns", &this.away];
        assert!(ip(&[&["link", "add", &pair, "netns", &this.home, "type", "veth"][..], &ends].concat()));
        for (namespace, link, address) in [(&this.home, &pair, HOME), (&this.away, &other, AWAY)] {
            assert!(ip(&["-n", namespace, "addr", "add", &format!("{address}/24"), "dev", link]));
            assert!(ip(&["-n", namespace, "link", "set", link, "up"]));
            assert!(ip(&["-n", namespace, "link", "set", "lo", "up"]));
        }
        Some(this)
    }

    fn cut_off(&self, is_cut: bool) {
        let link = format!("mpa{}", std::process::id());
        assert!(ip(&["-n", &self.away, "link", "set", &link, if is_cut { "down" } else { "up" }]));
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        ip(&["netns", "del", &self.home]);
        ip(&["netns", "del", &self.away]);
    }
}

fn ip(arguments: &[&str]) -> bool {
    Command::new("ip").args(arguments).output().is_ok_and(|output| output.status.success())
}

/// A program in a namespace.
fn within(namespace: &str, program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(program.as_ref());
    command
}

fn peer(namespace: &str, group: &Group, role: &str) -> Process {
    let mut command = within(namespace, tests::peer());
    command.arg(role).arg("--dir").arg(group.path());
    Process::start(command).expect("it starts")
}

#[test]
fn two_hosts_in_two_network_namespaces_play_quickstarts_scenes() {
    let Some(namespaces) = Namespaces::make() else {
        println!("skipped: this kernel or user may not make network namespaces");
        return;
    };
    let (home, away) = (Group::new(tests::peer()), Group::new(tests::peer()));
    let address = HOME.to_string();
    // Nobody else is in its namespace, so the port is free; the bridges wait until it listens.
    let _server =
        Background::spawn(within(&namespaces.home, "nats-server").args(["-a", &address, "-p", "4222"]));
    let url = format!("nats://{address}:4222");
    let bridge = |namespace: &str, side: &str, group: &Group| {
        let command = within(namespace, env!("CARGO_BIN_EXE_mp-bridge"));
        Bridge::spawn(command_of(command, side, group, &url).args(["--grace", "2s"]))
    };
    let _here = bridge(&namespaces.home, "home", &home);
    let there = bridge(&namespaces.away, "away", &away);
    there.says("has the primary");
    let mut primary = peer(&namespaces.home, &home, "primary");
    there.says("stands in for the primary");
    let mut near = peer(&namespaces.home, &home, "secondary");
    let mut far = [0, 1].map(|_| peer(&namespaces.away, &away, "secondary"));
    let members = |count| assert!(eventually(|| home.files("mp_socket_").len() == count));
    members(3);

    // 1. A message to all.
    primary.call("send note 1000 up");
    for secondary in [&mut near].into_iter().chain(&mut far) {
        assert!(secondary.event("note").starts_with("up "));
    }
    // 2. A request to all, for which each asks back.
    let answer = primary.call("ask route 10000 p end");
    assert!(answer.contains("sent=3 received=3"), "{answer}");
    // 3. The same, after one was killed with SIGKILL.
    far[1].signal(Signal::KILL);
    members(2);
    let answer = primary.call("ask route 10000 p end");
    assert!(answer.contains("sent=2 received=2"), "{answer}");
    // 4. Descriptors, which quickstart shares, stay on their host, and that is told at once.
    let answer = far[0].call("ask files 60000 2");
    assert!(answer.contains("descriptors cannot leave the host"), "{answer}");

    // A host that is cut off: its members leave, its processes see no primary, and both come back.
    namespaces.cut_off(true);
    members(1);
    assert!(eventually(|| !away.join("mp_socket").exists()));
    assert!(far[0].call("ask echo 60000 x").contains("NoPrimary"));
    namespaces.cut_off(false);
    members(2);
    assert!(eventually(|| far[0].call("ask echo 10000 x").ends_with('x')));
}
