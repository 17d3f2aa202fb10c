//! Memory that processes share: what a receiver maps, what it refuses, and that nobody can take it away.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails ends it, in its helpers too")]

use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, OwnedFd},
    sync::atomic::Ordering::{Acquire, Release},
    thread,
};

use mp_typed::{Access, ReadOnly, ReadWrite, Shared, SharedError};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use zerocopy::{FromBytes, Immutable, IntoBytes};

#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Sample {
    at: u64,
    value: [u32; 2],
}

const FIXED: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW);

fn received<T: mp_typed::Element, A: Access>(sent: impl AsFd) -> Result<Shared<[T], A>, SharedError> {
    Shared::try_from(sent.as_fd().try_clone_to_owned().unwrap())
}

fn memory(flags: MemfdFlags, size: u64, seals: SealFlags) -> OwnedFd {
    let memory = memfd_create(c"test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | flags).unwrap();
    ftruncate(&memory, size).unwrap();
    fcntl_add_seals(&memory, seals).unwrap();
    memory
}

#[test]
fn what_one_writes_the_other_reads() {
    let ours = Shared::<[Sample]>::new(1000).unwrap();
    let theirs = received::<Sample, ReadWrite>(&ours).unwrap();
    assert_eq!(
        (theirs.len(), theirs.at(999), theirs.at(1000)),
        (1000, Some(Sample { at: 0, value: [0; 2] }), None)
    );
    let samples: Vec<_> = (0..7).map(|n| Sample { at: n, value: [n as u32; 2] }).collect();
    ours.write(993, &samples);
    let mut read = [Sample { at: 9, value: [9; 2] }; 7];
    theirs.read(993, &mut read);
    assert_eq!(read[..], samples[..]);
    theirs.set(0, samples[3]);
    assert_eq!(ours.at(0), Some(samples[3]));
}

#[test]
fn what_is_published_only_its_owner_writes() {
    let (owner, to_send) = Shared::<[u64]>::publish(8).unwrap();
    let theirs = received::<u64, ReadOnly>(&to_send).unwrap();
    owner.set(7, 42);
    assert_eq!((to_send.at(7), theirs.at(7)), (Some(42), Some(42)));
    for descriptor in [to_send.as_fd(), owner.as_fd()] {
        let refused = received::<u64, ReadWrite>(descriptor).unwrap_err();
        assert!(matches!(refused, SharedError::ReadOnly), "{refused}");
        assert!(rustix::io::write(descriptor, b"x").is_err());
    }
    assert!(fcntl_add_seals(&to_send, SealFlags::WRITE).is_err());
}

#[test]
fn nobody_can_change_its_size() {
    let shared = Shared::<[u32]>::new(1024).unwrap();
    for size in [0, 1, 1 << 20] {
        assert_eq!(ftruncate(&shared, size), Err(rustix::io::Errno::PERM));
    }
    assert_eq!(shared.at(1023), Some(0));
}

#[test]
fn whatever_could_end_a_receiver_or_is_of_another_type_is_refused() {
    let plain = MemfdFlags::empty();
    let shrinks = received::<u32, ReadWrite>(memory(plain, 64, SealFlags::GROW)).unwrap_err();
    assert!(matches!(shrinks, SharedError::NotFixed), "{shrinks}");
    let empty = received::<u32, ReadWrite>(memory(plain, 0, FIXED)).unwrap_err();
    assert!(matches!(empty, SharedError::Empty), "{empty}");
    let torn = received::<Sample, ReadWrite>(memory(plain, 40, FIXED)).unwrap_err();
    assert!(matches!(torn, SharedError::NotWhole { size: 40, element: 16 }), "{torn}");
    let file = received::<u8, ReadOnly>(File::open("/proc/self/exe").unwrap()).unwrap_err();
    assert!(matches!(file, SharedError::NotMemory), "{file}");
    // Its pages need not be there: an access would end the receiver.
    let huge = received::<u8, ReadWrite>(memory(MemfdFlags::HUGETLB, 2 << 20, FIXED)).unwrap_err();
    assert!(matches!(huge, SharedError::NotMemory), "{huge}");
    // More than there is address space for.
    let endless = received::<u8, ReadWrite>(memory(plain, i64::MAX as u64 & !0xfff, FIXED)).unwrap_err();
    assert!(matches!(endless, SharedError::Io(_)), "{endless}");
    assert!(matches!(Shared::<[u8]>::new(0), Err(SharedError::Empty)));
    assert!(matches!(Shared::<[Sample]>::new(usize::MAX), Err(SharedError::Io(_))));
}

#[test]
fn numbers_are_seen_in_the_order_in_which_they_were_stored() {
    let (ours, theirs) = {
        let shared = Shared::<[u64]>::new(2).unwrap();
        let theirs = received::<u64, ReadWrite>(&shared).unwrap();
        (shared, theirs)
    };
    let writer = thread::spawn(move || {
        for n in 1..=100_000 {
            ours.store(0, n, Release);
            ours.store(1, n, Release);
        }
    });
    loop {
        let second = theirs.load(1, Acquire);
        let first = theirs.load(0, Acquire);
        assert!(first >= second, "{first} was stored before {second}");
        if second == 100_000 {
            break;
        }
    }
    writer.join().unwrap();
}

#[test]
fn elements_beyond_its_end_cannot_be_reached() {
    let shared = Shared::<[u16]>::new(4).unwrap();
    for (first, count) in [(4, 1), (0, 5), (usize::MAX, 1), (usize::MAX, 2)] {
        let read = std::panic::catch_unwind(|| shared.read(first, &mut vec![0; count]));
        assert!(read.is_err(), "{count} from {first}");
        let written = std::panic::catch_unwind(|| shared.write(first, &vec![0; count]));
        assert!(written.is_err(), "{count} to {first}");
    }
    shared.write(4, &[]);
}

#[test]
fn it_is_an_ordinary_file_to_whoever_reads_it_so() {
    let shared = Shared::<[u8]>::new(3).unwrap();
    shared.write(0, b"abc");
    let mut text = String::new();
    File::from(shared.as_fd().try_clone_to_owned().unwrap()).read_to_string(&mut text).unwrap();
    assert_eq!(text, "abc");
}
