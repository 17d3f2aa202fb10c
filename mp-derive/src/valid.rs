//! What makes no sense together, found before any code is made: every check that needs no types.

use syn::{Data, DeriveInput, GenericParam};

use crate::ast::{Field, Input};
use crate::ctxt::Ctxt;
use crate::derive::Derive;
use crate::spell;

/// Reports every mistake in `input` that the attributes alone did not show.
pub(crate) fn check(input: &Input<'_>, original: &DeriveInput, cx: &mut Ctxt) {
    check_form(input, original, cx);
    check_generics(input, cx);
    check_missing(input, cx);
    for field in input.fields() {
        check_field(input, field, cx);
    }
}

fn check_form(input: &Input<'_>, original: &DeriveInput, cx: &mut Ctxt) {
    let noun = input.derive.noun();
    match &original.data {
        Data::Union(data) => cx.at(
            data.union_token,
            format!(
                "a union cannot be {noun}: nothing on the wire would say which field is meant; use an enum"
            ),
        ),
        Data::Enum(data) if data.variants.is_empty() => {
            cx.at(input.ident, format!("an enum without variants cannot be {noun}: it has no values"));
        }
        Data::Enum(_) => {
            if let Some(layout) = &input.attrs.layout_c {
                cx.span(
                    layout.at,
                    format!(
                        "an enum has no C layout: make `{}` a struct with the members that C has",
                        input.name()
                    ),
                );
            }
        }
        Data::Struct(_) => {}
    }
}

fn check_generics(input: &Input<'_>, cx: &mut Ctxt) {
    let (noun, name) = (input.derive.noun(), input.name());
    let mut lifetimes = 0;
    for param in &input.generics.params {
        match param {
            GenericParam::Lifetime(param) if input.derive == Derive::Payload => cx.at(
                param,
                "a payload owns its content: borrow at the message's own fields, or use an owned or bounded type here",
            ),
            GenericParam::Lifetime(param) => {
                lifetimes += 1;
                if lifetimes == 2 {
                    cx.at(param, format!("{noun} has at most one lifetime, that of the datagram it borrows from"));
                }
            }
            GenericParam::Type(_) | GenericParam::Const(_) if input.derive == Derive::Payload => {}
            GenericParam::Type(_) | GenericParam::Const(_) => cx.at(
                param,
                format!("{noun} cannot be generic: its name and largest size are fixed where `{name}` is defined"),
            ),
        }
    }
}

fn check_missing(input: &Input<'_>, cx: &mut Ctxt) {
    if input.attrs.unclear {
        return;
    }
    let needs_name = matches!(input.derive, Derive::Message | Derive::Request) && input.attrs.name.is_none();
    let needs_response = input.derive == Derive::Request && input.attrs.response.is_none();
    let (noun, name) = (input.derive.noun(), input.name());
    let suggestion = spell::snake_case(&name);
    match (needs_name, needs_response) {
        (true, true) => cx.at(
            input.ident,
            format!("{noun} needs a name and a response: add `#[message(name = \"{suggestion}\", response = SomeResponse)]`"),
        ),
        (true, false) => {
            cx.at(input.ident, format!("{noun} needs a name: add `#[message(name = \"{suggestion}\")]`"));
        }
        (false, true) => cx.at(
            input.ident,
            "a request needs a response: add `response = SomeResponse` to `#[message(...)]`, `response = ()` for an empty one; or derive `Message` if nothing answers it",
        ),
        (false, false) => {}
    }
}

fn check_field(input: &Input<'_>, field: &Field<'_>, cx: &mut Ctxt) {
    let attrs = &field.attrs;
    let c = input.attrs.layout_c.is_some();
    if let Some(fd) = &attrs.fd
        && input.derive == Derive::Payload
    {
        cx.span(fd.at, "a payload is bytes only: move the descriptor to a field of the message itself; for an answer that is one type with descriptors or else another, derive `Response` for both, and write `response = Result<Answer, Error>` on the request");
    }
    if let Some(max_size) = &attrs.max_size {
        if attrs.fd.is_some() {
            cx.span(max_size.at, "`max_size` bounds payload bytes, and a `#[fd]` field has none");
        } else if attrs.max_len.is_some() {
            cx.span(
                max_size.at,
                "one bound is enough: `max_len` for text and lists, `max_size` for foreign types",
            );
        } else if c {
            cx.span(
                max_size.at,
                "`max_size` does not apply in a C layout: every field has the size that C gives it",
            );
        }
    }
    if let Some(max_len) = &attrs.max_len
        && c
        && attrs.fd.is_none()
    {
        cx.span(max_len.at, "`max_len` does not apply in a C layout: text and lists are arrays there, `[u8; 32]` for instance");
    }
    if spell::contains(field.ty, input.ident) {
        let name = input.name();
        cx.at(
            field.ty,
            format!("`{name}` contains itself, so it has no largest size: send one part at a time, or as many as fit into an array of another type"),
        );
    }
    if attrs.max_len.is_some() && attrs.fd.is_none() && spell::is_static(field.ty) {
        let why = match input.derive {
            Derive::Payload => "a payload owns its content: use `String` or `Vec<u8>`",
            _ => {
                "what is received borrows from its datagram, which is not `'static`: give the type a lifetime (`struct Name<'a>`, `&'a str`), or use an owned type"
            }
        };
        cx.at(field.ty, why);
    }
    if attrs.fd.is_none() && spell::is_raw_fd(field.ty) {
        cx.at(
            field.ty,
            "a raw descriptor number means nothing in another process: use `OwnedFd` or `BorrowedFd<'_>`, marked `#[fd]`",
        );
    }
}

/// Whether nothing is known against the field, so that the compiler may have a look at its type.
pub(crate) fn is_clear(input: &Input<'_>, field: &Field<'_>) -> bool {
    let mut cx = Ctxt::default();
    check_field(input, field, &mut cx);
    !field.attrs.unclear && cx.len() == 0
}

/// Whether nothing is known against the parameters that the types of the fields may use.
pub(crate) fn generics_are_clear(input: &Input<'_>) -> bool {
    let mut cx = Ctxt::default();
    check_generics(input, &mut cx);
    cx.len() == 0
}
