//! `#[repr(...)]` beside our derives: C's alignment counts in a C layout, and packed structs have
//! fields that cannot be borrowed. Everything else in it is the compiler's business, mistakes too.

use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitInt, token};

use crate::ctxt::Ctxt;
use crate::derive::Derive;

/// Refuses `packed`: references to the fields of a packed struct do not exist, so nothing could
/// encode them.
pub(super) fn check(derive: Derive, layout_c: bool, attrs: &[Attribute], cx: &mut Ctxt) {
    let (noun, attribute) = (derive.noun(), derive.attribute());
    each(attrs, |meta| {
        if meta.path.is_ident("packed") {
            let advice = if layout_c {
                format!(
                    "leave out both `packed` and `layout = \"C\"`: numbers, `bool` and arrays then go one after the other, without padding and little-endian, as in a packed struct of a little-endian machine; or keep `#[{attribute}(layout = \"C\")]` alone and make the fields `[u8; N]`, which have no alignment"
                )
            } else {
                "leave it out: the fields go one after the other without padding anyway, as in a packed struct of a little-endian C peer".to_owned()
            };
            cx.at(&meta.path, format!("{noun} cannot be `packed`; {advice}"));
        }
        skip_value(meta)
    });
}

/// The largest alignment that is asked for, else 1.
pub(super) fn align(attrs: &[Attribute]) -> usize {
    let mut align = 1;
    each(attrs, |meta| {
        if !meta.path.is_ident("align") {
            return skip_value(meta);
        }
        let content;
        syn::parenthesized!(content in meta.input);
        let asked: usize = content.parse::<LitInt>()?.base10_parse()?;
        if asked.is_power_of_two() {
            align = align.max(asked);
        }
        Ok(())
    });
    align
}

fn each(attrs: &[Attribute], mut meta: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("repr")) {
        // Whatever else is wrong with a `repr`, the compiler says better.
        let _ = attr.parse_nested_meta(|nested| meta(&nested));
    }
}

fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<TokenStream>()?;
    }
    Ok(())
}
