//! Messages, requests and responses: shape, encoding, decoding, name, and the check that it fits.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Lifetime, Type, parse_quote};

use super::codecs::Codecs;
use super::{coding, span};
use crate::ast::Input;
use crate::derive::Derive;
use crate::spell;

pub(super) fn expand(input: &Input<'_>, codecs: &Codecs, private: &TokenStream) -> TokenStream {
    let definition = &codecs.definition;
    let body = body(input, codecs, private);
    let decode = (!input.lends()).then(|| decode(input, codecs, private));
    let role = role(input, private);
    let check = check(input, private);
    let discriminants = coding::check_discriminants(input, private);
    let max_fds = max_fds(input, private);
    let lent_answer = lent_answer(input, private);
    let portable = portable(input, private);
    quote! { #definition #max_fds #body #decode #role #lent_answer #portable #discriminants #check }
}

/// The parameters of `impl Decode<'de>`: the type's own lifetime if it has one, else one more.
pub(super) fn decode_generics(input: &Input<'_>, de: &Lifetime) -> Generics {
    let mut generics = input.generics.clone();
    if generics.lifetimes().next().is_none() {
        generics.params.insert(0, parse_quote!(#de));
    }
    generics
}

fn body(input: &Input<'_>, codecs: &Codecs, private: &TokenStream) -> TokenStream {
    let ident = input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let shape = shape(input, codecs, private);
    let encode = coding::encode(input, codecs, private, coding::Names::Kept);
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Body for #ident #type_generics #where_clause {
            const SHAPE: #private::Shape = #shape;

            fn encode_body<'__a>(
                &'__a self,
                __out: &mut #private::Writer<'__a>,
            ) -> #private::Result<(), #private::At<#private::EncodeFault>> {
                #encode
            }
        }
    }
}

fn decode(input: &Input<'_>, codecs: &Codecs, private: &TokenStream) -> TokenStream {
    let (ident, de) = (input.ident, &codecs.de);
    let generics = decode_generics(input, de);
    let (impl_generics, ..) = generics.split_for_impl();
    let (_, type_generics, where_clause) = input.generics.split_for_impl();
    let decode = coding::decode_body(input, codecs, private);
    let owned = owned(input, private);
    quote! {
        #owned
        #[automatically_derived]
        impl #impl_generics #private::Decode<#de> for #ident #type_generics #where_clause {
            fn decode_body(
                __src: &mut #private::Reader<#de>,
                __fds: &mut #private::FdSource,
            ) -> #private::Result<Self, #private::Undecoded> {
                #decode
            }
        }
    }
}

/// The promise that a received value can be kept.
pub(super) fn owned(input: &Input<'_>, private: &TokenStream) -> Option<TokenStream> {
    let ident = input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    input.generics.lifetimes().next().is_none().then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #private::DecodeOwned for #ident #type_generics #where_clause {}
        }
    })
}

