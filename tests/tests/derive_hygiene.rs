//! Derives in unfriendly surroundings: whatever the user's code calls its own things, and however
//! strict its lints are, generated code neither breaks nor warns.

#![deny(warnings, missing_docs, unused_qualifications, unreachable_pub, unused, nonstandard_style)]
#![deny(clippy::pedantic, clippy::unwrap_used)]

extern crate mp_typed as renamed;

use std::marker::PhantomData;

use mp_typed::{decode, encode};

/// Nothing is in scope but the language itself.
#[no_implicit_prelude]
mod bare {
    /// A one-way message.
    #[derive(::mp_typed::Message)]
    #[message(name = "bare_struct")]
    pub(crate) struct Struct {
        pub(crate) number: u32,
        pub(crate) maybe: ::std::option::Option<u8>,
        #[message(max_len = 4)]
        pub(crate) text: ::std::string::String,
        #[fd]
        pub(crate) fd: ::std::option::Option<::std::os::fd::OwnedFd>,
    }

    /// A request.
    #[derive(::mp_typed::Request)]
    #[message(name = "bare_enum", response = Response)]
    pub(crate) enum Enum {
        /// Nothing in it.
        Unit,
        /// Two values.
        Tuple(u8, Nested),
        /// One value.
        Named {
            /// The value.
            value: [u8; 3],
        },
    }

    /// A response.
    #[derive(::mp_typed::Response)]
    #[message(layout = "C")]
    pub(crate) struct Response {
        pub(crate) kind: u8,
        pub(crate) nested: InC,
    }

    /// A payload.
    #[derive(::mp_typed::Payload)]
    pub(crate) enum Nested {
        /// One.
        One,
        /// Two.
        Two(u16),
    }

    /// A payload as C has it.
    #[derive(::mp_typed::Payload)]
    #[payload(layout = "C")]
    pub(crate) struct InC {
        pub(crate) value: u64,
    }
}

/// Everything that generated code could be tempted to name means something else here.
mod shadowed {
    #![allow(dead_code, non_camel_case_types)]

    use super::renamed::{Message, Payload, Request};

    struct Result;
    struct Option;
    struct String;
    struct Ok;
    struct Err;
    struct Some;
    struct None;
    struct Self_;
    struct u32;
    struct usize;
    struct str;
    struct bool;
    struct Layout;
    struct Codec;
    struct Writer;
    struct Reader;
    struct Body;
    struct Response;
    struct Name;
    mod core {}
    mod std {}
    mod alloc {}
    mod serde {}
    mod mp_typed {}
    mod diagnostic {}

    /// A nested value.
    #[derive(Payload)]
    pub(crate) struct Nested {
        pub(crate) value: u8,
    }

    /// A request.
    #[derive(Request)]
    #[message(name = "shadowed", response = ())]
    pub(crate) enum Question<'a> {
        /// Borrowed text.
        Text(#[message(max_len = 8)] &'a super::Text),
        /// A nested value.
        Nested(Nested),
    }

    /// A message.
    #[derive(Message)]
    #[message(name = "shadowed_c", layout = "C")]
    pub(crate) struct InC {
        pub(crate) out: u8,
        pub(crate) src: u64,
        pub(crate) start: u8,
        pub(crate) value: u8,
    }
}

type Text = str;

/// Names that need escaping.
mod raw {
    /// The escape is not part of any name.
    #[derive(mp_typed::Message, Debug)]
    #[message(name = "raw")]
    #[allow(non_camel_case_types)]
    pub(crate) struct r#struct {
        pub(crate) r#type: u8,
        pub(crate) r#match: r#enum,
        #[message(max_len = 1)]
        pub(crate) r#fn: String,
    }

    /// An enum.
    #[derive(mp_typed::Payload, Debug)]
    #[allow(non_camel_case_types)]
    pub(crate) enum r#enum {
        /// A variant.
        r#loop {
            /// A field.
            r#in: u8,
        },
    }
}

