//! A primary and three secondaries, each a process of its own, in a temporary
//! runtime directory. It needs no DPDK and no root, and removes what it made.
//!
//! The same program plays both parts: without arguments it is the primary, which
//! starts itself three times more as a secondary.

use std::{
    env,
    error::Error,
    fs::File,
    io::Write,
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use memmap2::Mmap;
use mp_typed::{Message, Payload, Peer, Primary, Request, Response, Secondary};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, memfd_create};
use serde::{Deserialize, Serialize};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const FILE_PREFIX: &str = "quickstart";
const TIMEOUT: Duration = Duration::from_secs(10);
const NUMBERS: usize = 1024;

/// One-way, from the primary to all.
#[derive(Debug, Message)]
#[message(name = "link_state")]
struct LinkState {
    port: u16,
    up: bool,
}

/// A request that is answered with a struct.
#[derive(Debug, Request)]
#[message(name = "port_info", response = PortInfo)]
struct DescribePort {
    port: u16,
}

#[derive(Debug, Response)]
struct PortInfo {
    #[message(max_len = 32)]
    driver: String,
    counters: Counters,
}

/// A nested value.
#[derive(Debug, Serialize, Deserialize, Payload)]
struct Counters {
    received: u64,
    sent: u64,
}

/// A request that is answered with shared memory.
#[derive(Debug, Request)]
#[message(name = "table_open", response = Table)]
struct OpenTable;

#[derive(Debug, Response)]
struct Table {
    numbers: u32,
    #[fd]
    memory: OwnedFd,
}

/// A request from the primary to all.
#[derive(Debug, Request)]
#[message(name = "ping", response = Pong)]
struct Ping;

#[derive(Debug, Response)]
struct Pong {
    secondary: u8,
}

/// How far a secondary has come, told to the primary.
#[derive(Debug, Message)]
#[message(name = "progress")]
enum Progress {
    Joined { secondary: u8 },
    SawLinkState { secondary: u8 },
    AskedAll { secondary: u8 },
}

fn main() -> Result<()> {
    match env::args().collect::<Vec<_>>().as_slice() {
        [_] => primary(),
        [_, role, number, dir] if role == "secondary" => secondary(number.parse()?, Path::new(dir)),
        _ => Err("quickstart takes no arguments".into()),
    }
}

// ---------------------------------------------------------------- the primary

fn primary() -> Result<()> {
    let dir = tempfile::Builder::new()
        .prefix("mp-quickstart-")
        .permissions(PermissionsExt::from_mode(0o700))
        .tempdir()?;
    let (progress, steps) = mpsc::channel();
    let primary = Primary::builder(FILE_PREFIX)
        .runtime_dir(dir.path())
        .on(move |step: Progress, _: &Peer| {
            let _ = progress.send(step);
        })
        .serve(|request: DescribePort, _: &Peer| describe(&request))
        .serve(|_: OpenTable, _: &Peer| table())
        .start()?;
    println!("[primary    ] process {} is the primary of {}", std::process::id(), dir.path().display());

    let mut children = Children::start(3, dir.path())?;
    wait_for(&steps, 3, |step| matches!(step, Progress::Joined { .. }))?;

    println!("\n1. A message to all");
    let sent = primary.send(&LinkState { port: 0, up: true })?;
    println!("[primary    ] sent \"link_state\" to {} secondaries", sent.sent());
    wait_for(&steps, 3, |step| matches!(step, Progress::SawLinkState { .. }))?;

    println!("\n2. Typed requests to the primary: one answered with a struct, one with shared memory");
    for child in 0..3 {
        children.say(child, "ask")?;
        wait_for(&steps, 1, |step| matches!(step, Progress::AskedAll { .. }))?;
    }

    println!("\n3. A request to all");
    ask_all(&primary)?;

    println!("\n4. The same, after secondary 2 was killed with SIGKILL");
    children.kill(1)?;
    ask_all(&primary)?;

    drop(children);
    drop(primary);
    dir.close()?;
    println!("\nDone: the secondaries have ended, and the runtime directory is removed.");
    Ok(())
}

fn describe(request: &DescribePort) -> std::result::Result<PortInfo, String> {
    if request.port != 0 {
        return Err(format!("there is no port {}", request.port));
    }
    Ok(PortInfo { driver: "net_example".into(), counters: Counters { received: 1_000, sent: 998 } })
}

