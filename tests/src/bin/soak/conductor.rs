//! Starts the processes, disturbs them at random, and hears what they say.

use std::{
    collections::BTreeMap,
    env,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{member::Kind, resources::Resources, tally::Tally};

/// How long anything that must happen may take.
const WITHIN: Duration = Duration::from_secs(30);

/// A process of the soak.
#[derive(Debug)]
struct Member {
    kind: Kind,
    /// It is stopped at times and never killed, so that it shows what a long life costs.
    is_elder: bool,
    child: Child,
    stdin: ChildStdin,
    tally: Tally,
    /// Its words that somebody waits for.
    said: Vec<String>,
    /// What it held when all had warmed up.
    warm: Option<Resources>,
}

/// All processes, and what came of them.
pub(crate) struct Conductor {
    dir: PathBuf,
    members: BTreeMap<u64, Member>,
    next: u64,
    lines: Receiver<(u64, Option<String>)>,
    tell: Sender<(u64, Option<String>)>,
    /// Of those that have ended.
    pub(crate) storm: Tally,
    /// How often each disturbance was made.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// What must not be.
    pub(crate) violations: Vec<String>,
}

impl Conductor {
    pub(crate) fn new(dir: PathBuf) -> Self {
        let (tell, lines) = channel();
        Self {
            dir,
            members: BTreeMap::new(),
            next: 0,
            lines,
            tell,
            storm: Tally::default(),
            faults: BTreeMap::new(),
            violations: Vec::new(),
        }
    }

    /// Starts a process and waits until it has joined.
    pub(crate) fn start(&mut self, kind: Kind, is_elder: bool) -> io::Result<()> {
        let (id, seed) = (self.next, fastrand::u64(..));
        self.next += 1;
        let mut child = Command::new(env::current_exe()?)
            .args(["member", "--seed", &seed.to_string()])
            .args(["--kind", &format!("{kind:?}").to_lowercase(), "--dir"])
            .arg(&self.dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("its input and output are pipes"));
        };
        let tell = self.tell.clone();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            let _ =
                lines.try_for_each(|line| tell.send((id, Some(line)))).and_then(|()| tell.send((id, None)));
        });
        let (tally, said) = (Tally::default(), Vec::new());
        self.members.insert(id, Member { kind, is_elder, child, stdin, tally, said, warm: None });
        self.wait(id, "started");
        Ok(())
    }

    /// Hears what there is until then.
    pub(crate) fn listen(&mut self, until: Instant) {
        while let Ok((id, line)) = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.hear(id, line);
        }
    }

    fn hear(&mut self, id: u64, line: Option<String>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let Some(line) = line else { return member.said.push("end".to_owned()) };
        match line.split_once(' ') {
            Some(("tally", counts)) => match Tally::parse(counts) {
                Some(tally) => member.tally = tally,
                None => self.violations.push(format!("a tally that is none: {line}")),
            },
            Some(("before", counts)) => {
                self.storm.add(&Tally::parse(counts).unwrap_or_default());
                member.tally = Tally::default();
                member.said.push("before".to_owned());
            }
            Some(("violation", what)) => self.violations.push(format!("{:?} {id}: {what}", member.kind)),
            _ => member.said.push(line),
        }
    }

    /// Waits for a word of a process, and returns the line that begins with it.
    fn wait(&mut self, id: u64, word: &str) -> Option<String> {
        let until = Instant::now() + WITHIN;
        loop {
            let said = &mut self.members.get_mut(&id)?.said;
            if let Some(at) = said.iter().position(|line| line.starts_with(word)) {
                return Some(said.remove(at));
            }
            let has_ended = said.iter().any(|line| line == "end");
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok((id, line)) => self.hear(id, line),
                Err(RecvTimeoutError::Timeout) if !has_ended => {
                    self.violations.push(format!("process {id} did not say {word:?} within {WITHIN:?}"));
                    return None;
                }
                Err(_) => return None,
            }
            if has_ended && word != "end" {
                self.violations.push(format!("process {id} ended before it said {word:?}"));
                return None;
            }
        }
    }

    /// Disturbs somebody at random, and makes up for it.
    pub(crate) fn disturb(&mut self) -> io::Result<()> {
        let mortal: Vec<u64> =
            self.members.iter().filter(|(_, it)| !it.is_elder).map(|(id, _)| *id).collect();
        let anybody: Vec<u64> = self.members.keys().copied().collect();
        match (fastrand::u8(..10), fastrand::choice(mortal), fastrand::choice(anybody)) {
            (0..4, Some(id), _) => self.kill(id),
            (4..7, Some(id), _) => self.leave(id),
            (_, _, Some(id)) => self.stop_for_a_while(id),
            _ => Ok(()),
        }
    }

    fn count(&mut self, fault: &'static str, kind: Kind) {
        *self.faults.entry(fault).or_default() += 1;
        if kind == Kind::Primary {
            *self.faults.entry("of a primary").or_default() += 1;
        }
    }

    fn kill(&mut self, id: u64) -> io::Result<()> {
        let Some(member) = self.members.get_mut(&id) else { return Ok(()) };
        member.child.kill()?;
        let (kind, status) = (member.kind, member.child.wait()?);
        self.count("killed", kind);
        let _ = status;
        self.bury(id);
        self.start(kind, false)
    }

    fn leave(&mut self, id: u64) -> io::Result<()> {
        let Some(member) = self.members.get_mut(&id) else { return Ok(()) };
        let kind = member.kind;
        self.count("left and came again", kind);
        self.end(id)?;
        self.start(kind, false)
    }

    fn stop_for_a_while(&mut self, id: u64) -> io::Result<()> {
        let Some(member) = self.members.get_mut(&id) else { return Ok(()) };
        let (kind, pid) = (member.kind, Pid::from_child(&member.child));
        self.count("stood still", kind);
        kill_process(pid, Signal::STOP)?;
        self.listen(Instant::now() + Duration::from_millis(fastrand::u64(50..1000)));
        Ok(kill_process(pid, Signal::CONT)?)
    }

    /// Has a process leave in order.
    fn end(&mut self, id: u64) -> io::Result<()> {
        self.tell(id, "leave")?;
        self.wait(id, "left");
        if let Some(member) = self.members.get_mut(&id) {
            let status = member.child.wait()?;
            if !status.success() {
                self.violations.push(format!("process {id} ended with {status}"));
            }
        }
        self.bury(id);
        Ok(())
    }

    /// Hears the rest of what a dead process said.
    fn bury(&mut self, id: u64) {
        self.wait(id, "end");
        if let Some(member) = self.members.remove(&id) {
            self.storm.add(&member.tally);
        }
    }

    fn tell(&mut self, id: u64, word: &str) -> io::Result<()> {
        let Some(member) = self.members.get_mut(&id) else { return Ok(()) };
        writeln!(member.stdin, "{word}")
    }

    fn ids(&self) -> Vec<u64> {
        self.members.keys().copied().collect()
    }

    /// Tells all a word, and waits for what each answers.
    pub(crate) fn all(&mut self, word: &str, answer: &str) -> io::Result<()> {
        for id in self.ids() {
            self.tell(id, word)?;
        }
        for id in self.ids() {
            self.wait(id, answer);
        }
        Ok(())
    }

    /// Tells all a word.
    pub(crate) fn tell_all(&mut self, word: &str) -> io::Result<()> {
        self.ids().into_iter().try_for_each(|id| self.tell(id, word))
    }

    /// What each process holds, while none does anything. The first time is what the second is held against.
    pub(crate) fn weigh(&mut self) -> io::Result<Vec<(Kind, Resources)>> {
        let mut weights = Vec::new();
        for id in self.ids() {
            self.tell(id, "resources")?;
            let said = self.wait(id, "resources");
            let Some(now) =
                said.as_deref().and_then(|said| Resources::parse(said.strip_prefix("resources ")?))
            else {
                continue;
            };
            let Some(member) = self.members.get_mut(&id) else { continue };
            match member.warm {
                None => member.warm = Some(now),
                Some(warm) => {
                    if let Some(grown) = now.grown_since(&warm) {
                        self.violations.push(format!("{:?} {id} has grown {grown}", member.kind));
                    }
                }
            }
            weights.push((self.members[&id].kind, now));
        }
        Ok(weights)
    }

    /// What was counted since it was counted anew.
    pub(crate) fn calm(&self) -> Tally {
        let mut calm = Tally::default();
        self.members.values().for_each(|member| calm.add(&member.tally));
        calm
    }

    /// All leave, the primary last; and nothing of them is left.
    pub(crate) fn end_all(&mut self) -> io::Result<()> {
        let mut ids = self.ids();
        ids.sort_by_key(|id| self.members[id].kind == Kind::Primary);
        ids.into_iter().try_for_each(|id| self.end(id))?;
        // The next primary removes what those left that were killed, if it is not of this very moment.
        self.listen(Instant::now() + Duration::from_secs(2));
        self.start(Kind::Primary, false)?;
        self.ids().into_iter().try_for_each(|id| self.end(id))?;
        if self.dir.exists() {
            for entry in self.dir.read_dir()? {
                self.violations.push(format!("{:?} was left", entry?.file_name()));
            }
        }
        Ok(())
    }
}

impl Drop for Conductor {
    fn drop(&mut self) {
        for member in self.members.values_mut() {
            let _ = member.child.kill();
            let _ = member.child.wait();
        }
    }
}
