//! The generated code.
//!
//! For every type there is one `const _` block. In it, `Fields` holds one codec constant per field,
//! made by an expression that stands at the field's type, and all else refers to those constants: a
//! type that cannot be a field is one error.

mod body;
mod codecs;
mod coding;
mod fallback;
mod payload;
mod span;
mod without_self;

use std::env;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::DeriveInput;

use self::codecs::Codecs;
use crate::ast::Input;
use crate::ctxt::Ctxt;
use crate::derive::Derive;
use crate::{valid, whereabouts};

/// The impls for `original`; after mistakes, the mistakes and impls without content.
pub(crate) fn expand(derive: Derive, original: &DeriveInput) -> TokenStream {
    let mut cx = Ctxt::default();
    let input = Input::parse(derive, original, &mut cx);
    valid::check(&input, original, &mut cx);
    if let Some(missing) = missing(&input) {
        cx.span(Span::call_site(), missing);
        return cx.into_compile_errors();
    }
    if input.attrs.of_another_role {
        return cx.into_compile_errors();
    }
    let private = private();
    let codecs = Codecs::new(&input, &private);
    if cx.len() > 0 {
        let errors = cx.into_compile_errors();
        let impls = block(&input, &fallback::expand(&input, &codecs, &private));
        return quote! { #errors #impls };
    }
    let impls = match derive {
        Derive::Payload => payload::expand(&input, &codecs, &private),
        Derive::Message | Derive::Request | Derive::Response => body::expand(&input, &codecs, &private),
    };
    block(&input, &impls)
}

/// What to say if the compiler was told that `::mp_typed`, which all of the code would need, is not
/// there.
fn missing(input: &Input<'_>) -> Option<String> {
    let says_where = input.attrs.krate.is_some() || input.attrs.unclear;
    if says_where { None } else { whereabouts::missing(input.derive, env::args_os()) }
}

/// The name under which generated code finds everything that it uses, whatever the surroundings
/// call their own things.
fn private() -> TokenStream {
    quote!(__mp)
}

/// The one place where the path to this crate stands, with the spans that it was written with: so a
/// `$crate` in it stays that of the macro it was written in, and a path that leads nowhere is one
/// error.
fn block(input: &Input<'_>, content: &TokenStream) -> TokenStream {
    let krate = input.attrs.krate.as_ref().map_or_else(|| quote!(::mp_typed), ToTokens::to_token_stream);
    quote! {
        #[doc(hidden)]
        #[allow(dead_code, deprecated, unused_qualifications, clippy::absolute_paths, clippy::pedantic, clippy::type_complexity, clippy::unnecessary_cast)]
        const _: () = {
            use #krate::__private as __mp;
            #content
        };
    }
}
