//! What the processes of a soak say to each other, and what the right answer to each is.
//!
//! Every answer can be told from every other by its content, so that one which went to the wrong request shows.

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
};

use mp_typed::{Message, Payload, Request, Response, Sealed};
use rustix::fs::{MemfdFlags, memfd_create};
use serde::{Deserialize, Serialize};

/// Asks for a sum of what it carries.
#[derive(Request)]
#[message(name = "echo", response = Echoed)]
pub(crate) struct Echo {
    pub(crate) nonce: u64,
    #[message(max_len = 64)]
    pub(crate) text: String,
}

#[derive(Response, Debug, PartialEq)]
pub(crate) struct Echoed {
    pub(crate) nonce: u64,
    pub(crate) sum: u64,
}

impl Echo {
    pub(crate) fn new(nonce: u64) -> Self {
        Self { nonce, text: format!("{nonce:x}").repeat(1 + (nonce % 4) as usize) }
    }

    pub(crate) fn answer(&self) -> Echoed {
        Echoed { nonce: self.nonce, sum: sum(self.text.bytes()) }
    }
}

fn sum(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Sends memory and wants other memory back.
#[derive(Request)]
#[message(name = "exchange", response = Exchanged)]
pub(crate) struct Exchange {
    pub(crate) nonce: u64,
    #[fd]
    pub(crate) memory: File,
}

#[derive(Response)]
pub(crate) struct Exchanged {
    #[fd]
    pub(crate) memory: File,
}

impl Exchange {
    pub(crate) fn new(nonce: u64) -> io::Result<Self> {
        Ok(Self { nonce, memory: memory_with(nonce)? })
    }

    pub(crate) fn answer(mut self) -> io::Result<Exchanged> {
        let there = read(&mut self.memory)?;
        if there != self.nonce {
            return Err(io::Error::other(format!("descriptor of {there} came with {}", self.nonce)));
        }
        Ok(Exchanged { memory: memory_with(!self.nonce)? })
    }
}

impl Exchanged {
    pub(crate) fn answers(mut self, nonce: u64) -> io::Result<bool> {
        Ok(read(&mut self.memory)? == !nonce)
    }
}

fn memory_with(nonce: u64) -> io::Result<File> {
    let mut memory = File::from(memfd_create("soak", MemfdFlags::CLOEXEC)?);
    memory.write_all(&nonce.to_ne_bytes())?;
    Ok(memory)
}

fn read(memory: &mut File) -> io::Result<u64> {
    let mut bytes = [0; 8];
    memory.rewind()?;
    memory.read_exact(&mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

/// A value that fits no message.
#[derive(Serialize, Deserialize)]
pub(crate) struct Table {
    rows: Vec<u64>,
}

impl Table {
    pub(crate) const ROWS: u64 = 1280;

    pub(crate) fn new(nonce: u64) -> Self {
        Self { rows: (0..Self::ROWS).map(|row| nonce.wrapping_mul(row + 1)).collect() }
    }
}

/// Asks for one row of a table.
#[derive(Request)]
#[message(name = "lookup", response = Row)]
pub(crate) struct Lookup {
    pub(crate) row: u64,
    #[fd]
    pub(crate) table: Sealed<Table>,
}

#[derive(Response, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) value: u64,
}

impl Lookup {
    pub(crate) fn answer(&self) -> io::Result<Row> {
        let table = self.table.read(64 * 1024).map_err(io::Error::other)?;
        table.rows.get(self.row as usize).map(|&value| Row { value }).ok_or(io::Error::other("no such row"))
    }
}

/// Asks for an answer or an error.
#[derive(Request)]
#[message(name = "halve", response = Result<Half, Odd>)]
pub(crate) struct Halve {
    pub(crate) number: u64,
}

#[derive(Response, Debug, PartialEq)]
pub(crate) struct Half(pub(crate) u64);

#[derive(Response, Debug, PartialEq)]
pub(crate) enum Odd {
    Number { number: u64 },
}

impl Halve {
    pub(crate) fn answer(&self) -> Result<Half, Odd> {
        match self.number % 2 {
            0 => Ok(Half(self.number / 2)),
            _ => Err(Odd::Number { number: self.number }),
        }
    }
}

/// Keeps a handler busy for a while.
#[derive(Request)]
#[message(name = "dawdle", response = Dawdled)]
pub(crate) struct Dawdle {
    pub(crate) millis: u16,
    pub(crate) nonce: u64,
}

#[derive(Response, Debug, PartialEq)]
pub(crate) struct Dawdled {
    pub(crate) nonce: u64,
}

/// Has the handler ask its own primary before it answers.
#[derive(Request)]
#[message(name = "relay", response = Echoed)]
pub(crate) struct Relay {
    pub(crate) nonce: u64,
}

/// One way, in order.
#[derive(Message, Clone)]
#[message(name = "note")]
pub(crate) struct Note {
    pub(crate) from: Sender,
    pub(crate) sequence: u64,
}

/// Who has a sequence of its own. A process id is used again; this is not.
#[derive(Payload, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sender {
    pub(crate) process: u64,
    pub(crate) thread: u32,
}

/// What most have under this name.
#[derive(Request)]
#[message(name = "setting", response = Settled, accepts = older::Set)]
pub(crate) struct Set {
    pub(crate) port: u16,
    pub(crate) speed: u64,
}

#[derive(Response, Debug, PartialEq)]
pub(crate) struct Settled {
    pub(crate) speed: u64,
}

impl From<older::Set> for Set {
    fn from(old: older::Set) -> Self {
        Self { port: old.port, speed: 10 }
    }
}

impl From<Settled> for older::Settled {
    fn from(new: Settled) -> Self {
        Self { speed: new.speed as u32 }
    }
}

/// What most have under this name; an older process has other fields, which nobody accepts.
#[derive(Request)]
#[message(name = "strict", response = ())]
pub(crate) struct Strict {
    pub(crate) first: u32,
    pub(crate) second: u16,
}

/// The definitions of the release before.
pub(crate) mod older {
    use mp_typed::{Request, Response};

    #[derive(Request)]
    #[message(name = "setting", response = Settled)]
    pub(crate) struct Set {
        pub(crate) port: u16,
    }

    #[derive(Response, Debug, PartialEq)]
    pub(crate) struct Settled {
        pub(crate) speed: u32,
    }

    #[derive(Request)]
    #[message(name = "strict", response = ())]
    pub(crate) struct Strict {
        pub(crate) second: u16,
        pub(crate) first: u32,
    }
}
