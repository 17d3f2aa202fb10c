//! That a unicast request or message allocates nothing, on either side.
//!
//! Alone in its process: the allocator counts for all its threads.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    fs,
    os::{fd::AsFd, unix::fs::PermissionsExt},
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    time::Duration,
};

use mp_core::{Client, MessageRef, Name, Primary, Secondary};

/// The system's allocator, counting.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on as it came to `System`, which keeps the
// contract of `GlobalAlloc`; counting touches no memory that it hands out.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, SeqCst);
        // SAFETY: the caller's promises on `layout` are those that it asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `memory` was allocated by `System`, through `alloc` above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TIMEOUT: Duration = Duration::from_secs(10);

#[test]
fn a_unicast_request_or_message_with_eight_descriptors_allocates_nothing() {
    let dir = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir()
        .expect("a temporary directory");
    let (echo, note) = (Name::from_static("echo"), Name::from_static("note"));
    let primary = Primary::builder("allocations")
        .runtime_dir(dir.path())
        .serve(echo, |mut request| {
            let (param, fds) = (request.param(), request.take_fds());
            let mut fds = fds.iter();
            // Eight at most, in an array: collecting them into a vector would allocate.
            let eight = std::array::from_fn::<_, 8, _>(|_| fds.next().expect("eight came"));
            request.reply(param, &eight).expect("the requester lives");
        })
        .on(note, |_, _| ())
        .start()
        .expect("it starts");
    let secondary = Secondary::builder("allocations")
        .runtime_dir(dir.path())
        .serve(echo, |request| {
            let param = request.param();
            request.reply(param, &[]).expect("the requester lives");
        })
        .start()
        .expect("it starts");
    let client = Client::builder("allocations").runtime_dir(dir.path()).start().expect("it starts");
    let member = primary.members().expect("it can be listed").remove(0);

    let null = fs::File::open("/dev/null").expect("it is always there");
    let fds = [null.as_fd(); 8];
    let request = MessageRef::new(&echo, &[7; 256], &fds).expect("it fits");
    let message = MessageRef::new(&note, &[7; 256], &fds).expect("it fits");
    let all = || {
        let reply = secondary.request(request.clone(), TIMEOUT).expect("it replies");
        assert_eq!(reply.message.fds.len(), 8);
        secondary.send(message.clone()).expect("there is room");
        let reply = client.request(request.clone(), TIMEOUT).expect("it replies");
        assert_eq!(reply.message.fds.len(), 8);
        client.send(message.clone()).expect("there is room");
        let reply = primary.to(&member).request(request.clone(), TIMEOUT).expect("it replies");
        assert_eq!(reply.message.param.len(), 256);
    };
    // The first ones make the reply sockets, which are kept.
    (0..10).for_each(|_| all());
    // A handler that the system suspends for long passes for a slow one, and what
    // waits behind it is allocated for: not in every round of ten.
    let mut rounds = (0..10).map(|_| {
        let before = ALLOCATIONS.load(SeqCst);
        (0..100).for_each(|_| all());
        ALLOCATIONS.load(SeqCst) - before
    });
    assert!(rounds.any(|allocations| allocations == 0));
}
