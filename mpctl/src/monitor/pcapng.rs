//! A capture for Wireshark: pcapng, as its specification (draft-ietf-opsawg-pcapng) has it.
//!
//! There is no link type of Unix datagrams, so it is `LINKTYPE_USER0`: a packet is a datagram of DPDK's IPC
//! as it was. Each member is an interface, named by its socket. Each packet bears its direction as
//! the member saw it, and in a comment what this tool says in a line.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
/// For private use: whoever captures says what it is.
const LINKTYPE_USER0: u16 = 147;

const COMMENT: u16 = 1;
const USER_APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const TIME_RESOLUTION: u16 = 9;
const FLAGS: u16 = 2;
const NANOSECONDS: u8 = 9;
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

/// What is captured, written as it comes.
#[derive(Debug)]
pub(crate) struct Capture<W> {
    file: W,
    /// By the member's socket, in the order in which they were met.
    interfaces: BTreeMap<String, u32>,
}

impl<W: Write> Capture<W> {
    pub(crate) fn new(mut file: W) -> io::Result<Self> {
        let mut body = Vec::new();
        // The byte order, by which readers know it; version 1.0; a length that is not known.
        body.extend(0x1a2b_3c4d_u32.to_ne_bytes());
        body.extend([1_u16, 0].map(u16::to_ne_bytes).concat());
        body.extend(u64::MAX.to_ne_bytes());
        option(&mut body, USER_APPLICATION, concat!("mpctl ", env!("CARGO_PKG_VERSION")).as_bytes());
        end_of_options(&mut body);
        block(&mut file, SECTION, &body)?;
        Ok(Self { file, interfaces: BTreeMap::new() })
    }

    /// Adds a datagram that the member at this socket saw.
    pub(crate) fn add(
        &mut self,
        member: &str,
        time: Duration,
        is_inbound: bool,
        datagram: &[u8],
        comment: &str,
    ) -> io::Result<()> {
        let interface = self.interface(member)?;
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let length = datagram.len() as u32;
        let mut body = Vec::new();
        for number in [interface, (nanos >> 32) as u32, nanos as u32, length, length] {
            body.extend(number.to_ne_bytes());
        }
        padded(&mut body, datagram);
        option(&mut body, COMMENT, comment.as_bytes());
        option(&mut body, FLAGS, &if is_inbound { INBOUND } else { OUTBOUND }.to_ne_bytes());
        end_of_options(&mut body);
        block(&mut self.file, PACKET, &body)?;
        self.file.flush()
    }

    fn interface(&mut self, member: &str) -> io::Result<u32> {
        if let Some(known) = self.interfaces.get(member) {
            return Ok(*known);
        }
        let mut body = Vec::new();
        body.extend([LINKTYPE_USER0, 0].map(u16::to_ne_bytes).concat());
        // A packet is never cut.
        body.extend(0_u32.to_ne_bytes());
        option(&mut body, INTERFACE_NAME, member.as_bytes());
        option(&mut body, TIME_RESOLUTION, &[NANOSECONDS]);
        end_of_options(&mut body);
        block(&mut self.file, INTERFACE, &body)?;
        let number = self.interfaces.len() as u32;
        self.interfaces.insert(member.to_owned(), number);
        Ok(number)
    }
}

/// A block: its type and length, the body, and the length once more.
fn block(file: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = (body.len() as u32 + 12).to_ne_bytes();
    file.write_all(&[&kind.to_ne_bytes()[..], &length, body, &length].concat())
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX) - 3)];
    body.extend(code.to_ne_bytes());
    body.extend((value.len() as u16).to_ne_bytes());
    padded(body, value);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

/// Filled up to whole words.
fn padded(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8], at: usize) -> u32 {
        u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
    }

    /// The blocks of a file: type and body.
    fn blocks(mut file: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut blocks = Vec::new();
        while !file.is_empty() {
            let length = number(file, 4) as usize;
            assert_eq!(length % 4, 0);
            assert_eq!(number(file, length - 4) as usize, length, "the length stands at both ends");
            blocks.push((number(file, 0), file[8..length - 4].to_vec()));
            file = &file[length..];
        }
        blocks
    }

    /// Options by code.
    fn options(mut body: &[u8]) -> Vec<(u16, Vec<u8>)> {
        let mut options = Vec::new();
        loop {
            let (code, length) = (number(body, 0) as u16, (number(body, 0) >> 16) as usize);
            if code == 0 {
                assert_eq!(body.len(), 4, "nothing follows");
                return options;
            }
            options.push((code, body[4..4 + length].to_vec()));
            body = &body[4 + length.next_multiple_of(4)..];
        }
    }

    #[test]
    fn a_reader_gets_what_was_written() {
        let mut file = Vec::new();
        let mut capture = Capture::new(&mut file).expect("memory takes it");
        let time = Duration::new(1_795_671_000, 123_456_789);
        capture.add("/g/mp_socket", time, true, &[7; 333], "in").expect("memory takes it");
        capture.add("/g/mp_socket_7_a", time, false, &[8; 340], "out").expect("memory takes it");
        capture.add("/g/mp_socket", time, true, &[], "").expect("memory takes it");
        let blocks = blocks(&file);
        let kinds: Vec<_> = blocks.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [SECTION, INTERFACE, PACKET, INTERFACE, PACKET, PACKET]);
        assert_eq!(number(&blocks[0].1, 0), 0x1a2b_3c4d);
        assert_eq!(number(&blocks[1].1, 0) as u16, LINKTYPE_USER0);
        assert_eq!(options(&blocks[3].1[8..])[0], (INTERFACE_NAME, b"/g/mp_socket_7_a".to_vec()));
        let packet = &blocks[2].1;
        let nanos = u64::from(number(packet, 4)) << 32 | u64::from(number(packet, 8));
        assert_eq!((number(packet, 0), u128::from(nanos)), (0, time.as_nanos()));
        assert_eq!((number(packet, 12), number(packet, 16)), (333, 333));
        assert_eq!(packet[20..20 + 333], [7; 333]);
        let expected = [(COMMENT, b"in".to_vec()), (FLAGS, INBOUND.to_ne_bytes().to_vec())];
        assert_eq!(options(&packet[20 + 336..]), expected);
        assert_eq!(number(&blocks[4].1, 0), 1, "the second interface");
    }
}
