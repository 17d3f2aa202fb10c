//! Addresses of sockets: paths, held as the kernel takes and gives them.
//!
//! Where a datagram came from is written here by the kernel itself ([`Source`]), and answers are
//! sent to those very bytes: nothing is copied or converted in between.
#![allow(unsafe_code)]

use std::{
    ffi::OsStr,
    fmt,
    hash::{Hash, Hasher},
    io,
    mem::offset_of,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    ptr,
};

use libc::{c_void, sa_family_t, sockaddr_un};
use rustix::net::addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque};

/// The longest path a socket can be bound to, in bytes: `sun_path` less its NUL.
pub(crate) const MAX_PATH: usize = SUN_PATH - 1;

/// How many bytes `sun_path` has.
const SUN_PATH: usize = 108;

/// Where a socket is bound: a path, held inline.
///
/// Two addresses are equal when their paths are, byte for byte.
///
/// Implements `struct sockaddr_un` of `unix(7)`.
#[doc(alias = "sockaddr_un")]
#[derive(Clone)]
pub struct Address {
    raw: Raw,
    /// Of the path, without its NUL, which follows it in `raw`.
    len: u8,
}

/// `struct sockaddr_un`, with its path as bytes.
#[derive(Clone)]
#[repr(C)]
struct Raw {
    family: sa_family_t,
    path: [u8; SUN_PATH],
}

const _: () = {
    assert!(size_of::<Raw>() == size_of::<sockaddr_un>() && align_of::<Raw>() == align_of::<sockaddr_un>());
    assert!(offset_of!(Raw, path) == offset_of!(sockaddr_un, sun_path));
    assert!(offset_of!(Raw, family) == offset_of!(sockaddr_un, sun_family));
    assert!(MAX_PATH <= u8::MAX as usize);
};

impl Address {
    /// # Errors
    ///
    /// [`PathTooLong`] over 107 bytes.
    pub(crate) fn new(path: &Path) -> Result<Self, PathTooLong> {
        let bytes = path.as_os_str().as_bytes();
        let too_long = || PathTooLong { len: bytes.len(), path: path.to_owned() };
        if bytes.len() > MAX_PATH || bytes.contains(&0) {
            return Err(too_long());
        }
        let mut address = Self::NOWHERE;
        address.raw.path[..bytes.len()].copy_from_slice(bytes);
        address.len = bytes.len() as u8;
        Ok(address)
    }

    /// The address that the kernel tells as these bytes, if it can be sent to.
    pub(super) fn of_sender(bytes: &[u8]) -> Option<Self> {
        // The kernel ends the path with a NUL, and has none in it.
        let path = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        if path.is_empty() { None } else { Self::new(Path::new(OsStr::from_bytes(path))).ok() }
    }

    /// The whole path.
    #[must_use]
    pub fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(self.as_bytes()))
    }

    /// The last part of the path, which tells a member from another: the same directory can be
    /// reached, and so spelled, in several ways.
    #[must_use]
    pub fn file_name(&self) -> &OsStr {
        self.path().file_name().unwrap_or_default()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.raw.path[..usize::from(self.len)]
    }

    pub(super) fn sockaddr(&self) -> Sockaddr<'_> {
        Sockaddr(self)
    }

    const NOWHERE: Self =
        Self { raw: Raw { family: libc::AF_UNIX as sa_family_t, path: [0; SUN_PATH] }, len: 0 };
}

/// An address as system calls take it.
pub(super) struct Sockaddr<'a>(&'a Address);

// SAFETY: `raw` has the layout of a `sockaddr_un`, which is asserted above, and is borrowed. The
// length told is that of its family and of a path with its NUL: `len` is at most `MAX_PATH`, so no
// more than `raw` has.
unsafe impl SocketAddrArg for Sockaddr<'_> {
    unsafe fn with_sockaddr<R>(&self, f: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R) -> R {
        let len = offset_of!(Raw, path) + usize::from(self.0.len) + 1;
        f(ptr::from_ref(&self.0.raw).cast(), len as SocketAddrLen)
    }
}

/// Where a datagram came from: a path, or nowhere that an answer can be sent to.
#[derive(Clone)]
pub(crate) struct Source(Address);

