//! Memory that processes share, for bulk data: a memfd of fixed size, mapped on both sides.
//!
//! The kernel's seals say that it never shrinks, so that no peer can make an access here fail with
//! SIGBUS. What lies in it others may change at any moment: it is only ever copied in and out, or
//! accessed as atomic numbers, and no reference to it is given out.

use std::fmt;
use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;

use rustix::fs::{
    MemfdFlags, OFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fcntl_getfl, fstat, fstatfs, ftruncate,
    memfd_create,
};
use rustix::io::Errno;
use vm_memory::mmap::MmapRegion;
use vm_memory::{AtomicAccess, Bytes, FileOffset, VolatileMemory};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Of this size for good.
const FIXED: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW);

/// The kind of file system that memory of ordinary pages is on (`TMPFS_MAGIC` of `statfs(2)`).
const TMPFS: rustix::fs::FsWord = 0x0102_1994;

/// Both sides read and write.
#[derive(Debug)]
pub enum ReadWrite {}

/// This side only reads.
#[derive(Debug)]
pub enum ReadOnly {}

/// How this side may access shared memory: [`ReadWrite`] or [`ReadOnly`].
pub trait Access: sealed::Access {}

impl Access for ReadWrite {}
impl Access for ReadOnly {}

mod sealed {
    use rustix::mm::ProtFlags;

    pub trait Access {
        #[doc(hidden)]
        const PROTECTION: ProtFlags;
    }

    impl Access for super::ReadWrite {
        const PROTECTION: ProtFlags = ProtFlags::READ.union(ProtFlags::WRITE);
    }

    impl Access for super::ReadOnly {
        const PROTECTION: ProtFlags = ProtFlags::READ;
    }
}

/// A fixed number of `T`s in memory that processes share; it travels as one file descriptor.
///
/// As an `#[fd]` field it takes one of a message's 8 descriptors and no bytes. `T` is a number, an
/// array of numbers, or a struct that derives zerocopy's traits: any bytes are a valid one, since a
/// peer may put any there. Elements are copied in and out; a copy that is made while a peer writes
/// may be half old and half new, so whoever needs more keeps an order with
/// [`load`](Self::load) and [`store`](Self::store), as a ring does.
///
/// A received one is checked before it is mapped: its size is fixed for good by seals, it holds
/// whole elements, and it may be written if the type says so. Otherwise the message is refused.
///
/// # Examples
///
/// ```
/// use mp_typed::{ReadOnly, Response, Shared};
///
/// #[derive(Response)]
/// struct Counters { #[fd] values: Shared<[u64], ReadOnly> }
///
/// let (counters, to_send) = Shared::<[u64]>::publish(512)?;
/// let response = Counters { values: to_send };
/// counters.set(7, 42);
/// assert_eq!((response.values.len(), response.values.at(7)), (512, Some(42)));
/// # Ok::<(), mp_typed::SharedError>(())
/// ```
///
/// Implements what DPDK processes use `rte_memzone_reserve` for, without DPDK: `memfd_create(2)`,
/// `mmap(2)`.
pub struct Shared<T: ?Sized, A = ReadWrite> {
    region: MmapRegion,
    file: FileOffset,
    of: PhantomData<fn(&T) -> A>,
}

/// What shared memory can hold: any bytes are a valid value of it, and it has no padding.
pub trait Element: FromBytes + IntoBytes + Immutable + Copy {}

impl<T: FromBytes + IntoBytes + Immutable + Copy> Element for T {}

impl<T: Element> Shared<[T]> {
    /// Memory for `len` elements, all zeros, which every process that gets it may write.
    ///
    /// # Errors
    ///
    /// [`SharedError::Empty`] for no elements; [`SharedError::Io`] if the system has no memory,
    /// descriptor or address space for it.
    pub fn new(len: usize) -> Result<Self, SharedError> {
        Self::map(memory::<T>(len, FIXED.union(SealFlags::SEAL))?.into(), len)
    }

    /// Memory for `len` elements, all zeros, which only this value may ever write; and the same to be
    /// sent, which can be read only.
    ///
    /// The kernel sees to it, whatever the receiver does (`F_SEAL_FUTURE_WRITE`, Linux 5.1).
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn publish(len: usize) -> Result<(Self, Shared<[T], ReadOnly>), SharedError> {
        let memory = memory::<T>(len, FIXED)?;
        let writer = Self::map(memory.try_clone()?.into(), len)?;
        fcntl_add_seals(&memory, SealFlags::FUTURE_WRITE | SealFlags::SEAL)?;
        Ok((writer, Shared::map(memory.into(), len)?))
    }

    /// Changes one element.
    ///
    /// # Panics
    ///
    /// If there is no element at `index`.
    pub fn set(&self, index: usize, value: T) {
        self.write(index, &[value]);
    }

    /// Copies elements in, from `first` on.
    ///
    /// # Panics
    ///
    /// If there are not as many elements.
    pub fn write(&self, first: usize, values: &[T]) {
        let at = self.offset(first, values.len());
        let memory = self.region.as_volatile_slice();
        memory.write_slice(values.as_bytes(), at).expect("the elements are within the mapping");
    }

    /// Changes one element at once, for `T` a number of at most 64 bits.
    ///
    /// # Panics
    ///
    /// If there is no element at `index`, or `order` is one of loads.
    pub fn store(&self, index: usize, value: T, order: Ordering)
    where
        T: AtomicAccess,
    {
        let at = self.offset(index, 1);
        self.region.as_volatile_slice().store(value, at, order).expect("elements are aligned");
    }
}

