use mp_typed::{Request, Response};

#[derive(Request)]
#[message(name = "whole", response = Result<Table, Error>)]
pub struct Whole;

#[derive(Response)]
pub struct Table {
    pub port: u64,
    pub rows: [u64; 31],
}

#[derive(Response)]
pub struct Error;

#[derive(Request)]
#[message(name = "part", response = Result<Error, Part>)]
pub struct GetPart;

#[derive(Response)]
pub struct Part {
    pub rows: [u64; 40],
}

fn main() {}
