//! The arguments in the brackets: which key, which value, and what to say about everything else.
//!
//! Arguments are parsed one by one, and after a mistake from the next comma on, so that each
//! mistake shows.

use proc_macro2::TokenTree;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Token, Type, UnOp, token};

use crate::ctxt::Ctxt;
use crate::derive::Derive;

/// What an attribute stands on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Type,
    Field,
}

/// `key = value`, where the key belongs and the value is of the right sort.
pub(super) enum Arg {
    Name(Ident, Expr),
    Response(Ident, Type),
    LayoutC(Ident),
    Crate(Ident, Path),
    MaxFds(Ident, Expr),
    Lends(Ident, Type),
    NoFingerprint(Ident),
    Accepts(Ident, Type),
    MaxLen(Ident, Expr),
    MaxSize(Ident, Expr),
}

/// The arguments of our attributes among `attrs`.
pub(super) fn parse(derive: Derive, place: Place, attrs: &[Attribute], cx: &mut Ctxt) -> Vec<Arg> {
    let mut args = Vec::new();
    let ours = derive.attribute();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(ours)) {
        match &attr.meta {
            Meta::List(list) if !list.tokens.is_empty() => {
                let all = |input: ParseStream<'_>| {
                    parse_all(derive, place, input, &mut args, cx);
                    Ok(())
                };
                // It takes whatever there is, and keeps the errors to itself.
                let _ = all.parse2(list.tokens.clone());
            }
            meta => {
                cx.at(meta, format!("`#[{ours}]` needs arguments: `#[{ours}({})]`", place.example(derive)))
            }
        }
    }
    refuse_the_other(derive, place, attrs, cx);
    args
}

fn parse_all(derive: Derive, place: Place, input: ParseStream<'_>, args: &mut Vec<Arg>, cx: &mut Ctxt) {
    while !input.is_empty() {
        match parse_one(derive, place, input) {
            Ok(arg) => args.push(arg),
            Err(error) => cx.push(error),
        }
        while !input.is_empty() && !input.peek(Token![,]) {
            let _ = input.parse::<TokenTree>();
        }
        let _ = input.parse::<Option<Token![,]>>();
    }
}

fn parse_one(derive: Derive, place: Place, input: ParseStream<'_>) -> syn::Result<Arg> {
    let key = parse_key(derive, place, input)?;
    let name = key.unraw().to_string();
    if input.peek(token::Paren) {
        return Err(input.error(format!("write `{name} = ...` instead of `{name}(...)`")));
    }
    if input.peek(Token![:]) {
        return Err(input.error(format!("write `{name} = ...` instead of `{name}: ...`")));
    }
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(key.span(), format!("`{name}` needs a value: `{}`", example(&name))));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new(key.span(), format!("`{name}` needs a value: `{}`", example(&name))));
    }
    let arg = parse_value(key, &name, input)?;
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(input.error("expected a `,` before this"));
    }
    Ok(arg)
}

fn parse_key(derive: Derive, place: Place, input: ParseStream<'_>) -> syn::Result<Ident> {
    if input.peek(LitStr) && place.keys(derive).contains(&"name") {
        let text: LitStr = input.parse()?;
        let literal = text.token();
        return Err(syn::Error::new(text.span(), format!("a name is given as `name = {literal}`")));
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format!("expected an argument like `{}`", place.example(derive))));
    }
    let key = input.call(Ident::parse_any)?;
    let name = key.unraw().to_string();
    if place.keys(derive).contains(&&*name) || place.is_of_another_role(derive, &name) {
        return Ok(key);
    }
    let message = misplaced(derive, place, &name).unwrap_or_else(|| unknown(derive, place, &name));
    Err(syn::Error::new(key.span(), message))
}

