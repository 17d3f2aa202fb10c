//! What holds for all values of all fields of descriptors: each comes back where it was, in both
//! encodings.

use std::fmt::{self, Debug};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use mp_typed::{DecodeError, DecodeOwned, Message, decode, encode};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A descriptor that shows of which file it is.
struct Fd(File);

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for Fd {
    fn from(fd: OwnedFd) -> Self {
        Self(fd.into())
    }
}

impl Debug for Fd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metadata = self.0.metadata().map_err(|_| fmt::Error)?;
        write!(f, "{}", metadata.ino())
    }
}

/// One of a dozen files.
fn fd() -> impl Strategy<Value = Fd> {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    let make = || tempfile::tempfile().expect("there is room for a file");
    let files = FILES.get_or_init(|| std::iter::repeat_with(make).take(12).collect());
    (0..files.len()).prop_map(|index| Fd(files[index].try_clone().expect("there are descriptors left")))
}

/// Whether the bytes say how many descriptors there are, so that one more or less shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    Written,
    Implied,
}

fn check<T: Message + DecodeOwned + Debug>(value: &T, number: Number) {
    let encoded = encode(value).expect("the strategies keep the bounds");
    assert!(encoded.fds().len() <= T::MAX_FDS && encoded.param().len() <= T::MAX_SIZE);
    let copy = |fd: &BorrowedFd<'_>| fd.try_clone_to_owned().expect("there are descriptors left");
    let copies = || encoded.fds().iter().map(copy);
    let back: T = decode(encoded.param(), copies()).expect("it was encoded here");
    assert_eq!(format!("{back:?}"), format!("{value:?}"));
    if number == Number::Written {
        let one_more = copies().chain(encoded.fds().first().map(copy));
        let is_more = !encoded.fds().is_empty();
        let error = decode::<T>(encoded.param(), one_more.collect::<Vec<_>>()).err();
        let told = matches!(error, Some(DecodeError::TrailingFds { .. } | DecodeError::TooManyFds { .. }));
        assert_eq!(told, is_more, "{error:?}");
        let one_less = copies().take(encoded.fds().len().saturating_sub(1));
        assert_eq!(decode::<T>(encoded.param(), one_less.collect::<Vec<_>>()).is_err(), is_more);
    }
}

macro_rules! messages {
    ($([$($layout:tt)*] $number:ident, $test:ident: $name:ident {
        $($(#[$attr:meta])* $field:ident: $ty:ty = $strategy:expr,)*
    })*) => {
        $(
            #[derive(Message, Debug)]
            #[message(name = "m" $($layout)*)]
            struct $name {
                $($(#[$attr])* $field: $ty,)*
            }
        )*

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(64))]
            $(
                #[test]
                fn $test($($field in $strategy),*) {
                    check(&$name { $($field),* }, Number::$number);
                }
            )*
        }
    };
}

messages! {
    [] Written, single_descriptors_and_options: Singles {
        #[fd] a: Fd = fd(), b: u8 = any::<u8>(), #[fd] c: Option<Fd> = option::of(fd()),
        #[fd] d: Option<Option<Fd>> = option::of(option::of(fd())),
    }
    [] Written, arrays: Arrays {
        #[fd] a: [Fd; 2] = [fd(), fd()], #[fd] b: [Option<Fd>; 3] = [option::of(fd()), option::of(fd()), option::of(fd())],
        #[fd] c: Option<[Fd; 2]> = option::of([fd(), fd()]),
    }
    [] Written, lists: Lists {
        #[fd] #[message(max_len = 2)] a: Vec<Fd> = vec(fd(), 0..=2),
        #[fd] #[message(max_len = 2)] b: Vec<Option<Fd>> = vec(option::of(fd()), 0..=2),
        #[fd] #[message(max_len = 2)] c: Vec<[Fd; 2]> = vec([fd(), fd()], 0..=2),
    }
    [] Written, bounded_lists: Bounded {
        #[fd] a: Option<arrayvec::ArrayVec<Fd, 3>> = option::of(vec(fd(), 0..=3).prop_map(|list| list.into_iter().collect())),
        #[fd] b: heapless::Vec<Option<Fd>, 3> = vec(option::of(fd()), 0..=3).prop_map(|list| list.into_iter().collect()),
        c: u16 = any::<u16>(),
    }
    [, layout = "C"] Implied, c_fixed: CFixed {
        #[fd] a: Fd = fd(), b: u64 = any::<u64>(), #[fd] c: [Fd; 2] = [fd(), fd()],
        #[fd] d: [[Fd; 2]; 2] = [[fd(), fd()], [fd(), fd()]],
    }
    [, layout = "C"] Implied, c_option: COption {
        a: u8 = any::<u8>(), #[fd] b: [Fd; 2] = [fd(), fd()], #[fd] c: Option<Fd> = option::of(fd()),
    }
    [, layout = "C"] Implied, c_list: CList {
        #[fd] a: Fd = fd(), #[fd] #[message(max_len = 7)] b: Vec<Fd> = vec(fd(), 0..=7), c: u32 = any::<u32>(),
    }
    [, layout = "C"] Implied, c_array_vec: CArrayVec {
        #[fd] a: arrayvec::ArrayVec<Fd, 8> = vec(fd(), 0..=8).prop_map(|list| list.into_iter().collect()),
    }
    [, layout = "C"] Implied, c_heapless_vec: CHeaplessVec {
        #[fd] a: heapless::Vec<Fd, 8> = vec(fd(), 0..=8).prop_map(|list| list.into_iter().collect()),
    }
}
