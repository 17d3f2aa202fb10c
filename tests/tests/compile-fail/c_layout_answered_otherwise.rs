use std::os::fd::OwnedFd;

use mp_typed::{Request, Response};

#[derive(Response)]
pub struct Opened {
    pub slots: u32,
}

#[derive(Request)]
#[message(name = "open", layout = "C", response = Opened)]
pub struct Open {
    pub port: u16,
}

/// No bytes, no layout: these are fine.
#[derive(Response)]
pub struct OnlyFds(#[fd] pub OwnedFd);

#[derive(Request)]
#[message(name = "open", layout = "C", response = OnlyFds)]
pub struct OpenFds(pub u16);

#[derive(Request)]
#[message(name = "open", layout = "C", response = ())]
pub struct OpenNothing(pub u16);

/// What is no response is one error, as ever.
#[derive(Request)]
#[message(name = "open", layout = "C", response = u32)]
pub struct OpenNumber(pub u16);

fn main() {}