fn parse_value(key: Ident, name: &str, input: ParseStream<'_>) -> syn::Result<Arg> {
    Ok(match name {
        "name" => Arg::Name(key, parse_name(input)?),
        "response" => Arg::Response(key, parse_path_like(input, "response", "a type")?),
        "crate" => {
            let path: Type = parse_path_like(input, "crate", "a path")?;
            match path {
                Type::Path(path) if path.qself.is_none() => Arg::Crate(key, path.path),
                other => {
                    return Err(syn::Error::new_spanned(
                        other,
                        "a crate is given as a path: `crate = my::mp_typed`",
                    ));
                }
            }
        }
        "layout" => {
            let value: Expr = input.parse()?;
            if !matches!(&value, Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value() == "C") {
                return Err(syn::Error::new_spanned(value, "unknown layout; there is one: `layout = \"C\"`"));
            }
            Arg::LayoutC(key)
        }
        "lends" => Arg::Lends(key, parse_path_like(input, "lends", "a type")?),
        "accepts" => Arg::Accepts(key, parse_path_like(input, "accepts", "a type")?),
        "fingerprint" => {
            let value: Expr = input.parse()?;
            if !matches!(&value, Expr::Lit(ExprLit { lit: Lit::Bool(is_wanted), .. }) if !is_wanted.value()) {
                return Err(syn::Error::new_spanned(
                    value,
                    "a fingerprint is there unless `fingerprint = false` leaves it out",
                ));
            }
            Arg::NoFingerprint(key)
        }
        "max_fds" => Arg::MaxFds(key, parse_number(input, "max_fds")?),
        "max_len" => Arg::MaxLen(key, parse_number(input, "max_len")?),
        "max_size" => Arg::MaxSize(key, parse_number(input, "max_size")?),
        _ => unreachable!("`{name}` is among the keys, and has no value"),
    })
}

/// A literal, which is checked at once, or a constant, which the compiler will check.
fn parse_name(input: ParseStream<'_>) -> syn::Result<Expr> {
    let value: Expr = input.parse()?;
    let wrong = match &value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => wrong_name(&text.value()),
        Expr::Lit(_) => Some("a message name is a string: `name = \"...\"`".to_owned()),
        _ => None,
    };
    wrong.map_or(Ok(value.clone()), |why| Err(syn::Error::new_spanned(&value, why)))
}

fn wrong_name(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("a message name cannot be empty".to_owned());
    }
    if name.len() > 63 {
        return Some(format!("this message name is {} bytes long; the limit is 63", name.len()));
    }
    let nul = name.find('\0')?;
    Some(format!("a message name cannot contain a NUL byte: byte {nul} of this one is one"))
}

/// A type, which people tend to put in quotes.
fn parse_path_like(input: ParseStream<'_>, key: &str, what: &str) -> syn::Result<Type> {
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        let message = format!("`{key}` takes {what}, without quotes: `{key} = {}`", text.value());
        return Err(syn::Error::new(text.span(), message));
    }
    input
        .parse()
        .map_err(|error| syn::Error::new(error.span(), format!("`{key}` takes {what}: `{}`", example(key))))
}

/// A number or a constant.
fn parse_number(input: ParseStream<'_>, key: &str) -> syn::Result<Expr> {
    let value: Expr = input.parse()?;
    if let Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) = &value
        && !matches!(number.suffix(), "" | "usize")
    {
        let digits = number.base10_digits();
        return Err(syn::Error::new_spanned(&value, format!("`{key}` is a `usize`: `{key} = {digits}`")));
    }
    let is_number = match &value {
        Expr::Lit(ExprLit { lit, .. }) => matches!(lit, Lit::Int(_)),
        Expr::Unary(unary) => !matches!(unary.op, UnOp::Neg(_)),
        _ => true,
    };
    if is_number {
        return Ok(value);
    }
    Err(syn::Error::new_spanned(value, format!("`{key}` takes a number: `{}`", example(key))))
}

/// Why a key of ours is wrong at this place or in this derive.
fn misplaced(derive: Derive, place: Place, name: &str) -> Option<String> {
    let attribute = derive.attribute();
    match (place, name) {
        (Place::Type, "name" | "response") => {
            Some(format!("a payload has no `{name}`: it is a part of messages, which have"))
        }
        (Place::Type, "max_len" | "max_size") => {
            Some(format!("`{name}` belongs on a field: `#[{attribute}({})]`", example(name)))
        }
        (Place::Type, "max_fds") if derive == Derive::Payload => {
            Some("`max_fds` belongs on the message: a payload carries no file descriptors".to_owned())
        }
        (Place::Type, "fingerprint" | "accepts") => Some(format!(
            "`{name}` belongs on a message or request: of what is in it there is no fingerprint by itself"
        )),
        (Place::Type, "lends") => Some(
            "`lends` belongs on a response: messages and requests that lend can be sent as they are"
                .to_owned(),
        ),
        (
            Place::Field,
            "name" | "response" | "lends" | "layout" | "max_fds" | "fingerprint" | "accepts" | "crate",
        ) => Some(format!("`{name}` belongs on the type, not on a field")),
        (_, "fd") => Some("a file descriptor is marked `#[fd]`, an attribute of its own".to_owned()),
        _ => None,
    }
}

