//! The generated code.
//!
//! For every type there is one `const _` block. In it, `Fields` holds one codec constant per field, made by an expression
//! that stands at the field's type, and all else refers to those constants: a type that cannot be a field is one error.

mod body;
mod codecs;
mod coding;
mod payload;
mod span;
mod without_self;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::ast::{Derive, Input};
use crate::ctxt::Ctxt;
use crate::{fallback, valid};

pub(crate) use self::body::{decode_generics, lends, owned};
pub(crate) use self::codecs::Codecs;

/// The impls for `original`; after mistakes, the mistakes and impls without content.
pub(crate) fn expand(derive: Derive, original: &DeriveInput) -> TokenStream {
    let mut cx = Ctxt::default();
    let input = Input::parse(derive, original, &mut cx);
    valid::check(&input, original, &mut cx);
    let private = private(&input);
    let codecs = Codecs::new(&input, &private);
    if cx.len() > 0 {
        let errors = cx.into_compile_errors();
        let impls = block(&fallback::expand(&input, &codecs, &private));
        return quote! { #errors #impls };
    }
    block(&match derive {
        Derive::Payload => payload::expand(&input, &codecs, &private),
        Derive::Message | Derive::Request | Derive::Response => body::expand(&input, &codecs, &private),
    })
}

/// The path to everything that generated code uses.
fn private(input: &Input<'_>) -> TokenStream {
    let krate = &input.attrs.krate;
    quote!(#krate::__private)
}

fn block(content: &TokenStream) -> TokenStream {
    quote! {
        #[doc(hidden)]
        #[allow(dead_code, deprecated, unused_qualifications, clippy::absolute_paths, clippy::pedantic)]
        const _: () = { #content };
    }
}
