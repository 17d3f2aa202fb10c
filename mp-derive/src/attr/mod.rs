//! The attributes: `#[message(...)]`, `#[payload(...)]`, `#[fd]`, and the `#[serde(...)]` ones that
//! matter here.

mod args;
mod repr;
mod serde;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, Path, Type};

use self::args::{Arg, Place};
use crate::ctxt::Ctxt;
use crate::derive::Derive;

/// An argument, and where it was given.
pub(crate) struct Given<T> {
    pub(crate) at: Span,
    pub(crate) value: T,
}

/// What the attributes of a type say.
pub(crate) struct TypeAttrs {
    pub(crate) name: Option<Given<Expr>>,
    pub(crate) response: Option<Given<Type>>,
    /// The response that this one may be sent as.
    pub(crate) lends: Option<Given<Type>>,
    pub(crate) layout_c: Option<Given<()>>,
    /// What `repr(align(...))` asks for, else 1.
    pub(crate) align: usize,
    pub(crate) max_fds: Option<Given<Expr>>,
    /// There is to be none.
    pub(crate) fingerprint: Option<Given<()>>,
    /// An earlier definition of the same message.
    pub(crate) accepts: Option<Given<Type>>,
    /// Where `mp-typed` is; `::mp_typed` unless the type says otherwise.
    pub(crate) krate: Option<Path>,
    /// Some of it belongs to another role, which the type may have by another derive: impls for
    /// this one could collide.
    pub(crate) of_another_role: bool,
    /// Some of it could not be understood, so nothing can be said to be missing.
    pub(crate) unclear: bool,
}

/// What the attributes of a field say.
pub(crate) struct FieldAttrs {
    pub(crate) fd: Option<Given<()>>,
    pub(crate) max_len: Option<Given<Expr>>,
    pub(crate) max_size: Option<Given<Expr>>,
    /// Some of it could not be understood, so nothing can be said about the field's type.
    pub(crate) unclear: bool,
}

impl TypeAttrs {
    pub(crate) fn parse(derive: Derive, attrs: &[Attribute], cx: &mut Ctxt) -> Self {
        let (mut name, mut response, mut lends, mut layout_c, mut max_fds, mut krate) = Default::default();
        let (mut fingerprint, mut accepts) = Default::default();
        let mut other_roles: Vec<(Ident, &str)> = Vec::new();
        let before = cx.len();
        for arg in args::parse(derive, Place::Type, attrs, cx) {
            match arg {
                Arg::Name(key, _) if derive == Derive::Response => other_roles.push((
                    key,
                    "a response has no name of its own: it travels under the name of its request",
                )),
                Arg::Response(key, _) if derive == Derive::Message => other_roles.push((
                    key,
                    "a message has no response: for one that is answered, derive `Request` instead of `Message`",
                )),
                Arg::Response(key, _) if derive == Derive::Response => other_roles.push((
                    key,
                    "a response has no response: `response = ...` belongs on the request",
                )),
                Arg::Name(key, value) => set(&mut name, &key, value, cx),
                Arg::Response(key, value) => set(&mut response, &key, value, cx),
                Arg::LayoutC(key) => set(&mut layout_c, &key, (), cx),
                Arg::Lends(key, value) => set(&mut lends, &key, value, cx),
                Arg::MaxFds(key, value) => set(&mut max_fds, &key, value, cx),
                Arg::NoFingerprint(key) => set(&mut fingerprint, &key, (), cx),
                Arg::Accepts(key, value) => set(&mut accepts, &key, value, cx),
                Arg::Crate(key, value) => set(&mut krate, &key, value, cx),
                // Refused on a type already.
                Arg::MaxLen(..) | Arg::MaxSize(..) => {}
            }
        }
        let of_another_role = !other_roles.is_empty();
        // The first says enough: they all come of the same mistake.
        if let Some((key, why)) = other_roles.first() {
            cx.at(
                key,
                format!(
                    "{why}; a type has one role, so derive only one of `Message`, `Request` and `Response`"
                ),
            );
        }
        let unclear = cx.len() > before;
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("fd")) {
            cx.at(attr, "`#[fd]` marks a field, not the whole type");
        }
        serde::check_type(derive, attrs, cx);
        repr::check(derive, layout_c.is_some(), attrs, cx);
        let align = repr::align(attrs);
        let krate = krate.map(|krate: Given<Path>| krate.value);
        Self {
            name,
            response,
            lends,
            layout_c,
            align,
            max_fds,
            fingerprint,
            accepts,
            krate,
            of_another_role,
            unclear,
        }
    }

    /// None of our attributes belongs on a variant.
    pub(crate) fn refuse_on_variant(derive: Derive, attrs: &[Attribute], cx: &mut Ctxt) {
        for attr in attrs {
            if attr.path().is_ident("fd") {
                cx.at(attr, "`#[fd]` marks a field, not a whole variant");
            } else if attr.path().is_ident(derive.attribute()) {
                let attribute = derive.attribute();
                cx.at(
                    attr,
                    format!("`#[{attribute}(...)]` belongs on the enum or on a field, not on a variant"),
                );
            }
        }
        serde::check_type(derive, attrs, cx);
    }
}

impl FieldAttrs {
    pub(crate) fn parse(derive: Derive, attrs: &[Attribute], cx: &mut Ctxt) -> Self {
        let (mut max_len, mut max_size) = Default::default();
        let before = cx.len();
        for arg in args::parse(derive, Place::Field, attrs, cx) {
            match arg {
                Arg::MaxLen(key, value) => set(&mut max_len, &key, value, cx),
                Arg::MaxSize(key, value) => set(&mut max_size, &key, value, cx),
                // Refused on a field already.
                Arg::Name(..)
                | Arg::Response(..)
                | Arg::Lends(..)
                | Arg::LayoutC(_)
                | Arg::MaxFds(..)
                | Arg::NoFingerprint(_)
                | Arg::Accepts(..)
                | Arg::Crate(..) => {}
            }
        }
        let mut fd: Option<Given<()>> = None;
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("fd")) {
            if attr.meta.require_path_only().is_err() {
                cx.at(&attr.meta, "`#[fd]` takes no arguments");
            }
            match &fd {
                Some(_) => cx.at(attr, "`#[fd]` is given twice"),
                None => fd = Some(Given { at: attr.path().span(), value: () }),
            }
        }
        serde::check_field(derive, attrs, cx);
        Self { fd, max_len, max_size, unclear: cx.len() > before }
    }
}

fn set<T>(slot: &mut Option<Given<T>>, key: &Ident, value: T, cx: &mut Ctxt) {
    match slot {
        Some(_) => cx.at(key, format!("`{key}` is given twice")),
        None => *slot = Some(Given { at: key.span(), value }),
    }
}