fn shape(input: &Input<'_>, codecs: &Codecs, private: &TokenStream) -> TokenStream {
    let type_name = input.name();
    let form = match (&input.attrs.layout_c, input.is_enum) {
        (Some(_), _) => {
            let c = codecs.c();
            quote!(C(#c.0))
        }
        (None, true) => quote!(Enum),
        (None, false) => quote!(Struct),
    };
    let variants = variants(input, codecs, private);
    let max_fds = match input.attrs.max_fds {
        Some(_) => quote!(#private::Some(__MAX_FDS)),
        None => quote!(#private::None),
    };
    quote! {
        #private::Shape {
            type_name: #type_name,
            form: #private::Form::#form,
            variants: #variants,
            max_fds: #max_fds,
        }
    }
}

/// What a payload is, for the fingerprints of messages that contain it.
pub(super) fn kind(input: &Input<'_>, codecs: &Codecs, private: &TokenStream) -> TokenStream {
    let shape = shape(input, codecs, private);
    quote!(#private::Kind::Type(&#shape))
}

/// All fields of all variants, as constants.
fn variants(input: &Input<'_>, codecs: &Codecs, private: &TokenStream) -> TokenStream {
    let variants = input.variants.iter().enumerate().map(|(v, variant)| {
        let name =
            variant.ident.map(|ident| syn::ext::IdentExt::unraw(ident).to_string()).unwrap_or_default();
        let mut payload_fields = 0_usize;
        let fields = variant.fields.iter().enumerate().map(|(f, field)| {
            let (codec, name) = (codecs.of(v, f), &field.name);
            let shape = quote!(#codec.shape(#name));
            if input.attrs.layout_c.is_none() || field.attrs.fd.is_some() {
                return shape;
            }
            let (c, index) = (codecs.c(), payload_fields);
            payload_fields += 1;
            quote!(#shape.at(#c.1[#index]))
        });
        quote!(#private::Variant { name: #name, fields: &[#(#fields),*] })
    });
    quote!(&[#(#variants),*])
}

/// The raised limit of descriptors, and its check, where it is given.
fn max_fds(input: &Input<'_>, private: &TokenStream) -> Option<TokenStream> {
    let max_fds = &input.attrs.max_fds.as_ref()?.value;
    let at = max_fds.span();
    let private = span::at(at, private.clone());
    Some(quote_spanned! {at=>
        #[allow(unused_braces)]
        const __MAX_FDS: #private::usize = #max_fds;
        const MAX_FDS_IS_VALID: () = #private::check_max_fds(__MAX_FDS);
    })
}

/// The trait that makes it a message, request or response.
fn role(input: &Input<'_>, private: &TokenStream) -> TokenStream {
    let ident = input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let role = match input.derive {
        Derive::Message => quote!(Message),
        Derive::Request => quote!(Request),
        Derive::Response | Derive::Payload => quote!(Response),
    };
    let name = input.attrs.name.as_ref().map(|name| {
        let name = &name.value;
        let at = name.span();
        let here = span::at(at, private.clone());
        // In a constant of its own, so that one of the wrong type is reported once.
        let constant = quote_spanned!(at=> const __NAME: &#here::str = #name;);
        let check = quote_spanned!(at=> const NAME_IS_VALID: () = #here::check_name(__NAME););
        (quote!(#constant #check), quote!(const NAME: &'static #private::str = __NAME;))
    });
    let (constants, name) = name.unzip();
    let response = input.attrs.response.as_ref().map(|response| {
        let response = &response.value;
        quote_spanned!(response.span()=> type Response = #response;)
    });
    let same_layout = same_layout(input, private);
    let fits = response_fits(input, private);
    let itself = sent_as_itself(input, private);
    let fingerprint = input.attrs.fingerprint.as_ref().map(|_| quote!(const FINGERPRINT: #private::u64 = 0;));
    let (accepts, same_name) = accepts(input, private).unzip();
    quote! {
        #constants
        #same_name
        #same_layout
        #fits
        #itself
        #[automatically_derived]
        impl #impl_generics #private::#role for #ident #type_generics #where_clause {
            #name
            #response
            #fingerprint
            #accepts
        }
    }
}

/// The permission to be sent as another response, and the check that nobody can tell the
/// difference.
fn lent_answer(input: &Input<'_>, private: &TokenStream) -> Option<TokenStream> {
    let response = &input.attrs.lends.as_ref()?.value;
    let (ident, at) = (input.ident, response.span());
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let here = span::at(at, private.clone());
    let whole = anonymous(input, at);
    let sent_as = quote_spanned!(at=> #here::SentAs<#response>);
    let same = quote_spanned!(at=> const SAME_ON_THE_WIRE: () = #here::check_sent_as::<#whole, #response>(););
    Some(quote! {
        #[automatically_derived]
        impl #impl_generics #sent_as for #ident #type_generics #where_clause {}
        #same
    })
}

/// The promise that nothing of it has to stay on the host.
fn portable(input: &Input<'_>, private: &TokenStream) -> Option<TokenStream> {
    let ident = input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    input.fields().all(|field| field.attrs.fd.is_none()).then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #private::Portable for #ident #type_generics #where_clause {}
        }
    })
}

/// The earlier definition that is accepted, and the check that it goes by the same name.
fn accepts(input: &Input<'_>, private: &TokenStream) -> Option<(TokenStream, TokenStream)> {
    let old = &input.attrs.accepts.as_ref()?.value;
    let at = old.span();
    let here = span::at(at, private.clone());
    let (accept, role) = match input.derive {
        Derive::Request => (quote_spanned!(at=> accept_request), quote_spanned!(at=> Request)),
        _ => (quote_spanned!(at=> accept_message), quote_spanned!(at=> Message)),
    };
    let response = input.attrs.response.as_ref().map(|response| &response.value);
    let call = match response.filter(|response| spell::is_result(response)) {
        // Who wrote the types cannot write a `From` between two results, so each side has its own.
        Some(response) => quote_spanned! {at=>
            #[allow(unused_imports)]
            use #here::{SideBySideWay as _, WholeWay as _};
            let __way = (&#here::Between::<#response, <#old as #here::Request>::Response>::new()).way();
            #here::accept_request_by::<Self, #old, _>(__fingerprint, __way)
        },
        None => quote_spanned!(at=> #here::#accept::<Self, #old>(__fingerprint)),
    };
    let accepts = quote! {
        const ACCEPTS: &'static [#private::u64] = &[<#old as #here::#role>::FINGERPRINT];

        fn accepts(__fingerprint: #private::u64) -> #private::Option<#private::Accepted<Self>> {
            #call
        }
    };
    let same_name = quote_spanned! {at=>
        const ACCEPTED_HAS_THE_SAME_NAME: () =
            #here::check_same_name(__NAME, <#old as #here::#role>::NAME);
    };
    Some((accepts, same_name))
}

/// A response is sent as what it is.
pub(super) fn sent_as_itself(input: &Input<'_>, private: &TokenStream) -> Option<TokenStream> {
    let ident = input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    (input.derive == Derive::Response).then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #private::SentAs<#ident #type_generics> for #ident #type_generics #where_clause {}
        }
    })
}

/// The check that a `Result` that is the response fits as a whole, at the response.
fn response_fits(input: &Input<'_>, private: &TokenStream) -> Option<TokenStream> {
    let at = input.attrs.response.as_ref()?.value.span();
    let private = span::at(at, private.clone());
    let whole = anonymous(input, at);
    Some(quote_spanned!(at=> const RESPONSE_FITS_IN_ONE_MESSAGE: () = #private::check_response::<#whole>();))
}

/// The check that a request in C layout is answered in C layout, at the response.
fn same_layout(input: &Input<'_>, private: &TokenStream) -> Option<TokenStream> {
    input.attrs.layout_c.as_ref()?;
    let at = input.attrs.response.as_ref()?.value.span();
    let private = span::at(at, private.clone());
    let whole = anonymous(input, at);
    Some(quote_spanned!(at=> const RESPONSE_IS_IN_C_TOO: () = #private::check_c_response::<#whole>();))
}

/// The check, all of it at the type's name, because that is where it is to be reported.
fn check(input: &Input<'_>, private: &TokenStream) -> TokenStream {
    let at = input.ident.span();
    let private = span::at(at, private.clone());
    let whole = anonymous(input, at);
    quote_spanned!(at=> const FITS_IN_ONE_MESSAGE: () = #private::check::<#whole>();)
}

/// The type as it is named outside of any impl.
fn anonymous(input: &Input<'_>, at: Span) -> Type {
    let ident = input.ident;
    if input.generics.params.is_empty() {
        return parse_quote!(#ident);
    }
    let lifetime = Lifetime::new("'_", at);
    let ty = quote_spanned!(at=> #ident<#lifetime>);
    parse_quote!(#ty)
}
