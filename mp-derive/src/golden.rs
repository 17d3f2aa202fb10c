//! The generated code, in full, for one type of each form: `golden/*.rs`.
//!
//! A change of the generated code shows as a change of these files, to be read like any other. To
//! accept it, run the tests with `UPDATE_EXPECT=1`.

use expect_test::{ExpectFile, expect_file};
use syn::parse_quote;

use crate::derive::Derive;
use crate::expand::expand;

#[test]
fn message() {
    check(
        Derive::Message,
        parse_quote! {
            #[message(name = "link_state")]
            pub struct LinkState { pub port: u16, pub up: bool }
        },
        expect_file!["../golden/message.rs"],
    );
}

#[test]
fn request() {
    check(
        Derive::Request,
        parse_quote! {
            #[message(name = NAMES[0], response = Ring, crate = my::ipc)]
            pub struct OpenRing<'a> { pub port: u16, #[message(max_len = 2 * HALF)] pub label: &'a str }
        },
        expect_file!["../golden/request.rs"],
    );
}

#[test]
fn response() {
    check(
        Derive::Response,
        parse_quote! {
            pub struct Ring(Geometry, #[fd] OwnedFd, #[fd] #[message(max_len = 2)] Vec<OwnedFd>);
        },
        expect_file!["../golden/response.rs"],
    );
}

#[test]
fn response_that_lends() {
    check(
        Derive::Response,
        parse_quote! {
            #[message(lends = Ring)]
            pub struct LentRing<'a> { #[fd] memory: BorrowedFd<'a> }
        },
        expect_file!["../golden/response_that_lends.rs"],
    );
}

#[test]
fn message_enum() {
    check(
        Derive::Message,
        parse_quote! {
            #[message(name = "event")]
            enum Event { Quiet, Up(u16), r#Down { r#type: u8, #[message(max_size = 32)] path: PathBuf } }
        },
        expect_file!["../golden/message_enum.rs"],
    );
}

#[test]
fn message_in_c_layout() {
    check(
        Derive::Message,
        parse_quote! {
            #[message(name = "queues", layout = "C", max_fds = 16)]
            #[repr(align(16))]
            struct Queues { kind: u8, #[fd] memory: Option<OwnedFd>, count: u32 }
        },
        expect_file!["../golden/message_in_c_layout.rs"],
    );
}

#[test]
fn payload() {
    check(
        Derive::Payload,
        parse_quote! {
            enum Pair<T, const N: usize> where T: Copy { Both { first: T, second: [T; N] }, Neither(PhantomData<Self>) }
        },
        expect_file!["../golden/payload.rs"],
    );
}

#[test]
fn payload_in_c_layout() {
    check(
        Derive::Payload,
        parse_quote! {
            #[payload(layout = "C")]
            struct Inner { kind: u8, count: u32 }
        },
        expect_file!["../golden/payload_in_c_layout.rs"],
    );
}

#[test]
fn after_a_mistake() {
    check(
        Derive::Request,
        parse_quote! {
            #[message(name = "", response = Ring)]
            struct OpenRing { #[message(max_lne = 8)] label: String, port: u16 }
        },
        expect_file!["../golden/after_a_mistake.rs"],
    );
}

#[allow(clippy::needless_pass_by_value, reason = "it reads better at the calls")]
fn check(derive: Derive, input: syn::DeriveInput, golden: ExpectFile) {
    let file = syn2::parse2(expand(derive, &input)).expect("the generated code is Rust");
    let code = prettyplease::unparse(&file);
    assert!(!code.contains("unsafe"), "generated code has no `unsafe`");
    golden.assert_eq(&code);
}