/// Shared memory that can be neither changed nor cut once it is sealed.
fn table() -> std::io::Result<Table> {
    let mut memory: File = memfd_create("table", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?.into();
    for number in 0..NUMBERS as u64 {
        memory.write_all(&(number * number).to_ne_bytes())?;
    }
    fcntl_add_seals(&memory, SEALS)?;
    Ok(Table { numbers: NUMBERS as u32, memory: memory.into() })
}

const SEALS: SealFlags =
    SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::WRITE).union(SealFlags::SEAL);

fn ask_all(primary: &Primary) -> Result<()> {
    let pongs = primary.request(&Ping, TIMEOUT)?;
    println!("[primary    ] asked {}, {} replied", pongs.outcomes.len(), pongs.received());
    for reply in &pongs.replies {
        println!(
            "[primary    ]   secondary {} replied, process {}",
            reply.response.secondary,
            reply.peer.pid()
        );
    }
    for (member, outcome) in
        pongs.outcomes.iter().filter(|(_, outcome)| *outcome != mp_typed::Outcome::Replied)
    {
        println!("[primary    ]   process {} {outcome}", member.pid().unwrap_or(0));
    }
    Ok(())
}

fn wait_for(steps: &Receiver<Progress>, count: usize, expected: impl Fn(&Progress) -> bool) -> Result<()> {
    for _ in 0..count {
        let step = steps.recv_timeout(TIMEOUT)?;
        if !expected(&step) {
            return Err(format!("a secondary is out of step: {step:?}").into());
        }
    }
    Ok(())
}

/// The secondaries' processes. Dropping this ends them.
struct Children(Vec<Child>);

impl Children {
    fn start(count: u8, dir: &Path) -> Result<Self> {
        let program: PathBuf = env::current_exe()?;
        let start = |number: u8| {
            Command::new(&program)
                .arg("secondary")
                .arg(number.to_string())
                .arg(dir)
                .stdin(Stdio::piped())
                .spawn()
        };
        Ok(Self((1..=count).map(start).collect::<std::io::Result<_>>()?))
    }

    /// A secondary does what it reads from its standard input, and ends with it.
    fn say(&mut self, child: usize, word: &str) -> Result<()> {
        let stdin = self.0[child].stdin.as_mut().ok_or("the secondary has ended")?;
        Ok(writeln!(stdin, "{word}")?)
    }

    fn kill(&mut self, child: usize) -> Result<()> {
        self.0[child].kill()?;
        self.0[child].wait()?;
        Ok(())
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for child in &mut self.0 {
            drop(child.stdin.take());
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}

// -------------------------------------------------------------- a secondary

fn secondary(number: u8, dir: &Path) -> Result<()> {
    let builder = Secondary::builder(FILE_PREFIX).runtime_dir(dir);
    let asker = builder.handle();
    let secondary = builder
        .on(move |state: LinkState, peer: &Peer| {
            let is = if state.up { "up" } else { "down" };
            println!("[secondary {number}] heard from process {}: port {} is {is}", peer.pid(), state.port);
            let _ = asker.send(&Progress::SawLinkState { secondary: number });
        })
        .serve(move |_: Ping, _: &Peer| Pong { secondary: number })
        .start()?;
    println!("[secondary {number}] process {} has joined", std::process::id());
    secondary.send(&Progress::Joined { secondary: number })?;

    for word in std::io::stdin().lines() {
        if word? == "ask" {
            ask(number, &secondary)?;
            secondary.send(&Progress::AskedAll { secondary: number })?;
        }
    }
    Ok(())
}

fn ask(number: u8, secondary: &Secondary) -> Result<()> {
    let PortInfo { driver, counters } = secondary.request(&DescribePort { port: 0 }, TIMEOUT)?;
    let Counters { received, sent } = counters;
    println!("[secondary {number}] port 0 is driven by {driver}: {received} packets received, {sent} sent");

    let table = secondary.request(&OpenTable, TIMEOUT)?;
    let memory = map(&table.memory)?;
    let (numbers, _) = memory.as_chunks::<8>();
    let last = numbers.last().map(|bytes| u64::from_ne_bytes(*bytes)).ok_or("the table is empty")?;
    println!("[secondary {number}] mapped a table of {} numbers; the last is {last}", table.numbers);
    Ok(())
}

/// Maps shared memory that came as a descriptor.
#[allow(unsafe_code)]
fn map(memory: &OwnedFd) -> Result<Mmap> {
    if !fcntl_get_seals(memory)?.contains(SEALS) {
        return Err("the memory is not sealed: its owner could change it under our eyes".into());
    }
    // SAFETY: the mapping must not change while it is borrowed. The seals forbid
    // writing to the memory and cutting it, for everybody and for good.
    Ok(unsafe { Mmap::map(memory)? })
}
