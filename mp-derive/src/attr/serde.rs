//! `#[serde(...)]` beside our derives.
//!
//! Our types are encoded field by field, not by serde, and a payload promises the bytes that
//! bincode makes of a plain serde derive. So what would change serde's encoding is refused where
//! the two would differ; the rest is none of our business.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, Token, token};

use crate::ctxt::Ctxt;
use crate::derive::Derive;

/// The attributes of a type or variant.
pub(super) fn check_type(derive: Derive, attrs: &[Attribute], cx: &mut Ctxt) {
    check(derive, attrs, type_mistake, cx);
}

/// The attributes of a field.
pub(super) fn check_field(derive: Derive, attrs: &[Attribute], cx: &mut Ctxt) {
    check(derive, attrs, field_mistake, cx);
}

fn type_mistake(key: &str) -> Option<&'static str> {
    Some(match key {
        "untagged" | "tag" | "content" => {
            "a payload's enum is told apart by the number of its variant; bincode can decode no other form"
        }
        "into" | "from" | "try_from" | "remote" => {
            "a payload is encoded field by field, so this would not be what is sent; derive `Payload` for the other type and send that"
        }
        "skip" | "skip_serializing" | "skip_deserializing" | "other" => {
            "a payload has no variants that cannot be sent; leave this out"
        }
        "with" | "serialize_with" | "deserialize_with" => {
            "a payload is encoded field by field, so this would not be what is sent; put it on a field with `#[payload(max_size = N)]`"
        }
        _ => return None,
    })
}

fn field_mistake(key: &str) -> Option<&'static str> {
    Some(match key {
        "flatten" => "bincode cannot decode a flattened field; make it a plain field, its bytes are the same",
        "skip" | "skip_serializing" | "skip_serializing_if" | "skip_deserializing" => {
            "a payload always has all of its fields: skipping one would shift those after it; take the field out, or make it an `Option`"
        }
        "with" | "serialize_with" | "deserialize_with" | "getter" => {
            "a payload's fields are encoded by their types, so this would not be what is sent; wrap the value in a type with these serde impls and give the field `#[payload(max_size = N)]`"
        }
        _ => return None,
    })
}

fn check(derive: Derive, attrs: &[Attribute], mistake: impl Fn(&str) -> Option<&'static str>, cx: &mut Ctxt) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        if derive != Derive::Payload {
            let noun = derive.noun();
            cx.at(
                attr.path(),
                format!("`#[serde]` does nothing here: {noun} is encoded field by field, not by serde"),
            );
            continue;
        }
        // Serde's own derive reports what is wrong in its attributes.
        let _ = attr.parse_nested_meta(|meta| {
            let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            if let Some(why) = mistake(&key) {
                cx.at(&meta.path, why);
            }
            skip_value(&meta)
        });
    }
}

fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(())
}
