//! DPDK's `config` file: which DPDK made it, and whether that process lives.

use std::{
    io::{self, Read},
    os::fd::AsFd,
};

use crate::wire::Layout;

const MAGIC: u32 = 19_820_526;

/// The version word of a `config` file; `None` if the file is not DPDK's.
///
/// It is `year << 24 | month << 16 | minor << 8 | release` since 20.02; before
/// that a small count stood there, which is below any year.
pub(super) fn version(mut file: impl Read) -> io::Result<Option<u32>> {
    let mut start = [0; 8];
    match file.read_exact(&mut start) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let [a, b, c, d, rest @ ..] = start;
    Ok((u32::from_ne_bytes([a, b, c, d]) == MAGIC).then(|| u32::from_ne_bytes(rest)))
}

/// The layout that a DPDK with this version word speaks.
pub(super) fn layout(version: u32) -> Layout {
    const FIRST_WITH_340: u32 = 25 << 24 | 11 << 16;
    if version >= FIRST_WITH_340 { Layout::Bytes340 } else { Layout::Bytes332 }
}

/// The process that holds a write lock on the file, as a live DPDK primary does.
pub(super) fn lock_holder(file: impl AsFd) -> io::Result<Option<u32>> {
    let mut lock = libc::flock {
        l_type: libc::F_WRLCK as i16,
        l_whence: libc::SEEK_SET as i16,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    nix::fcntl::fcntl(file, nix::fcntl::FcntlArg::F_GETLK(&mut lock))?;
    let held = lock.l_type != libc::F_UNLCK as i16;
    Ok(held.then(|| u32::try_from(lock.l_pid).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(magic: u32, version: u32) -> Vec<u8> {
        [magic.to_ne_bytes(), version.to_ne_bytes(), [0; 4]].concat()
    }

    #[test]
    fn the_version_decides_the_layout() {
        let cases = [
            (4, Layout::Bytes332),           // channels, before 20.02
            (0x160b_0b63, Layout::Bytes332), // 22.11.11
            (0x1907_0063, Layout::Bytes332), // 25.07
            (0x190a_ffff, Layout::Bytes332),
            (0x190b_0000, Layout::Bytes340), // 25.11
            (0x1a07_0063, Layout::Bytes340), // 26.07
        ];
        for (version, expected) in cases {
            let read = super::version(&*config(MAGIC, version)).expect("read");
            assert_eq!(read.map(layout), Some(expected), "{version:#x}");
        }
    }

    #[test]
    fn a_file_that_is_not_dpdks_tells_nothing() {
        for bytes in [vec![], vec![0; 7], config(0, 0x160b_0b63), config(MAGIC.swap_bytes(), 0)] {
            assert_eq!(version(&*bytes).expect("read"), None);
        }
    }
}
