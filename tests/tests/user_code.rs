//! The user code of the README, running.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]

use std::{
    fs::File,
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    sync::mpsc,
    time::Duration,
};

use mp_typed::{Message, Payload, Peer, Primary, Request, Response, Secondary};

#[derive(Message)]
#[message(name = "link_state")]
pub struct LinkState {
    pub port: u16,
    pub up: bool,
}

#[derive(Request)]
#[message(name = "ring_open", response = Result<Ring, OpenError>)]
pub struct OpenRing {
    pub port: u16,
    #[message(max_len = 32)]
    pub label: String,
}

#[derive(Response)]
pub struct Ring {
    pub geometry: Geometry,
    #[fd]
    pub memory: OwnedFd,
}

#[derive(Response, Debug)]
pub enum OpenError {
    NoSuchPort { ports: u16 },
    Busy,
}

#[derive(Payload)]
pub struct Geometry {
    pub slots: u32,
    pub head: [u64; 4],
}

#[derive(Request)]
#[message(name = "ping", response = ())]
pub struct Ping;

type TestResult = Result<(), Box<dyn std::error::Error>>;

#[test]
fn the_user_code_of_the_readme_runs() -> TestResult {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
    let (seen, states) = mpsc::channel();
    let from_secondary = seen.clone();

    let primary = Primary::builder("packet-app")
        .runtime_dir(dir.path())
        .serve(|request: OpenRing, peer: &Peer| -> Result<Ring, OpenError> {
            assert_eq!((request.label.as_str(), peer.pid()), ("rx", std::process::id()));
            if request.port >= 2 {
                return Err(OpenError::NoSuchPort { ports: 2 });
            }
            let memory = File::open("/dev/zero").map_err(|_| OpenError::Busy)?.into();
            Ok(Ring { geometry: Geometry { slots: 512, head: [1, 2, 3, 4] }, memory })
        })
        .on(move |state: LinkState, _: &Peer| from_secondary.send(("primary", state.port, state.up)).unwrap())
        .start()?;
    let secondary = Secondary::builder("packet-app")
        .runtime_dir(dir.path())
        .on(move |state: LinkState, _: &Peer| seen.send(("secondary", state.port, state.up)).unwrap())
        .serve(|_: Ping, _: &Peer| ())
        .start()?;

    primary.send(&LinkState { port: 0, up: true })?;
    assert_eq!(states.recv()?, ("secondary", 0, true));
    secondary.send(&LinkState { port: 1, up: false })?;
    assert_eq!(states.recv()?, ("primary", 1, false));

    let pongs = primary.request(&Ping, Duration::from_secs(1))?;
    assert_eq!((pongs.sent(), pongs.received()), (1, 1));

    let ring = secondary.request(&OpenRing { port: 0, label: "rx".into() }, Duration::from_secs(1))?;
    let ring = ring.expect("there is a port 0");
    assert_eq!((ring.geometry.slots, ring.geometry.head), (512, [1, 2, 3, 4]));
    assert!(
        std::fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&ring.memory)))?
            .ends_with("zero")
    );

    let asked = secondary.request_async(&OpenRing { port: 0, label: "rx".into() }, Duration::from_secs(1));
    assert_eq!(pollster::block_on(asked)?.expect("there is a port 0").geometry.slots, 512);

    // A handler's error is a part of the answer.
    let refused = secondary.request(&OpenRing { port: 9, label: "rx".into() }, Duration::from_secs(60))?;
    assert!(matches!(refused, Err(OpenError::NoSuchPort { ports: 2 })));
    Ok(())
}