fn unknown(derive: Derive, place: Place, name: &str) -> String {
    let keys = place.keys(derive);
    let attribute = derive.attribute();
    let like = |key: &&&str| name.starts_with(**key) || key.starts_with(name);
    let nearest = keys.iter().map(|key| (strsim::osa_distance(name, key), *key)).min();
    match keys.iter().find(like).map(|key| (0, *key)).or(nearest) {
        Some((distance, key)) if distance <= 1 + key.len() / 4 => {
            format!("unknown key `{name}` in `#[{attribute}(...)]`; did you mean `{key}`?")
        }
        _ => {
            let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
            format!("unknown key `{name}` in `#[{attribute}(...)]`; the keys here are {}", keys.join(", "))
        }
    }
}

/// The attribute of the other derives does nothing here, unless the type has those too.
fn refuse_the_other(derive: Derive, place: Place, attrs: &[Attribute], cx: &mut Ctxt) {
    let ours = derive.attribute();
    let other = if ours == "message" { "payload" } else { "message" };
    if place == Place::Type || attrs.iter().any(|attr| attr.path().is_ident(ours)) {
        return;
    }
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(other)) {
        cx.at(attr.path(), format!("this is {}: the attribute here is `#[{ours}(...)]`", derive.noun()));
    }
}

impl Place {
    /// The keys that belong here.
    fn keys(self, derive: Derive) -> &'static [&'static str] {
        match (self, derive) {
            (Self::Type, Derive::Request) => {
                &["name", "response", "layout", "max_fds", "fingerprint", "accepts", "crate"]
            }
            (Self::Type, Derive::Message) => {
                &["name", "layout", "max_fds", "fingerprint", "accepts", "crate"]
            }
            (Self::Type, Derive::Response) => &["lends", "layout", "max_fds", "crate"],
            (Self::Type, Derive::Payload) => &["layout", "crate"],
            (Self::Field, _) => &["max_len", "max_size"],
        }
    }

    /// Whether a key belongs to another of the three roles, and so raises doubts about which one is
    /// meant.
    fn is_of_another_role(self, derive: Derive, key: &str) -> bool {
        self == Self::Type
            && matches!(
                (derive, key),
                (Derive::Message, "response") | (Derive::Response, "name" | "response")
            )
    }

    /// What goes into the brackets, for instance.
    fn example(self, derive: Derive) -> &'static str {
        match (self, derive) {
            (Self::Type, Derive::Request) => "name = \"...\", response = SomeResponse",
            (Self::Type, Derive::Message) => "name = \"...\"",
            (Self::Type, Derive::Response | Derive::Payload) => "layout = \"C\"",
            (Self::Field, _) => "max_len = 32",
        }
    }
}

fn example(key: &str) -> &'static str {
    match key {
        "name" => "name = \"...\"",
        "response" => "response = SomeResponse",
        "layout" => "layout = \"C\"",
        "crate" => "crate = my::mp_typed",
        "lends" => "lends = SomeResponse",
        "accepts" => "accepts = OldDefinition",
        "fingerprint" => "fingerprint = false",
        "max_fds" => "max_fds = 253",
        "max_len" => "max_len = 32",
        "max_size" => "max_size = 32",
        _ => unreachable!("`{key}` is among the keys, and has no example"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_an_example_of_its_own() {
        for derive in [Derive::Message, Derive::Request, Derive::Response, Derive::Payload] {
            for place in [Place::Type, Place::Field] {
                for key in place.keys(derive) {
                    assert!(example(key).starts_with(&format!("{key} = ")), "{key}: {}", example(key));
                }
            }
        }
    }
}
