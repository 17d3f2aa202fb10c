//! The rows that DPDK's messages are declared in, one each.
//!
//! A row is a C struct, with how each of its fields is shown; it becomes the types that carry it
//! and the decoder that puts it in words. What single messages mean stands in the rows, not here.

use mp_core::inspect::DpdkVersion;

use crate::Decoded;

/// The name that a struct comes under, and what puts a payload of its length in words.
pub(crate) type Row = (&'static str, fn(&[u8], Option<DpdkVersion>) -> Option<Decoded>);

/// Declares messages, and collects their decoders in `ROWS`.
///
/// ```text
/// /// The request.
/// request OpenRing "ring_open" =>
/// /// Its reply.
/// Ring with {                                    what the reply has beside the struct
///     /// The ring's memory.
///     #[fd]
///     pub memory: OwnedFd,
/// } {                                            the struct, the same both ways
///     /// The ring's label.
///     label: [u8; 64] => text("label"),          shown under this name, up to its NUL
///     /// What for.
///     kind: i32 => word("type", KINDS),          by the word in the table `KINDS`, if it has one
///     port: u32 => number("port", if is_of_port(kind)),   only if the function says so of that field
///     id: u64 => hex("id"),
///     group: i32 => by("group", group_in_words), by a function, which is told DPDK's version
///     unused: i32,                               never
///     result: i32 => result(),                   0, or a negated `errno`
/// }
/// ```
///
/// The other kinds have no reply: a `message`, and a lone `reply` whose request is not declared.
macro_rules! messages {
    ($(
        $(#[$doc:meta])* $kind:ident $type:ident $name:literal
        $(=> $(#[$reply_doc:meta])* $reply:ident)?
        $(with { $($beside:tt)* })?
        { $($(#[$field_doc:meta])* $field:ident: $field_type:ty $(=> $how:ident($($argument:tt)*))?),* $(,)? }
    )*) => {
        $(
            messages! {
                @$kind [$(#[$doc])*] $type $name [$($(#[$reply_doc])* $reply)?] [$($($beside)*)?]
                { $($(#[$field_doc])* pub $field: $field_type,)* }
            }

            impl $type {
                fn in_words(self, version: Option<mp_core::inspect::DpdkVersion>) -> $crate::Decoded {
                    let (it, _) = (self, version);
                    let words = $crate::Decoded::new();
                    $($(let words = messages!(@show words it version $field $how($($argument)*));)?)*
                    words
                }
            }
        )*

        /// The decoders of all these.
        pub(crate) const ROWS: &[$crate::messages::Row] = &[
            $(($name, |param, version| {
                mp_typed::decode::<$type>(param, []).ok().map(|it| it.in_words(version))
            })),*
        ];
    };

    (@request [$($doc:tt)*] $type:ident $name:literal [$(#[$reply_doc:meta])* $reply:ident] [$($beside:tt)*]
        { $($fields:tt)* }
    ) => {
        #[derive(Debug, Clone, PartialEq, Eq, mp_typed::Request)]
        $($doc)*
        #[message(name = $name, response = $reply, layout = "C")]
        pub struct $type { $($fields)* }

        #[derive(Debug, mp_typed::Response)]
        $(#[$reply_doc])*
        #[message(layout = "C")]
        pub struct $reply { $($fields)* $($beside)* }
    };
    (@message [$($doc:tt)*] $type:ident $name:literal [] [$($beside:tt)*] { $($fields:tt)* }) => {
        #[derive(Debug, mp_typed::Message)]
        $($doc)*
        #[message(name = $name, layout = "C")]
        pub struct $type { $($fields)* $($beside)* }
    };
    (@reply [$($doc:tt)*] $type:ident $name:literal [] [] { $($fields:tt)* }) => {
        #[derive(Debug, Clone, PartialEq, Eq, mp_typed::Response)]
        $($doc)*
        #[message(layout = "C")]
        pub struct $type { $($fields)* }

        impl $type {
            /// The name it comes under.
            pub const NAME: &'static str = $name;
        }
    };

    (@show $words:ident $it:ident $version:ident $field:ident number($as:literal)) => {
        $words.number($as, $it.$field)
    };
    (@show $words:ident $it:ident $version:ident $field:ident text($as:literal)) => {
        $words.text($as, $crate::text(&$it.$field))
    };
    (@show $words:ident $it:ident $version:ident $field:ident $how:ident($as:literal, if $shown:ident($of:ident))) => {
        if $shown($it.$of) { messages!(@show $words $it $version $field $how($as)) } else { $words }
    };
    (@show $words:ident $it:ident $version:ident $field:ident word($as:literal, $table:ident)) => {
        $words.word($as, $it.$field.into(), $table)
    };
    (@show $words:ident $it:ident $version:ident $field:ident hex($as:literal)) => {
        $words.text($as, format!("{:#x}", $it.$field))
    };
    (@show $words:ident $it:ident $version:ident $field:ident by($as:literal, $in_words:ident)) => {
        $words.value($as, $in_words($it.$field, $version))
    };
    (@show $words:ident $it:ident $version:ident $field:ident result()) => {
        $words.result($it.$field)
    };
}

/// Declares numbers that stand for words, as constants and as a table of their words.
macro_rules! words {
    ($table:ident { $($(#[$doc:meta])* $name:ident = $number:literal $word:literal),* $(,)? }) => {
        $($(#[$doc])* pub const $name: i32 = $number;)*

        const $table: &[(i32, &str)] = &[$(($name, $word)),*];
    };
}

pub(crate) use {messages, words};
