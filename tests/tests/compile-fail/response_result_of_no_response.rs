use std::os::fd::OwnedFd;

use mp_typed::{Payload, Request, Response};

#[derive(Request)]
#[message(name = "other", response = Result<Table, String>)]
pub struct GetOther;

#[derive(Response)]
pub struct Table {
    #[fd]
    pub memory: OwnedFd,
}

#[derive(Response)]
pub struct InAField(pub Result<Table, Busy>);

#[derive(Response)]
pub enum InAVariant {
    Table(Table),
    Busy,
}

#[derive(Payload)]
pub struct Busy;

fn main() {}
