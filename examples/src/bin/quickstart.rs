//! A primary and three secondaries, each a process of its own, in a temporary
//! runtime directory. It needs no DPDK and no root, and removes what it made.
//!
//! The same program plays both parts: without arguments it is the primary, which
//! starts itself three times more as a secondary.

use std::{
    env,
    error::Error,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use mp_typed::{
    Message, Outcome, Payload, Peer, Primary, ReadOnly, Request, Response, Secondary, Shared, SharedError,
};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const TIMEOUT: Duration = Duration::from_secs(10);

/// One-way, from the primary to all.
#[derive(Message)]
#[message(name = "link_state")]
struct LinkState {
    port: u16,
    up: bool,
}

/// A request to the primary, which is answered with a struct and with shared memory.
#[derive(Request)]
#[message(name = "port_open", response = Port)]
struct OpenPort {
    port: u16,
}

#[derive(Response)]
struct Port {
    #[message(max_len = 32)]
    driver: String,
    counters: Counters,
    #[fd]
    squares: Shared<[u64], ReadOnly>,
}

/// A nested value.
#[derive(Payload)]
struct Counters {
    received: u64,
    sent: u64,
}

/// A request from the primary to all.
#[derive(Request)]
#[message(name = "report", response = Report)]
struct MakeReport;

#[derive(Response)]
struct Report {
    secondary: u8,
    received: u64,
    sent: u64,
    last_square: u64,
}

fn main() -> Result<()> {
    match env::args().collect::<Vec<_>>().as_slice() {
        [_] => primary(),
        [_, number, dir] => secondary(number.parse()?, Path::new(dir)),
        _ => Err("quickstart takes no arguments".into()),
    }
}

fn primary() -> Result<()> {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
    let primary = Primary::builder("quickstart")
        .runtime_dir(dir.path())
        .serve(|open: OpenPort, _: &Peer| port(open.port))
        .start()?;
    println!("[primary    ] process {} is the primary of {}", std::process::id(), dir.path().display());

    let mut joining = primary.watch()?;
    let mut secondaries = (1..=3).map(|number| start(number, dir.path())).collect::<Result<Vec<_>>>()?;
    for _ in &secondaries {
        joining.next_within(TIMEOUT)?.ok_or("a secondary does not join")?;
    }

    println!("\n1. A message to all");
    println!("[primary    ] sent to {} secondaries", primary.send(&LinkState { port: 0, up: true })?.sent());
    println!("\n2. A request to all, for which each asks back: a struct, and shared memory");
    ask_all(&primary)?;
    println!("\n3. The same, after secondary 2 was killed with SIGKILL");
    secondaries[1].kill()?;
    ask_all(&primary)?;

    for mut secondary in secondaries {
        // At the end of its input it leaves.
        drop(secondary.stdin.take());
        secondary.wait()?;
    }
    drop(primary);
    dir.close()?;
    println!("\nDone: the secondaries have ended, and the runtime directory is removed.");
    Ok(())
}

fn port(port: u16) -> Result<Port, SharedError> {
    // Only this side can write what it publishes.
    let (memory, squares) = Shared::publish(1024)?;
    (0..1024).for_each(|number| memory.set(number, (number * number) as u64));
    let counters = Counters { received: 1000, sent: 998 };
    Ok(Port { driver: format!("net_example{port}"), counters, squares })
}

fn ask_all(primary: &Primary) -> Result<()> {
    let mut reports = primary.request(&MakeReport, TIMEOUT)?;
    println!("[primary    ] asked {}, {} replied", reports.outcomes.len(), reports.received());
    reports.replies.sort_by_key(|reply| reply.response.secondary);
    for reply in &reports.replies {
        let Report { secondary, received, sent, last_square } = reply.response;
        println!(
            "[secondary {secondary}] saw {received} packets received, {sent} sent; the last square is {last_square}"
        );
    }
    for (_, outcome) in reports.outcomes.iter().filter(|(_, outcome)| *outcome != Outcome::Replied) {
        println!("[primary    ] another {outcome}");
    }
    Ok(())
}

fn start(number: u8, dir: &Path) -> Result<Child> {
    Ok(Command::new(env::current_exe()?).arg(number.to_string()).arg(dir).stdin(Stdio::piped()).spawn()?)
}

fn secondary(number: u8, dir: &Path) -> Result<()> {
    let builder = Secondary::builder("quickstart").runtime_dir(dir);
    let asker = builder.handle();
    let _secondary = builder
        .on(move |state: LinkState, peer: &Peer| {
            println!(
                "[secondary {number}] heard from process {}: port {} is up: {}",
                peer.pid(),
                state.port,
                state.up
            );
        })
        .serve(move |_: MakeReport, _: &Peer| -> Result<Report> {
            let Port { driver, counters, squares } = asker.request(&OpenPort { port: 0 }, TIMEOUT)?;
            let last_square = squares.at(squares.len() - 1).ok_or(driver)?;
            Ok(Report { secondary: number, received: counters.received, sent: counters.sent, last_square })
        })
        .start()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
