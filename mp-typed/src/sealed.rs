//! Values of any size, in memory that nobody can change any more.
//!
//! A message holds 256 bytes; a memfd holds what its sender likes, and travels as one descriptor.
//! Its seals are the kernel's word that it stays as it is, so that a receiver may look at its size
//! once, read, and believe what it read. It knows the encoding and nothing of messages.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, memfd_create};
use rustix::io::{Errno, pread, retry_on_intr, write};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::error::{DecodeFault, EncodeFault};

/// Whoever has these can read a size and the bytes once, and know that neither changes.
const SEALS: SealFlags =
    SealFlags::SEAL.union(SealFlags::SHRINK).union(SealFlags::GROW).union(SealFlags::WRITE);

/// A value of any size, which travels as one file descriptor: sealed memory with its encoding.
///
/// For what does not fit a message of 256 bytes: tables, configurations, lists of any length. As
/// an `#[fd]` field it takes one of the 8 descriptors and no bytes. The sender writes the value
/// once, whoever gets it reads it when it likes, and all that it is sent to share the one copy.
///
/// What a peer sends is believed only as far as the kernel vouches for it: a descriptor that is no
/// memory, or that is not sealed against every change, is refused when the message is decoded, in
/// words; [`read`](Self::read) is told how much it may take.
///
/// # Examples
///
/// ```
/// use mp_typed::{Request, Response, Sealed};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, PartialEq, Debug)]
/// struct Table { routes: Vec<(String, u32)> }
///
/// #[derive(Response)]
/// struct Routes { generation: u64, #[fd] table: Sealed<Table> }
///
/// let table = Table { routes: (0..1000).map(|n| (format!("10.0.{n}.0/24"), n)).collect() };
/// let routes = Routes { generation: 7, table: Sealed::new(&table)? };
/// assert!(routes.table.len() > 256);
/// assert_eq!(routes.table.read(64 * 1024)?, table);
/// # Ok::<(), mp_typed::SealedError>(())
/// ```
///
/// Implements `memfd_create(2)` and the seals of `fcntl(2)`.
pub struct Sealed<T: ?Sized> {
    memory: OwnedFd,
    len: usize,
    value: PhantomData<fn(&T) -> Box<T>>,
}

impl<T: ?Sized> Sealed<T> {
    /// How long the encoded value is, in bytes: what [`read`](Self::read) has to allow.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the encoded value has no bytes, as that of `()`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Another descriptor of the same memory.
    ///
    /// # Errors
    ///
    /// [`SealedError::Io`] if this process has no room for one.
    pub fn try_clone(&self) -> Result<Self, SealedError> {
        Ok(Self { memory: self.memory.try_clone()?, len: self.len, value: PhantomData })
    }
}

impl<T: Serialize + ?Sized> Sealed<T> {
    /// Encodes a value into memory of its own and seals it.
    ///
    /// The encoding is that of messages: bincode's, with integers of fixed size, little-endian.
    ///
    /// # Errors
    ///
    /// [`SealedError::Encode`] if the value's `Serialize` fails; [`SealedError::Io`] if the system
    /// has no memory or descriptor for it.
    pub fn new(value: &T) -> Result<Self, SealedError> {
        let bytes = codec::encode_any(value).map_err(SealedError::Encode)?;
        let memory = memory()?;
        write_all(&memory, &bytes)?;
        fcntl_add_seals(&memory, SEALS)?;
        Ok(Self { memory, len: bytes.len(), value: PhantomData })
    }
}

impl<T: DeserializeOwned> Sealed<T> {
    /// Decodes the value, if its encoding takes at most `limit` bytes.
    ///
    /// Decoding is strict, and never reserves more than the bytes that are there justify. Where the
    /// descriptor's file offset stands does not matter, and it is not moved.
    ///
    /// # Errors
    ///
    /// [`SealedError::TooLarge`] over the limit, before anything is read;
    /// [`SealedError::Decode`] if the bytes are no `T`; [`SealedError::Io`].
    pub fn read(&self, limit: usize) -> Result<T, SealedError> {
        if self.len > limit {
            return Err(SealedError::TooLarge { len: self.len, limit });
        }
        let bytes = read_all(&self.memory, self.len)?;
        let (value, used) = codec::decode_any(&bytes).map_err(SealedError::Decode)?;
        match bytes.len() - used {
            0 => Ok(value),
            left => Err(SealedError::TrailingBytes { used, left }),
        }
    }
}

