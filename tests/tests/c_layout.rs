//! `layout = "C"` against a C compiler: `offsetof` and `sizeof` of every member, and the bytes of
//! values both ways.

#![cfg(feature = "dpdk")]

use std::collections::HashMap;
use std::fmt::Debug;
use std::path::Path;
use std::process::Command;

use mp_typed::{Body, DecodeOwned, Message, Payload, decode, encode};

macro_rules! structs {
    ($($(#[$attr:meta])* $name:ident as $c_name:literal { $($field:ident: $ty:ty,)* })*) => { $(
        #[derive(Message, Debug, PartialEq)]
        #[message(name = $c_name, layout = "C")]
        $(#[$attr])*
        struct $name {
            $($field: $ty,)*
        }
    )* };
}

structs! {
    Small as "small" { a: u8, b: u16, c: u8, d: u32, e: u8, f: u64, g: u8, }
    NoPadding as "no_padding" { a: u64, b: u32, c: u16, d: u8, e: bool, }
    SignedNumbers as "signed_numbers" { a: i8, b: i64, c: i16, d: i32, e: i8, }
    Floats as "floats" { a: f32, b: f64, c: u8, d: f32, e: bool, }
    Arrays as "arrays" { a: [u8; 3], b: [u16; 3], c: [u8; 5], d: [u64; 2], e: [[u8; 3]; 2], f: u32, }
    Wide as "wide" { a: u8, b: i128, c: u8, d: u128, e: usize, }
    Nested as "nested" { a: u8, b: Inner, c: u8, d: Middle, e: [Inner; 3], f: u8, }
    #[repr(align(32))]
    Aligned as "aligned" { a: u8, b: AlignedInner, c: [AlignedInner; 2], d: u8, }
    Trailing as "trailing" { a: [u64; 31], b: u8, }
    Link as "link" { speed: u32, duplex: u16, autoneg: u16, status: u8, since: u64, name: [u8; 33], }
    VdevParam as "vdev_param" { r#type: i32, num: i32, name: [u8; 64], }
    IpcQueues as "ipc_queues" { port_name: [u8; 64], rxq_count: i32, txq_count: i32, }
    EalDevMpReq as "eal_dev_mp_req" { t: i32, devargs: [u8; 128], result: i32, }
    VfioMpParam as "vfio_mp_param" { req: i32, result: i32, group: i32, }
}

// Their Rust layout is not C's, and need not be.
#[derive(Payload, Debug, PartialEq)]
#[payload(layout = "C")]
struct Inner {
    a: u8,
    b: u32,
    c: u8,
}

#[derive(Payload, Debug, PartialEq)]
#[payload(layout = "C")]
struct Middle {
    a: u16,
    b: Inner,
    c: u8,
    d: u64,
}

#[derive(Payload, Debug, PartialEq)]
#[payload(layout = "C")]
#[repr(C, align(8))]
struct AlignedInner {
    a: u8,
    b: u16,
}

#[test]
fn every_struct_is_what_a_c_compiler_makes_of_it() {
    let c = compile_and_run();
    check(&c, &Small { a: 1, b: 2, c: 3, d: 4, e: 5, f: 0x0102_0304_0506_0708, g: 7 });
    check(&c, &NoPadding { a: 1, b: 2, c: 3, d: 4, e: true });
    check(&c, &SignedNumbers { a: -1, b: -2, c: -3, d: -4, e: 5 });
    check(&c, &Floats { a: 1.5, b: -2.25, c: 3, d: 1e30, e: false });
    check(
        &c,
        &Arrays {
            a: [1, 2, 3],
            b: [4, 5, 6],
            c: [7, 8, 9, 10, 11],
            d: [12, 13],
            e: [[14, 15, 16], [17, 18, 19]],
            f: 20,
        },
    );
    check(&c, &Wide { a: 1, b: -2, c: 3, d: 4 << 100, e: 5 });
    let inner = |a, b, c| Inner { a, b, c };
    check(
        &c,
        &Nested {
            a: 1,
            b: inner(2, 3, 4),
            c: 5,
            d: Middle { a: 6, b: inner(7, 8, 9), c: 10, d: 11 },
            e: [inner(12, 13, 14), inner(15, 16, 17), inner(18, 19, 20)],
            f: 21,
        },
    );
    let aligned = |a, b| AlignedInner { a, b };
    check(&c, &Aligned { a: 1, b: aligned(2, 3), c: [aligned(4, 5), aligned(6, 7)], d: 8 });
    let mut a = [0; 31];
    a[30] = 1;
    check(&c, &Trailing { a, b: 2 });
    check(
        &c,
        &Link {
            speed: 100_000,
            duplex: 1,
            autoneg: 0,
            status: 1,
            since: 1_234_567_890_123,
            name: text("net_null0"),
        },
    );
    check(&c, &VdevParam { r#type: 2, num: -1, name: text("net_null0") });
    check(&c, &IpcQueues { port_name: text("net_tap0"), rxq_count: 4, txq_count: 3 });
    check(&c, &EalDevMpReq { t: 1, devargs: text("net_null1,copy=1"), result: -22 });
    check(&c, &VfioMpParam { req: 0x100, result: 0, group: 12 });
}

/// What C says of one struct.
#[derive(Default)]
struct Facts {
    size: usize,
    /// Name, offset, size.
    fields: Vec<(String, usize, usize)>,
    /// A value with zeros in the padding, the same value with garbage there.
    bytes: Vec<Vec<u8>>,
}

fn check<T: Message + DecodeOwned + Debug + PartialEq>(c: &HashMap<String, Facts>, value: &T) {
    let facts = &c[T::NAME];
    assert_eq!(T::MAX_SIZE, facts.size, "size of {}", T::NAME);
    let shape = <T as Body>::SHAPE;
    let fields =
        shape.variants[0].fields.iter().map(|field| (field.name.to_owned(), field.offset, field.size));
    assert_eq!(fields.collect::<Vec<_>>(), facts.fields, "fields of {}", T::NAME);
    let [zeroed, garbage] = &facts.bytes[..] else { panic!("two values of {}", T::NAME) };
    assert_eq!(encode(value).expect("it has no bounds").param(), zeroed, "bytes of {}", T::NAME);
    for bytes in [zeroed, garbage] {
        assert_eq!(decode::<T>(bytes, []).expect("it came from C"), *value);
    }
}

/// The facts by the struct's name in C.
fn compile_and_run() -> HashMap<String, Facts> {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let program = folder.path().join("layout");
    let code = Path::new(env!("CARGO_MANIFEST_DIR")).join("c/layout.c");
    let compiled = Command::new("cc")
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-stringop-truncation", "-o"])
        .args([&program, &code])
        .output()
        .expect("there is a C compiler");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let output = Command::new(&program).output().expect("it was just compiled");
    let output = String::from_utf8(output.stdout).expect("it prints ASCII");

    let mut structs: HashMap<String, Facts> = HashMap::new();
    let mut current = String::new();
    for line in output.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let number = |word: &str| word.parse::<usize>().expect("it prints numbers here");
        match words[..] {
            ["struct", name, size] => {
                name.clone_into(&mut current);
                structs.entry(current.clone()).or_default().size = number(size);
            }
            ["field", name, offset, size] => {
                let field = (name.to_owned(), number(offset), number(size));
                structs.entry(current.clone()).or_default().fields.push(field);
            }
            ["bytes", hex] => {
                let pair =
                    |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("it prints digits here");
                let bytes = (0..hex.len()).step_by(2).map(pair).collect();
                structs.entry(current.clone()).or_default().bytes.push(bytes);
            }
            _ => panic!("what is `{line}`?"),
        }
    }
    structs
}

/// Text as C keeps it, filled up with zeros.
fn text<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes
}
