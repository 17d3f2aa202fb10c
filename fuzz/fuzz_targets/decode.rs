//! The fuzz target of `cargo fuzz`; see the library for what it checks.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::decode_all(bytes));