impl<T: Element, A: Access> Shared<[T], A> {
    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.region.size() / size_of::<T>()
    }

    /// Never: there is one element at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// A copy of one element; `None` if there is none at `index`.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<T> {
        if index >= self.len() {
            return None;
        }
        let mut value = [T::new_zeroed()];
        self.read(index, &mut value);
        Some(value[0])
    }

    /// Copies elements out, from `first` on.
    ///
    /// # Panics
    ///
    /// If there are not as many elements.
    pub fn read(&self, first: usize, values: &mut [T]) {
        let at = self.offset(first, values.len());
        let memory = self.region.as_volatile_slice();
        memory.read_slice(values.as_mut_bytes(), at).expect("the elements are within the mapping");
    }

    /// One element read at once, for `T` a number of at most 64 bits.
    ///
    /// # Panics
    ///
    /// If there is no element at `index`, or `order` is one of stores.
    #[must_use]
    pub fn load(&self, index: usize, order: Ordering) -> T
    where
        T: AtomicAccess,
    {
        let at = self.offset(index, 1);
        self.region.as_volatile_slice().load(at, order).expect("elements are aligned")
    }

    fn map(file: File, len: usize) -> Result<Self, SharedError> {
        const { assert!(size_of::<T>() > 0, "an element of shared memory takes no bytes") };
        let size = len.checked_mul(size_of::<T>()).ok_or(Errno::NOMEM)?;
        let file = FileOffset::new(file, 0);
        let protection = A::PROTECTION.bits().cast_signed();
        let region =
            MmapRegion::build(Some(file.clone()), size, protection, MAP_SHARED).map_err(io::Error::other)?;
        Ok(Self { region, file, of: PhantomData })
    }

    /// Where elements lie, in bytes.
    fn offset(&self, first: usize, count: usize) -> usize {
        let len = self.len();
        let fits = first.checked_add(count).is_some_and(|end| end <= len);
        assert!(fits, "elements {first} and {count} on are out of range for {len} shared elements");
        first * size_of::<T>()
    }
}

const MAP_SHARED: i32 = rustix::mm::MapFlags::SHARED.bits().cast_signed();

impl<T: ?Sized, A> AsFd for Shared<T, A> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.file().as_fd()
    }
}

/// Checks the seals and the size: whoever got the descriptor need not trust whoever sent it.
impl<T: Element, A: Access> TryFrom<OwnedFd> for Shared<[T], A> {
    type Error = SharedError;

    fn try_from(memory: OwnedFd) -> Result<Self, SharedError> {
        let seals = fcntl_get_seals(&memory).map_err(|errno| match errno {
            Errno::INVAL => SharedError::NotMemory,
            errno => errno.into(),
        })?;
        // An access to huge pages fails with SIGBUS when the system has none left.
        if fstatfs(&memory)?.f_type != TMPFS {
            return Err(SharedError::NotMemory);
        }
        if !seals.contains(FIXED) {
            return Err(SharedError::NotFixed);
        }
        let is_writable = !seals.intersects(SealFlags::WRITE | SealFlags::FUTURE_WRITE)
            && fcntl_getfl(&memory)?.contains(OFlags::RDWR);
        if A::PROTECTION.contains(rustix::mm::ProtFlags::WRITE) && !is_writable {
            return Err(SharedError::ReadOnly);
        }
        let (size, element) = (fstat(&memory)?.st_size as u64, size_of::<T>());
        let len = usize::try_from(size).map_err(|_| Errno::NOMEM)? / element;
        match len {
            0 => Err(SharedError::Empty),
            len if (len * element) as u64 != size => Err(SharedError::NotWhole { size, element }),
            len => Self::map(memory.into(), len),
        }
    }
}

impl<T: ?Sized, A> fmt::Debug for Shared<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (of, size) = (std::any::type_name::<T>(), self.region.size());
        f.debug_struct("Shared").field("type", &of).field("bytes", &size).finish()
    }
}

/// Zeros, which cannot be executed where the kernel can say so (6.3 and later).
fn memory<T>(len: usize, seals: SealFlags) -> Result<OwnedFd, SharedError> {
    if len == 0 {
        return Err(SharedError::Empty);
    }
    let size = len.checked_mul(size_of::<T>()).ok_or(Errno::NOMEM)?;
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let memory = match memfd_create(c"mp_shared", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => memfd_create(c"mp_shared", flags)?,
        result => result?,
    };
    ftruncate(&memory, size as u64)?;
    fcntl_add_seals(&memory, seals)?;
    Ok(memory)
}

/// Why memory could not be shared, or what a peer sent not be taken for shared memory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SharedError {
    /// The descriptor is a file, a socket or something else that cannot be sealed, or huge pages.
    #[error("the descriptor is not memory of ordinary pages that can be sealed (`memfd_create(2)`)")]
    NotMemory,
    /// Its sender could shrink it, and so end this process with SIGBUS.
    #[error("the memory's size is not fixed: it lacks F_SEAL_SHRINK or F_SEAL_GROW")]
    NotFixed,
    /// This side wants to write, and the memory can only be read.
    #[error("the memory can only be read: receive it as `Shared<_, ReadOnly>`")]
    ReadOnly,
    /// There is no element in it.
    #[error("shared memory has one element at least")]
    Empty,
    /// Its size is no multiple of an element's.
    #[error("the memory's {size} bytes are not whole elements of {element}: they are of another type")]
    NotWhole {
        /// The size of the memory, in bytes.
        size: u64,
        /// The size of an element, in bytes.
        element: usize,
    },
    /// The system refused something.
    #[error("memory could not be made or mapped: {0}")]
    Io(io::Error),
}

impl From<io::Error> for SharedError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for SharedError {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

impl From<SharedError> for io::Error {
    fn from(error: SharedError) -> Self {
        match error {
            SharedError::Io(error) => error,
            error => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}
