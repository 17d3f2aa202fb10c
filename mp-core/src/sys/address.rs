use std::{
    ffi::{CStr, OsStr},
    fmt, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use rustix::{io::Errno, net::SocketAddrUnix};

/// The longest path a socket can be bound to, in bytes: `sun_path` less its NUL.
pub(crate) const MAX_PATH: usize = 107;

/// Where a socket is bound: a path, held inline.
///
/// Two addresses are equal when their paths are, byte for byte.
///
/// Implements `struct sockaddr_un` of `unix(7)`.
#[doc(alias = "sockaddr_un")]
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(SocketAddrUnix);

impl Address {
    /// # Errors
    ///
    /// [`PathTooLong`] over 107 bytes.
    pub(crate) fn new(path: &Path) -> Result<Self, PathTooLong> {
        let too_long = || PathTooLong { len: path.as_os_str().len(), path: path.to_owned() };
        if path.as_os_str().len() > MAX_PATH {
            return Err(too_long());
        }
        SocketAddrUnix::new(path).map(Self).map_err(|_: Errno| too_long())
    }

    /// The sender's address as the kernel gave it, if a reply can be sent there.
    pub(super) fn of_sender(bytes: &[u8]) -> Option<Self> {
        match CStr::from_bytes_until_nul(bytes) {
            // Every reply is sent to such a path: it is not copied or searched again.
            Ok(path) if !path.is_empty() => SocketAddrUnix::new(path).map(Self).ok(),
            Ok(_) => None,
            Err(_) if bytes.is_empty() => None,
            // A path may fill `sun_path`; then it is too long to be sent to.
            Err(_) => Self::new(Path::new(OsStr::from_bytes(bytes))).ok(),
        }
    }

    /// The whole path.
    #[must_use]
    pub fn path(&self) -> &Path {
        // rustix leaves the NUL of a path that fills `sun_path`.
        let path = self.0.path_bytes().unwrap_or_default();
        Path::new(OsStr::from_bytes(path.strip_suffix(b"\0").unwrap_or(path)))
    }

    /// The last part of the path, which tells a member from another: the same directory can be
    /// reached, and so spelled, in several ways.
    #[must_use]
    pub fn file_name(&self) -> &OsStr {
        self.path().file_name().unwrap_or_default()
    }

    pub(super) fn sockaddr(&self) -> &SocketAddrUnix {
        &self.0
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
        for bytes in [&b""[..], b"\0", b"\0abstract"] {
            assert_eq!(Address::of_sender(bytes), None);
        }
        assert_eq!(Address::of_sender(&[b'p'; 108]), None);
        let sender = Address::of_sender(b"/tmp/a\0").expect("a path");
        assert_eq!(sender, Address::new(Path::new("/tmp/a")).expect("fits"));
        assert_eq!(sender.file_name(), "a");
    }

    #[test]
    fn directories_need_not_be_utf8() {
        let path = Path::new(OsStr::from_bytes(b"/tmp/\xff\xfe/mp_socket"));
        assert_eq!(Address::new(path).expect("fits").path(), path);
    }
}
