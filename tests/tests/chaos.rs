//! Everything at once: members that come, stop, go on and die while all ask all.

use tests::{Group, Process, eventually, group};

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// A process that may be paused.
struct Member {
    process: Process,
    paused: bool,
}

impl Member {
    fn start(group: &Group, role: &str) -> Self {
        Self { process: group.start(role, &[]), paused: false }
    }

    fn pause_or_resume(&mut self) {
        if self.paused {
            self.process.resume()
        } else {
            self.process.pause()
        }
        self.paused = !self.paused;
    }

    /// Has it ask or send, if it can, and checks that it comes back in time.
    fn act(&mut self, call: &str) {
        if self.paused {
            return;
        }
        let result = self.process.call(call);
        let (ms, outcome) = result.split_once(' ').expect("a time and a result");
        let ms: u64 = ms.parse().expect("milliseconds");
        // 100 and 150 ms are given; the rest is for a busy system.
        assert!(ms < 2000, "{call}: {result}");
        assert!(!outcome.starts_with("Io"), "{call}: {result}");
    }
}

fn chaos(seed: u64) {
    let (group, mut dice) = (group!(), Dice(seed));
    let mut primary = Some(Member::start(&group, "primary"));
    let mut others: Vec<_> = ["secondary", "secondary", "secondary", "client"]
        .map(|role| (role, Member::start(&group, role)))
        .into();
    for _ in 0..120 {
        match dice.roll(10) {
            0 => primary = None,
            1 => primary = Some(primary.take().unwrap_or_else(|| Member::start(&group, "primary"))),
            2 => {
                let (role, member) = &mut others[dice.roll(4)];
                *member = Member::start(&group, role);
            }
            3 => others[dice.roll(4)].1.pause_or_resume(),
            4 => {
                if let Some(primary) = &mut primary {
                    primary.act(["ask echo 100 hi", "send note 100 hi", "ask forget 100"][dice.roll(3)]);
                }
            }
            _ => {
                let calls = [
                    "ask echo 150 hi",
                    "ask panic 150",
                    "ask die 150",
                    "send note 150 hi",
                    "ask files 150 8",
                ];
                // To have the primary die is rarer than the rest.
                let call = calls[[0, 0, 0, 1, 3, 4, 2][dice.roll(7)]];
                others[dice.roll(4)].1.act(call);
                if call.starts_with("ask die") {
                    primary = None;
                }
            }
        }
    }
    drop(primary);
    for (_, member) in &mut others {
        if member.paused {
            member.pause_or_resume();
        }
    }
    // And then all is well again.
    let mut primary = group.primary();
    let alive: Vec<_> = others[..3].iter().map(|(_, member)| member.process.pid()).collect();
    let all_reply = || {
        let replies = primary.call("ask echo 5000 hi");
        alive.iter().all(|pid| replies.contains(&format!("{pid}:Replied")))
    };
    assert!(eventually(all_reply));
    for (role, member) in &mut others {
        let mut fresh = group.start(role, &[]);
        for process in [&mut member.process, &mut fresh] {
            assert!(process.call("ask echo 5000 hi").ends_with(" hi"));
        }
        member.process.assert_open_fds(fresh.open_fds());
        assert!(fresh.finish());
    }
    assert_eq!(group.files("mp_socket_").len(), 3, "no dead members are left");
    assert!(eventually(|| primary.threads() == 3), "{} threads", primary.threads());
}

#[test]
fn members_that_come_and_go_leave_a_group_that_works() {
    for seed in [1, 2, 3] {
        chaos(seed);
    }
}

#[test]
fn members_that_come_and_go_in_another_order_leave_a_group_that_works() {
    for seed in [4, 5, 6] {
        chaos(seed);
    }
}