impl<T: ?Sized> AsFd for Sealed<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }
}

/// Checks the seals: whoever got the descriptor need not trust whoever sent it.
impl<T: ?Sized> TryFrom<OwnedFd> for Sealed<T> {
    type Error = SealedError;

    fn try_from(memory: OwnedFd) -> Result<Self, SealedError> {
        // Only memory has seals; of anything else the kernel says that it has none.
        let seals = fcntl_get_seals(&memory).map_err(|errno| match errno {
            Errno::INVAL => SealedError::NotMemory,
            errno => errno.into(),
        })?;
        if !seals.contains(SEALS) {
            return Err(SealedError::NotSealed { missing: words(SEALS.difference(seals)) });
        }
        let len = fstat(&memory)?.st_size;
        let len = usize::try_from(len).map_err(|_| SealedError::NotMemory)?;
        Ok(Self { memory, len, value: PhantomData })
    }
}

impl<T: ?Sized> From<Sealed<T>> for OwnedFd {
    fn from(sealed: Sealed<T>) -> Self {
        sealed.memory
    }
}

impl<T: ?Sized> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("type", &std::any::type_name::<T>()).field("len", &self.len).finish()
    }
}

/// Memory that cannot be executed where the kernel can say so (6.3 and later).
fn memory() -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match memfd_create(c"mp_sealed", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => memfd_create(c"mp_sealed", flags),
        result => result,
    }
}

fn write_all(memory: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match retry_on_intr(|| write(memory, bytes))? {
            0 => return Err(Errno::NOSPC),
            written => bytes = &bytes[written..],
        }
    }
    Ok(())
}

/// The first `len` bytes. The seals say that they are there; if not, that is an error.
fn read_all(memory: &OwnedFd, len: usize) -> Result<Vec<u8>, SealedError> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| Errno::NOMEM)?;
    bytes.resize(len, 0);
    let mut at = 0;
    while at < len {
        match retry_on_intr(|| pread(memory, &mut bytes[at..], at as u64))? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            read => at += read,
        }
    }
    Ok(bytes)
}

fn words(seals: SealFlags) -> String {
    let names = [
        (SealFlags::SEAL, "F_SEAL_SEAL"),
        (SealFlags::SHRINK, "F_SEAL_SHRINK"),
        (SealFlags::GROW, "F_SEAL_GROW"),
        (SealFlags::WRITE, "F_SEAL_WRITE"),
    ];
    let missing = names.iter().filter(|(seal, _)| seals.contains(*seal)).map(|(_, name)| *name);
    missing.collect::<Vec<_>>().join(", ")
}

/// Why a value could not be sealed, or sealed memory not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealedError {
    /// The descriptor is a file, a socket or something else that cannot be sealed.
    #[error("the descriptor is not memory that can be sealed (`memfd_create(2)`)")]
    NotMemory,
    /// Its sender could still change the memory.
    #[error("the memory is not sealed: without {missing} its sender could still change it")]
    NotSealed {
        /// The seals of `fcntl(2)` that are not there.
        missing: String,
    },
    /// The value is larger than the reader allows.
    #[error("the value takes {len} bytes, and {limit} are allowed")]
    TooLarge {
        /// How long its encoding is.
        len: usize,
        /// What was allowed.
        limit: usize,
    },
    /// More bytes than the value has.
    #[error("the value takes {used} bytes, and {left} more follow: it is of another type")]
    TrailingBytes {
        /// The bytes of the value.
        used: usize,
        /// The bytes behind it.
        left: usize,
    },
    /// The value's `Serialize` failed.
    #[error("the value cannot be encoded: {0}")]
    Encode(EncodeFault),
    /// The bytes are no such value.
    #[error("the memory does not hold such a value: {0}")]
    Decode(DecodeFault),
    /// The system refused something.
    #[error("memory could not be made or read: {0}")]
    Io(io::Error),
}

impl From<io::Error> for SealedError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for SealedError {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

impl From<SealedError> for io::Error {
    fn from(error: SealedError) -> Self {
        match error {
            SealedError::Io(error) => error,
            SealedError::Encode(_) => Self::new(io::ErrorKind::InvalidInput, error),
            error => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}
