//! A primary and three secondaries, each a process of its own, in a temporary runtime directory; no
//! DPDK and no root is needed. The same program plays both parts: without arguments it is the
//! primary, and starts itself three times more as a secondary.

use std::process::{Child, Command, Stdio};
use std::{env, error::Error, io::Read, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use mp_typed::{Message, Outcome, Payload, Peer, Primary, ReadOnly, Request, Response, Secondary, Shared};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const SOON: Duration = Duration::from_secs(10);

/// One-way, from the primary to all.
#[derive(Message)]
#[message(name = "link_state")]
struct LinkState(u16, bool);

/// A request to the primary, which is answered with a struct and with shared memory.
#[derive(Request)]
#[message(name = "port_open", response = Port)]
struct OpenPort(u16);

#[derive(Response)]
struct Port {
    #[message(max_len = 32)]
    driver: String,
    counters: Counters,
    #[fd]
    squares: Shared<[u64], ReadOnly>,
}

#[derive(Payload)]
struct Counters {
    received: u64,
    sent: u64,
}

/// A request from the primary to all.
#[derive(Request)]
#[message(name = "report", response = Report)]
struct MakeReport;

/// Of which secondary, and what it saw: the counters, and the last of the squares.
#[derive(Response)]
struct Report(u8, Counters, u64);

fn main() -> Result<()> {
    if let [_, number, dir] = &env::args().collect::<Vec<_>>()[..] {
        return secondary(number.parse()?, Path::new(dir));
    }
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
    let primary = Primary::builder("quickstart")
        .runtime_dir(dir.path())
        .serve(|OpenPort(number), _: &Peer| port(number))
        .start()?;
    println!("[primary    ] process {} is the primary of {}", std::process::id(), dir.path().display());
    let mut joining = primary.watch()?;
    let mut secondaries = (1..=3).map(|number| start(number, dir.path())).collect::<Result<Vec<_>>>()?;
    for _ in &secondaries {
        joining.next_within(SOON)?.ok_or("a secondary does not join")?;
    }
    println!("\n1. A message to all");
    println!("[primary    ] sent to {} secondaries", primary.send(&LinkState(0, true))?.sent());
    println!("\n2. A request to all, for which each asks back: a struct, and shared memory");
    ask_all(&primary)?;
    println!("\n3. The same, after secondary 2 was killed with SIGKILL");
    secondaries[1].kill()?;
    ask_all(&primary)?;

    // Each leaves at the end of its input, which `wait` closes.
    secondaries.iter_mut().try_for_each(|secondary| secondary.wait().map(drop))?;
    drop(primary);
    dir.close()?;
    println!("\nDone: the secondaries have ended, and the runtime directory is removed.");
    Ok(())
}

fn port(number: u16) -> Result<Port> {
    // Only this side can write what it publishes.
    let (memory, squares) = Shared::publish(1024)?;
    (0..1024).for_each(|n| memory.set(n, (n * n) as u64));
    let counters = Counters { received: 1000, sent: 998 };
    Ok(Port { driver: format!("net_example{number}"), counters, squares })
}

fn ask_all(primary: &Primary) -> Result<()> {
    let mut reports = primary.request(&MakeReport, SOON)?;
    println!("[primary    ] asked {}, {} replied", reports.outcomes.len(), reports.received());
    reports.replies.sort_by_key(|reply| reply.response.0);
    for reply in &reports.replies {
        let Report(secondary, Counters { received, sent }, last_square) = &reply.response;
        print!("[secondary {secondary}] saw {received} packets received, {sent} sent; ");
        println!("the last square is {last_square}");
    }
    let others = reports.outcomes.iter().filter(|(_, outcome)| *outcome != Outcome::Replied);
    others.for_each(|(_, outcome)| println!("[primary    ] another {outcome}"));
    Ok(())
}

fn start(number: u8, dir: &Path) -> Result<Child> {
    Ok(Command::new(env::current_exe()?).arg(number.to_string()).arg(dir).stdin(Stdio::piped()).spawn()?)
}

fn secondary(number: u8, dir: &Path) -> Result<()> {
    let builder = Secondary::builder("quickstart").runtime_dir(dir);
    let asker = builder.handle();
    let _secondary = builder
        .on(move |LinkState(port, up), peer: &Peer| {
            println!("[secondary {number}] heard from process {}: port {port} is up: {up}", peer.pid());
        })
        .serve(move |_: MakeReport, _: &Peer| -> Result<Report> {
            let Port { driver, counters, squares } = asker.request(&OpenPort(0), SOON)?;
            Ok(Report(number, counters, squares.at(squares.len() - 1).ok_or(driver)?))
        })
        .start()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
