use std::os::fd::{BorrowedFd, OwnedFd};

use mp_typed::{Message, Response};

#[derive(Response)]
pub struct Ring {
    pub slots: u32,
    #[fd]
    pub memory: OwnedFd,
}

#[derive(Response)]
#[message(lends = Ring)]
pub struct AnotherSize<'a> {
    pub slots: u64,
    #[fd]
    pub memory: BorrowedFd<'a>,
}

#[derive(Response)]
#[message(lends = Ring)]
pub struct AnotherKind<'a> {
    pub slots: f32,
    #[fd]
    pub memory: BorrowedFd<'a>,
}

#[derive(Response)]
#[message(lends = Ring)]
pub struct AnotherName<'a> {
    pub slots: u32,
    #[fd]
    pub table: BorrowedFd<'a>,
}

#[derive(Response)]
#[message(lends = Ring)]
pub struct OneMore<'a> {
    pub slots: u32,
    #[fd]
    pub memory: BorrowedFd<'a>,
    pub used: u32,
}

#[derive(Response)]
#[message(lends = Ring, layout = "C")]
pub struct AnotherLayout<'a> {
    pub slots: u32,
    #[fd]
    pub memory: BorrowedFd<'a>,
}

#[derive(Response)]
#[message(lends = u32)]
pub struct OfNoResponse<'a> {
    #[fd]
    pub memory: BorrowedFd<'a>,
}

#[derive(Message)]
#[message(name = "ring", lends = Ring)]
pub struct NoResponse<'a> {
    #[fd]
    pub memory: BorrowedFd<'a>,
}

fn main() {}
