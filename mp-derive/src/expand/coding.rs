//! Encoding and decoding, field by field.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::codecs::Codecs;
use super::span;
use crate::ast::{Field, Input, Variant};

/// Whether errors name the field: those of messages do, those of payloads leave it to the message
/// around them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Kept,
    Left,
}

/// Code that encodes `self` into `__out`.
pub(super) fn encode(input: &Input<'_>, codecs: &Codecs, private: &TokenStream, names: Names) -> TokenStream {
    let out = quote!(__out);
    let arms = input.variants.iter().enumerate().map(|(v, variant)| {
        let tag = input.is_enum.then(|| {
            let tag = number(v);
            quote!(__out.variant(#tag)?;)
        });
        let puts = positioned(input, variant).map(|(f, position, field)| {
            let seek = position.map(|index| seek(codecs, &out, index));
            let (codec, name, value) = (codecs.of(v, f), &field.name, format_ident!("__{f}"));
            match names {
                Names::Kept => quote!(#seek #codec.encode(#value, #name, __out)?;),
                Names::Left => quote!(#seek (#codec.put)(#value, __out)?;),
            }
        });
        let pattern = pattern(variant);
        quote!(#pattern => { #tag #(#puts)* })
    });
    let (start, end) = c_frame(input, codecs, &out).unzip();
    quote! {
        #start
        match self { #(#arms)* }
        #end
        #private::Ok(())
    }
}

/// Code that makes a payload from `__src`.
pub(super) fn decode_payload(input: &Input<'_>, codecs: &Codecs, private: &TokenStream) -> TokenStream {
    let src = quote!(__src);
    let values = input.variants.iter().enumerate().map(|(v, variant)| {
        let members = positioned(input, variant).map(|(f, position, field)| {
            let (codec, member) = (codecs.of(v, f), &field.member);
            let get = quote!((#codec.get)(__src)?);
            match position.map(|index| seek(codecs, &src, index)) {
                Some(seek) => quote!(#member: { #seek #get }),
                None => quote!(#member: #get),
            }
        });
        let path = path(variant);
        quote!(#path { #(#members),* })
    });
    if input.is_enum {
        let values = match_variant(private, values);
        return quote!(#private::Ok(#values));
    }
    match c_frame(input, codecs, &src) {
        None => quote!(#private::Ok(#(#values)*)),
        Some((start, end)) => quote! {
            #start
            let __value = #(#values)*;
            #end
            #private::Ok(__value)
        },
    }
}

/// Code that makes a message from `__src` and `__fds`.
///
/// First all bytes are read, and descriptors only claimed; they are taken when nothing is missing
/// and nothing left over. So what cannot be decoded leaves all of them where they are.
pub(super) fn decode_body(input: &Input<'_>, codecs: &Codecs, private: &TokenStream) -> TokenStream {
    let src = quote!(__src);
    let (start, end) = c_frame(input, codecs, &src).unzip();
    let values = input.variants.iter().enumerate().map(|(v, variant)| {
        let reads = positioned(input, variant).map(|(f, position, field)| {
            let seek = position.map(|index| seek(codecs, &src, index));
            let (codec, name, value) = (codecs.of(v, f), &field.name, format_ident!("__{f}"));
            match field.attrs.fd {
                Some(_) => quote!(let #value = #codec.claim(#name, __src, __fds)?;),
                None => quote!(#seek let #value = #codec.decode(#name, __src)?;),
            }
        });
        let members = variant.fields.iter().enumerate().map(|(f, field)| {
            let (codec, name, value) = (codecs.of(v, f), &field.name, format_ident!("__{f}"));
            let member = &field.member;
            match field.attrs.fd {
                Some(_) => quote!(#member: #codec.take(#name, #value, __src, __fds)?),
                None => quote!(#member: #value),
            }
        });
        let path = path(variant);
        quote! {
            #start
            #(#reads)*
            #end
            __src.end()?;
            #private::Ok(#path { #(#members),* })
        }
    });
    if input.is_enum {
        return match_variant(private, values.map(|value| quote!({ #value })));
    }
    quote!(#(#values)*)
}

/// The value of the variant whose number comes next.
fn match_variant(private: &TokenStream, values: impl Iterator<Item = TokenStream>) -> TokenStream {
    let arms = values.enumerate().map(|(v, value)| {
        let tag = number(v);
        quote!(#tag => #value,)
    });
    quote! {
        match __src.variant()? {
            #(#arms)*
            __other => #private::Err(#private::DecodeFault::UnknownVariant(__other))?,
        }
    }
}

/// What the compiler makes of discriminants: a variant's number on the wire is its place, so they
/// may say nothing else.
pub(super) fn check_discriminants(input: &Input<'_>, private: &TokenStream) -> TokenStream {
    let checks = input.variants.iter().enumerate().filter_map(|(v, variant)| {
        let value = variant.discriminant?;
        let (at, place) = (value.span(), number(v));
        let private = span::at(at, private.clone());
        Some(quote_spanned! {at=>
            const _: () = {
                const DISCRIMINANT_IS_ITS_PLACE: () =
                    #private::check_discriminant((#value) as #private::i128, #place);
            };
        })
    });
    quote!(#(#checks)*)
}

/// The number of a variant on the wire.
fn number(variant: usize) -> u32 {
    u32::try_from(variant).expect("no enum has four billion variants")
}

/// The fields, numbered; in a C layout also those that are not descriptors among themselves.
fn positioned<'a>(
    input: &Input<'_>,
    variant: &'a Variant<'a>,
) -> impl Iterator<Item = (usize, Option<usize>, &'a Field<'a>)> {
    let c = input.attrs.layout_c.is_some();
    let mut next = 0;
    variant.fields.iter().enumerate().map(move |(index, field)| {
        let position = (c && field.attrs.fd.is_none()).then_some(next);
        next += usize::from(position.is_some());
        (index, position, field)
    })
}

fn path(variant: &Variant<'_>) -> TokenStream {
    match variant.ident {
        Some(ident) => quote!(Self::#ident),
        None => quote!(Self),
    }
}

fn pattern(variant: &Variant<'_>) -> TokenStream {
    let path = path(variant);
    let bindings = variant.fields.iter().enumerate().map(|(index, field)| {
        let (member, value) = (&field.member, format_ident!("__{index}"));
        quote!(#member: #value)
    });
    quote!(#path { #(#bindings),* })
}

/// A C struct may stand anywhere in another one: its fields are counted from where it starts, and
/// it ends where its trailing padding does.
fn c_frame(input: &Input<'_>, codecs: &Codecs, stream: &TokenStream) -> Option<(TokenStream, TokenStream)> {
    input.attrs.layout_c.as_ref()?;
    let c = codecs.c();
    let start = quote!(let __start = #stream.position(););
    let end = quote!(#stream.seek(__start + #c.0.size())?;);
    Some((start, end))
}

fn seek(codecs: &Codecs, stream: &TokenStream, index: usize) -> TokenStream {
    let c = codecs.c();
    quote!(#stream.seek(__start + #c.1[#index])?;)
}
