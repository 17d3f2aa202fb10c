//! Derive macros of `mp-typed`: see that crate for what they mean and how to use them.
//!
//! The file list is the pipeline:
//!
//! ```text
//! lib ─► ast ─► attr ─► { args, serde }   what was written: the type, its fields, the attributes and their syntax
//!    ├─► valid                            what makes no sense together, found before any code is made
//!    ├─► whereabouts                      whether the compiler was told of `mp-typed` at all
//!    └─► expand ─► codecs                 one constant per field, at the field's type
//!             ├──► coding                 encoding and decoding, field by field
//!             ├──► { body, payload }      the impls around them
//!             └──► fallback               the same impls without content, after a mistake
//! ```
//!
//! Below all of them: `derive` (which of the four it is), `ctxt` (the mistakes so far), `spell`
//! (how a type is spelled).
//!
//! All mistakes are collected in a `Ctxt` and reported together, each at its token. After a mistake
//! the impls are still there, so that nothing else in the crate fails for want of them. What only
//! the compiler can know (whether a type is a payload, how large it is) is left to the constants in
//! the generated code.

mod ast;
mod attr;
mod ctxt;
mod derive;
mod expand;
#[cfg(test)]
mod golden;
mod spell;
mod valid;
mod whereabouts;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::derive::Derive;

/// Makes a struct or enum a one-way message.
///
/// See `mp_typed::Message`, and the crate documentation of `mp-typed` for the attributes.
#[proc_macro_derive(Message, attributes(message, fd, payload, serde))]
pub fn message(input: TokenStream) -> TokenStream {
    derived(Derive::Message, input)
}

/// Makes a struct or enum a request, which expects a response.
///
/// See `mp_typed::Request`, and the crate documentation of `mp-typed` for the attributes.
#[proc_macro_derive(Request, attributes(message, fd, payload, serde))]
pub fn request(input: TokenStream) -> TokenStream {
    derived(Derive::Request, input)
}

/// Makes a struct or enum the response to a request.
///
/// See `mp_typed::Response`, and the crate documentation of `mp-typed` for the attributes.
#[proc_macro_derive(Response, attributes(message, fd, payload, serde))]
pub fn response(input: TokenStream) -> TokenStream {
    derived(Derive::Response, input)
}

/// Makes a struct or enum a value that can be a field of messages and of other payloads.
///
/// See `mp_typed::Payload`, and the crate documentation of `mp-typed` for the attributes.
#[proc_macro_derive(Payload, attributes(payload, message, fd, serde))]
pub fn payload(input: TokenStream) -> TokenStream {
    derived(Derive::Payload, input)
}

fn derived(derive: Derive, input: TokenStream) -> TokenStream {
    expand::expand(derive, &parse_macro_input!(input as DeriveInput)).into()
}
