use std::os::fd::BorrowedFd;
use std::time::Duration;

use mp_typed::{Request, Response, Secondary};

#[derive(Request)]
#[message(name = "ring", response = Ring<'static>)]
pub struct OpenRing;

#[derive(Response)]
pub struct Ring<'a> {
    #[fd]
    pub memory: BorrowedFd<'a>,
}

pub fn mixed_up(secondary: &Secondary, timeout: Duration) {
    let _ = secondary.request(&OpenRing, timeout);
}

fn main() {}
