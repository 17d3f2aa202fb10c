//! Encoding allocates nothing; decoding allocates what the value owns, however large the sender
//! claims it to be.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use mp_typed::{Message, Payload, decode, encode};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Message, Debug)]
#[message(name = "plain")]
struct Plain<'a> {
    port: u16,
    geometry: Geometry,
    samples: [u32; 8],
    label: heapless::String<16>,
    #[message(max_len = 16)]
    text: &'a str,
    #[fd]
    memory: [OwnedFd; 2],
    #[fd]
    maybe: Option<File>,
}

#[derive(Payload, Debug, Clone)]
struct Geometry {
    slots: u32,
    head: [u64; 4],
}

#[derive(Message, Debug)]
#[message(name = "owning")]
struct Owning {
    #[message(max_len = 32)]
    text: String,
    #[message(max_len = 10)]
    numbers: Vec<u64>,
    #[message(max_len = 4)]
    map: BTreeMap<u16, [u8; 4]>,
    #[message(max_len = 40)]
    units: Vec<()>,
}

/// Types that only serde knows.
#[derive(Message, Debug)]
#[message(name = "foreign")]
struct Foreign {
    #[message(max_size = 32)]
    list: Vec<u64>,
    #[message(max_size = 32)]
    map: HashMap<u16, u64>,
    #[message(max_size = 32)]
    nested: Option<Vec<Vec<()>>>,
    #[message(max_size = 32)]
    path: PathBuf,
    #[message(max_size = 32)]
    result: Result<Box<[u32]>, String>,
}

#[test]
fn encoding_allocates_nothing() {
    let plain = plain();
    let (encoded, allocated) = measure(|| encode(&plain).map(|encoded| encoded.param().len()));
    assert_eq!((encoded.unwrap(), allocated), (2 + 36 + 32 + (8 + 5) + (8 + 5) + 1, 0));
    let owning = Owning {
        text: "text".into(),
        numbers: vec![1; 10],
        map: BTreeMap::from([(1, [2; 4])]),
        units: vec![(); 40],
    };
    let (encoded, allocated) = measure(|| encode(&owning).map(|encoded| encoded.param().len()));
    assert_eq!((encoded.unwrap(), allocated), (12 + 88 + 14 + 8, 0));
}

#[test]
fn decoding_what_owns_nothing_allocates_nothing() {
    let plain = plain();
    let encoded = encode(&plain).unwrap();
    let fds = [dev_null(), dev_null(), dev_null()];
    let (back, allocated) = measure(|| decode::<Plain<'_>>(encoded.param(), fds));
    assert_eq!((back.unwrap().text, allocated), ("world", 0));
}

#[test]
fn a_claimed_length_allocates_nothing() {
    for text_len in [33_u64, 1 << 20, u64::MAX] {
        let (back, allocated) = measure(|| decode::<Owning>(&text_len.to_le_bytes(), []));
        assert_eq!(allocated, 0, "{back:?}");
    }
}

#[test]
fn a_length_that_a_foreign_type_would_believe_allocates_nothing() {
    for len in [33_u64, 1 << 20, 1 << 60, u64::MAX] {
        let (back, allocated) = measure(|| decode::<Foreign>(&len.to_le_bytes(), []));
        assert!(allocated <= 256, "{allocated} bytes for {back:?}");
    }
}

#[test]
fn items_that_take_no_bytes_come_to_an_end() {
    #[derive(Message, Debug)]
    #[message(name = "units")]
    struct Units {
        #[message(max_size = 8)]
        units: Vec<()>,
    }

    let decode_units = |len: u64| decode::<Units>(&len.to_le_bytes(), []);
    assert_eq!(decode_units(256).unwrap().units.len(), 256);
    for len in [257, u64::MAX] {
        let error = decode_units(len).unwrap_err().to_string();
        assert_eq!(error, "`Units.units` cannot be read: more items than there are bytes");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_foreign_type_allocate_much(bytes in vec(byte(), 0..300)) {
        let (back, allocated) = measure(|| decode::<Foreign>(&bytes, []));
        // Collections double as they grow, and their smallest size is four items.
        prop_assert!(allocated <= 4096, "{allocated} bytes for {back:?}");
    }

    #[test]
    fn no_bytes_make_decoding_allocate_more_than_the_value_could_own(bytes in vec(byte(), 0..300)) {
        let (back, allocated) = measure(|| decode::<Owning>(&bytes, []));
        // The text, the numbers, one leaf of the map.
        prop_assert!(allocated <= 32 + 80 + 128, "{allocated} bytes for {back:?}");
    }
}

fn plain() -> Plain<'static> {
    Plain {
        port: 1,
        geometry: Geometry { slots: 2, head: [3; 4] },
        samples: [4; 8],
        label: "hello".try_into().expect("it is short enough"),
        text: "world",
        memory: [dev_null(), dev_null()],
        maybe: Some(dev_null().into()),
    }
}

fn dev_null() -> OwnedFd {
    File::open("/dev/null").expect("every Unix has it").into()
}

/// Small numbers more often than others, because those are lengths.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![3 => 0_u8..4, 1 => any::<u8>()]
}

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

/// The bytes that `action` allocates on this thread, freed ones included.
fn measure<T>(action: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATED.get();
    let value = action();
    (value, ALLOCATED.get() - before)
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: every call goes to the system allocator, with the caller's arguments and so under the
// contract that the caller has taken on; what is counted beside it is a thread-local without a
// destructor, which allocates nothing itself.
#[allow(unsafe_code, reason = "only an allocator sees allocations")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.set(ALLOCATED.get() + layout.size());
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
