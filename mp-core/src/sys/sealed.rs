//! Text in memory that nobody can change any more, and that travels as a descriptor.
//!
//! It knows nothing of what the text says. Who gets such memory believes the kernel's seals, not
//! its sender.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, memfd_create},
    io::{Errno, pread, retry_on_intr, write},
};

/// Whoever has these can read a size and the bytes once, and know that neither changes.
const SEALS: SealFlags =
    SealFlags::SEAL.union(SealFlags::SHRINK).union(SealFlags::GROW).union(SealFlags::WRITE);

/// New memory with this text.
pub(crate) fn seal(text: &str) -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let memory = match memfd_create(c"mp_inspect", flags | MemfdFlags::NOEXEC_SEAL) {
        // Before Linux 6.3.
        Err(Errno::INVAL) => memfd_create(c"mp_inspect", flags),
        memory => memory,
    }?;
    let mut left = text.as_bytes();
    while !left.is_empty() {
        match retry_on_intr(|| write(&memory, left))? {
            0 => return Err(Errno::NOSPC),
            written => left = &left[written..],
        }
    }
    fcntl_add_seals(&memory, SEALS)?;
    Ok(memory)
}

/// The text in such memory, if it takes at most `limit` bytes.
pub(crate) fn unseal(memory: &impl AsFd, limit: usize) -> io::Result<String> {
    let invalid = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text);
    // Only memory has seals: of anything else the kernel says that it has none.
    let seals = fcntl_get_seals(memory).map_err(|_| invalid("its answer is not in memory"))?;
    if !seals.contains(SEALS) {
        return Err(invalid("the memory of its answer is not sealed: it could still change"));
    }
    let len = usize::try_from(fstat(memory)?.st_size).unwrap_or(usize::MAX);
    if len > limit {
        return Err(invalid(&format!("its answer takes {len} bytes, and {limit} are allowed")));
    }
    let (mut bytes, mut at) = (vec![0; len], 0);
    while at < len {
        match retry_on_intr(|| pread(memory, &mut bytes[at..], at as u64))? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => at += read,
        }
    }
    String::from_utf8(bytes).map_err(|_| invalid("its answer is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_read_again_and_nothing_else_is() {
        let memory = seal("{\"a\":1}").expect("memory");
        assert_eq!(unseal(&memory, 7).expect("sealed"), "{\"a\":1}");
        assert!(write(&memory, b"x").is_err(), "nobody can change it");
        let error = unseal(&memory, 6).expect_err("too long");
        assert_eq!(error.to_string(), "its answer takes 7 bytes, and 6 are allowed");

        let open = memfd_create(c"open", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).expect("memory");
        assert!(unseal(&open, 9).expect_err("not sealed").to_string().contains("not sealed"));
        let file = std::fs::File::open("/proc/self/status").expect("a file");
        assert!(unseal(&file, 9).expect_err("no memory").to_string().contains("not in memory"));
    }
}
