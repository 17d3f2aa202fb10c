//! A service as systemd starts it (`Type=notify`): it says when it is ready, and ends in order when it is told to.
//!
//! The units are in `docs/systemd`. As a primary it shares its group with the members of a system group, as a secondary it
//! asks the primary once a second.
//!
//! ```text
//! RUNTIME_DIRECTORY=/run/packet service primary packet     # in the group `packet`, by number or name
//! RUNTIME_DIRECTORY=/run/packet service secondary packet
//! ```

use std::{
    env,
    error::Error,
    io,
    os::{linux::net::SocketAddrExt, unix::net::SocketAddr, unix::net::UnixDatagram},
    process::Command,
    thread,
    time::Duration,
};

use mp_typed::{Peer, Primary, Request, Secondary};

/// Asks how many have asked.
#[derive(Request)]
#[message(name = "count", response = Count)]
struct HowMany;

#[derive(mp_typed::Response)]
struct Count(u64);

const SECOND: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match &arguments[..] {
        [role, group] if role == "primary" => primary(gid(group)?),
        [role, group] if role == "secondary" => secondary(gid(group)?),
        _ => Err("usage: service primary|secondary GROUP".into()),
    }
}

fn primary(gid: u32) -> Result<(), Box<dyn Error>> {
    let asked = std::sync::atomic::AtomicU64::new(0);
    let primary = Primary::builder("packet")
        .share_with_group(gid)
        .serve(move |_: HowMany, _: &Peer| {
            Count(asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1)
        })
        .start()?;
    notify("READY=1")?;
    println!("ready at {}", primary.address());
    loop {
        // What a primary of a group has to do besides. SIGTERM ends it; who comes next takes its place.
        thread::sleep(SECOND);
    }
}

fn secondary(gid: u32) -> Result<(), Box<dyn Error>> {
    let secondary = Secondary::builder("packet").share_with_group(gid).start()?;
    notify("READY=1")?;
    loop {
        match secondary.request(&HowMany, SECOND) {
            Ok(Count(count)) => println!("asked {count} times"),
            // It may be restarting: the next call finds the next one.
            Err(error) => println!("no answer: {error}"),
        }
        thread::sleep(SECOND);
    }
}

/// Tells systemd, or whoever set `NOTIFY_SOCKET` (`sd_notify(3)`); nobody if it is not set.
fn notify(state: &str) -> io::Result<()> {
    let Ok(socket) = env::var("NOTIFY_SOCKET") else { return Ok(()) };
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(&socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}

/// The number of a system group.
fn gid(group: &str) -> Result<u32, Box<dyn Error>> {
    if let Ok(gid) = group.parse() {
        return Ok(gid);
    }
    let entry = Command::new("getent").args(["group", group]).output()?.stdout;
    let entry = String::from_utf8(entry)?;
    let gid = entry.split(':').nth(2).ok_or_else(|| format!("there is no group {group:?}"))?;
    Ok(gid.parse()?)
}