/// The crate is found under whatever name it has here.
mod elsewhere {
    mod facade {
        pub(crate) mod inner {
            pub(crate) use mp_typed as ipc;
        }
    }

    /// Through a re-export.
    #[derive(facade::inner::ipc::Request)]
    #[message(name = "re_exported", response = Reply, crate = facade::inner::ipc)]
    pub(crate) struct ReExported {
        pub(crate) value: Nested,
    }

    /// Through a re-export.
    #[derive(facade::inner::ipc::Response)]
    #[message(crate = crate::elsewhere::facade::inner::ipc)]
    pub(crate) struct Reply;

    /// Through a re-export.
    #[derive(facade::inner::ipc::Payload)]
    #[payload(crate = facade::inner::ipc)]
    pub(crate) struct Nested(pub(crate) u8);

    /// Under another name.
    #[derive(renamed::Message)]
    #[message(name = "renamed", crate = ::renamed)]
    pub(crate) struct Renamed {
        pub(crate) value: u8,
    }
}

/// What macros hand on is not what people type.
mod from_macros {
    macro_rules! message {
        ($(#[$doc:meta])* $name:ident, $wire:literal, $len:expr, { $($field:ident: $ty:ty),* }) => {
            $(#[$doc])*
            #[derive(mp_typed::Message)]
            #[message(name = $wire)]
            pub(crate) struct $name {
                $(pub(crate) $field: $ty,)*
                #[message(max_len = $len)]
                pub(crate) text: String,
            }
        };
    }

    message! {
        /// A message.
        Made, "made", 2 + 2, { number: u32, list: [Option<u8>; 2] }
    }
}

/// `$crate` is the crate of the macro, wherever that is used.
mod from_macros_of_another_crate {
    /// A payload of this crate.
    #[derive(mp_typed::Payload)]
    pub(crate) struct Ours(pub(crate) u16);

    // What the other crate's path starts with means something else here.
    #[allow(dead_code)]
    mod facade {}

    tests::facade_message! {
        /// A message.
        Made, "facade", Ours
    }
}

/// Spelling picks the advice in errors; what a type is, its traits say.
mod lookalikes {
    use mp_typed::Payload;

    /// No text.
    #[derive(Payload)]
    pub(crate) struct String(pub(crate) u8);

    /// No list.
    #[derive(Payload)]
    pub(crate) struct Vec<T>(pub(crate) T);

    /// No pointer.
    #[derive(Payload)]
    pub(crate) struct Box<T>(pub(crate) T);

    /// No descriptor.
    #[derive(Payload)]
    pub(crate) struct OwnedFd(pub(crate) i32);

    /// A message of them.
    #[derive(mp_typed::Message)]
    #[message(name = "lookalikes")]
    pub(crate) struct Lookalikes {
        pub(crate) text: String,
        pub(crate) list: Vec<u16>,
        pub(crate) pointer: Option<Box<u8>>,
        pub(crate) descriptor: OwnedFd,
    }
}

/// What users of the type should not touch, the generated code has to.
mod deprecated {
    /// A message.
    #[derive(mp_typed::Message, Default)]
    #[message(name = "deprecated")]
    #[non_exhaustive]
    pub(crate) struct Struct {
        #[deprecated]
        pub(crate) old: u8,
        pub(crate) new: u8,
    }
}

/// Fields and variants that are not there.
mod configured {
    /// A message.
    #[derive(mp_typed::Message)]
    #[message(name = "configured")]
    pub(crate) struct Struct {
        pub(crate) there: u8,
        #[cfg(any())]
        pub(crate) not_there: Nowhere,
        #[cfg(not(any()))]
        #[cfg_attr(not(any()), message(max_len = 3))]
        pub(crate) also_there: String,
    }

    /// A payload.
    #[derive(mp_typed::Payload)]
    pub(crate) enum Enum {
        /// Not there.
        #[cfg(any())]
        Zeroth(Nowhere),
        /// There.
        First,
        /// There.
        Second(#[cfg(any())] Nowhere, #[cfg(not(any()))] u8),
    }

    /// A message of it.
    #[derive(mp_typed::Message)]
    #[message(name = "configured_enum")]
    pub(crate) struct Holder(pub(crate) Enum);
}

#[test]
fn no_prelude_is_needed() {
    let sent = bare::Struct { number: 7, maybe: Some(8), text: "four".into(), fd: None };
    let encoded = encode(&sent).expect("it keeps its bounds");
    let back: bare::Struct = decode(encoded.param(), []).expect("it was encoded here");
    assert_eq!((back.number, back.maybe, &*back.text), (7, Some(8), "four"));
    assert!(back.fd.is_none());

    for sent in
        [bare::Enum::Unit, bare::Enum::Tuple(1, bare::Nested::Two(2)), bare::Enum::Named { value: [3; 3] }]
    {
        let encoded = encode(&sent).expect("it has no bounds");
        let back: bare::Enum = decode(encoded.param(), []).expect("it was encoded here");
        assert_eq!(std::mem::discriminant(&back), std::mem::discriminant(&sent));
    }
    assert!(decode::<bare::Enum>(&[1, 0, 0, 0, 1, 0, 0, 0, 0], []).is_ok());

    let sent = bare::Response { kind: 1, nested: bare::InC { value: 2 } };
    let encoded = encode(&sent).expect("it has no bounds");
    let back: bare::Response = decode(encoded.param(), []).expect("it was encoded here");
    assert_eq!((back.kind, back.nested.value, encoded.param().len()), (1, 2, 16));
}

#[test]
fn shadowed_names_do_no_harm() {
    let encoded = encode(&shadowed::Question::Text("hello")).expect("it keeps its bounds");
    let shadowed::Question::Text(text) = decode(encoded.param(), []).expect("it was encoded here") else {
        panic!("another variant came back");
    };
    assert_eq!(text, "hello");
    let sent = shadowed::Question::Nested(shadowed::Nested { value: 1 });
    assert_eq!(encode(&sent).expect("it has no bounds").param(), [1, 0, 0, 0, 1]);
    let sent = shadowed::InC { out: 1, src: 2, start: 3, value: 4 };
    let encoded = encode(&sent).expect("it has no bounds");
    let back: shadowed::InC = decode(encoded.param(), []).expect("it was encoded here");
    assert_eq!((back.out, back.src, back.start, back.value), (1, 2, 3, 4));
}

#[test]
fn escaped_names_are_shown_without_the_escape() {
    let sent = raw::r#struct { r#type: 1, r#match: raw::r#enum::r#loop { r#in: 2 }, r#fn: "long".into() };
    let error = encode(&sent).expect_err("the text is too long").to_string();
    assert_eq!(error, "`struct.fn` cannot be sent: its length is 4, its `max_len` is 1");
    let sent = raw::r#struct { r#fn: "f".into(), ..sent };
    let encoded = encode(&sent).expect("it keeps its bounds");
    let back: raw::r#struct = decode(encoded.param(), []).expect("it was encoded here");
    assert_eq!(format!("{back:?}"), format!("{sent:?}"));
}

#[test]
fn the_crate_is_found_under_other_names() {
    let encoded = encode(&elsewhere::ReExported { value: elsewhere::Nested(1) }).expect("it has no bounds");
    let back: elsewhere::ReExported = decode(encoded.param(), []).expect("it was encoded here");
    assert_eq!(back.value.0, 1);
    decode::<elsewhere::Reply>(encode(&elsewhere::Reply).expect("it is empty").param(), [])
        .expect("it is empty");
    let encoded = encode(&elsewhere::Renamed { value: 2 }).expect("it has no bounds");
    assert_eq!(decode::<elsewhere::Renamed>(encoded.param(), []).expect("it was encoded here").value, 2);
}

#[test]
fn macros_may_make_messages() {
    let sent = from_macros::Made { number: 1, list: [None, Some(2)], text: "four".into() };
    let encoded = encode(&sent).expect("it keeps its bounds");
    let back: from_macros::Made = decode(encoded.param(), []).expect("it was encoded here");
    assert_eq!((back.number, back.list, &*back.text), (1, [None, Some(2)], "four"));
}

#[test]
fn macros_of_another_crate_may_make_messages() {
    use from_macros_of_another_crate::{Made, Ours};

    let sent = Made { number: 1, theirs: Ours(2), text: "four".into(), fd: None };
    let encoded = encode(&sent).expect("it keeps its bounds");
    let back: Made = decode(encoded.param(), []).expect("it was encoded here");
    assert_eq!((back.number, back.theirs.0, &*back.text, back.fd.is_none()), (1, 2, "four", true));
}

#[test]
fn a_path_to_the_crate_may_start_inside_a_function() {
    use mp_typed as ipc;

    #[derive(ipc::Message)]
    #[message(name = "inside", crate = ipc)]
    struct Inside(u8);

    assert_eq!(encode(&Inside(1)).expect("it has no bounds").param(), [1]);
}

#[test]
fn functions_may_define_messages() {
    #[derive(mp_typed::Payload, Debug, PartialEq)]
    struct Nested(u8);

    #[derive(mp_typed::Message, Debug, PartialEq)]
    #[message(name = NAME)]
    struct Local {
        value: Nested,
    }

    const NAME: &str = "local";

    let sent = Local { value: Nested(1) };
    let encoded = encode(&sent).expect("it has no bounds");
    assert_eq!(decode::<Local>(encoded.param(), []).expect("it was encoded here"), sent);
    assert_eq!(<Local as mp_typed::Message>::NAME, "local");
}

#[test]
fn types_are_what_they_are_not_what_they_are_called() {
    use lookalikes::{Box, Lookalikes, OwnedFd, String, Vec};

    let sent = Lookalikes { text: String(1), list: Vec(2), pointer: Some(Box(3)), descriptor: OwnedFd(4) };
    let encoded = encode(&sent).expect("it has no bounds");
    assert_eq!(encoded.param(), [1, 2, 0, 1, 3, 4, 0, 0, 0]);
    let back: Lookalikes = decode(encoded.param(), []).expect("it was encoded here");
    assert_eq!((back.text.0, back.list.0, back.descriptor.0), (1, 2, 4));
}

#[test]
fn deprecated_fields_travel_without_a_warning() {
    let encoded = encode(&deprecated::Struct::default()).map(|encoded| encoded.param().to_vec());
    let param = encoded.expect("it has no bounds");
    assert_eq!(decode::<deprecated::Struct>(&param, []).expect("it was encoded here").new, 0);
}

#[test]
fn fields_may_speak_of_their_own_type() {
    #[derive(mp_typed::Message, Debug, PartialEq)]
    #[message(name = "own")]
    struct Own {
        array: [u8; Self::LEN],
        #[message(max_len = Self::LEN + 1)]
        text: String,
        of: PhantomData<Self>,
    }

    impl Own {
        const LEN: usize = 2;
    }

    let sent = Own { array: [1; 2], text: "abc".into(), of: PhantomData };
    let encoded = encode(&sent).expect("it keeps its bounds");
    assert_eq!(decode::<Own>(encoded.param(), []).expect("it was encoded here"), sent);
}

#[test]
fn fields_that_are_configured_out_do_not_count() {
    let sent = configured::Struct { there: 1, also_there: "abc".into() };
    let encoded = encode(&sent).expect("it keeps its bounds");
    assert_eq!(encoded.param().len(), 1 + 8 + 3);
    let back: configured::Struct = decode(encoded.param(), []).expect("it was encoded here");
    assert_eq!((back.there, &*back.also_there), (1, "abc"));
    let first = configured::Holder(configured::Enum::First);
    assert_eq!(encode(&first).expect("it has no bounds").param(), [0, 0, 0, 0]);
    let second = configured::Holder(configured::Enum::Second(7));
    assert_eq!(encode(&second).expect("it has no bounds").param(), [1, 0, 0, 0, 7]);
}