impl Source {
    pub(super) const NOWHERE: Self = Self(Address::NOWHERE);

    /// Where to send an answer to; `None` if the sender is not bound to a path.
    pub(crate) fn address(&self) -> Option<&Address> {
        (self.0.len > 0).then_some(&self.0)
    }

    /// For the kernel to write to, no more than that many bytes; then [`written`](Self::written) is
    /// to be called. Whatever is written is valid: it is numbers.
    pub(super) fn as_mut_ptr(&mut self) -> (*mut c_void, u32) {
        self.0.len = 0;
        (ptr::from_mut(&mut self.0.raw).cast(), size_of::<Raw>() as u32)
    }

    /// The kernel says that it has written, or would have, so many bytes.
    pub(super) fn written(&mut self, len: u32) {
        // It tells one byte more than there is room for of a path that fills `sun_path`: that is
        // too long to be sent to. An abstract address begins with a NUL.
        let path = (len as usize).saturating_sub(offset_of!(Raw, path));
        let is_path = (2..=SUN_PATH).contains(&path) && self.0.raw.path[0] != 0;
        // The NUL that ends it is among them.
        let ends = is_path && self.0.raw.path[path - 1] == 0;
        self.0.len = if ends { (path - 1) as u8 } else { 0 };
        self.0.raw.family = libc::AF_UNIX as sa_family_t;
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Source {}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address().fmt(f)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Address {}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().display().fmt(f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().fmt(f)
    }
}

/// A socket cannot have this path: `sun_path` holds 107 bytes and a NUL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "the socket path {path:?} is {len} bytes long; the limit is {MAX_PATH}: use a shorter file-prefix or runtime directory"
)]
pub struct PathTooLong {
    /// The path.
    pub path: PathBuf,
    /// Its length, in bytes.
    pub len: usize,
}

impl From<PathTooLong> for io::Error {
    fn from(error: PathTooLong) -> Self {
        Self::new(io::ErrorKind::InvalidFilename, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel tells of a sender whose address is these bytes.
    fn told(path: &[u8], len: usize) -> Option<Address> {
        let mut source = Source::NOWHERE;
        // What came before must not show.
        source.0.raw.path.fill(b'x');
        let _ = source.as_mut_ptr();
        let room = path.len().min(SUN_PATH);
        source.0.raw.path[..room].copy_from_slice(&path[..room]);
        source.written((offset_of!(Raw, path) + len) as u32);
        source.address().cloned()
    }

    #[test]
    fn a_path_of_107_bytes_is_the_longest() {
        let path = PathBuf::from("/".repeat(107));
        assert_eq!(Address::new(&path).expect("fits").path(), path);
        let error = Address::new(&PathBuf::from("p".repeat(108))).expect_err("too long");
        assert_eq!(error.len, 108);
        assert!(error.to_string().contains("ppp"), "{error}");
    }

    #[test]
    fn a_sender_without_a_path_has_no_address() {
        for bytes in [&b""[..], b"\0", b"\0abstract", b"\0abstract\0"] {
            assert_eq!((Address::of_sender(bytes), told(bytes, bytes.len())), (None, None));
        }
        assert_eq!(Address::of_sender(&[b'p'; 108]), None);
        assert_eq!(told(&[b'p'; 108], 109), None, "the kernel tells one byte more");
        assert_eq!(told(&[b'p'; 108], 108), None, "without a NUL it is not whole");
        let expected = Address::new(Path::new("/tmp/a")).expect("fits");
        assert_eq!(Address::of_sender(b"/tmp/a\0"), Some(expected.clone()));
        let sender = told(b"/tmp/a\0", 7).expect("a path");
        assert_eq!(sender, expected);
        assert_eq!(sender.file_name(), "a");
        let longest = [[b'p'; 107].as_slice(), b"\0"].concat();
        assert_eq!(told(&longest, 108).map(|address| address.as_bytes().len()), Some(107));
    }

    #[test]
    fn directories_need_not_be_utf8() {
        let path = Path::new(OsStr::from_bytes(b"/tmp/\xff\xfe/mp_socket"));
        assert_eq!(Address::new(path).expect("fits").path(), path);
    }
}
