//! Payloads: largest size, encoding, decoding.

use proc_macro2::TokenStream;
use quote::quote;

use super::codecs::Codecs;
use super::{body, coding};
use crate::ast::Input;

pub(super) fn expand(input: &Input<'_>, codecs: &Codecs, private: &TokenStream) -> TokenStream {
    let (ident, definition) = (input.ident, &codecs.definition);
    let (impl_generics, ..) = codecs.generics.split_for_impl();
    let (_, type_generics, where_clause) = input.generics.split_for_impl();
    let encode = coding::encode(input, codecs, private, coding::Names::Left);
    let decode = coding::decode_payload(input, codecs, private);
    let max_size = codecs.max_size();
    let encode_as = |name: TokenStream| {
        quote! {
            fn #name(&self, __out: &mut #private::Writer<'_>) -> #private::Result<(), #private::EncodeFault> {
                #encode
            }
        }
    };
    let decode_as = |name: TokenStream| {
        quote! {
            fn #name(__src: &mut #private::Reader<'_>) -> #private::Result<Self, #private::DecodeFault> {
                #decode
            }
        }
    };
    let kind = body::kind(input, codecs, private);
    if input.attrs.layout_c.is_none() {
        let (encode, decode) = (encode_as(quote!(encode_payload)), decode_as(quote!(decode_payload)));
        let discriminants = coding::check_discriminants(input, private);
        return quote! {
            #definition
            #discriminants
            #[automatically_derived]
            impl #impl_generics #private::Payload for #ident #type_generics #where_clause {
                const MAX_SIZE: #private::usize = #max_size;
                const KIND: #private::Kind = #kind;
                #encode
                #decode
            }
        };
    }
    let (encode, decode, c) = (encode_as(quote!(encode_c)), decode_as(quote!(decode_c)), codecs.c());
    quote! {
        #definition
        #[automatically_derived]
        impl #impl_generics #private::CField for #ident #type_generics #where_clause {
            const LAYOUT: #private::Layout = #c.0;
            const KIND: #private::Kind = #kind;
            #encode
            #decode
        }
        #[automatically_derived]
        impl #impl_generics #private::Payload for #ident #type_generics #where_clause {
            const MAX_SIZE: #private::usize = #c.0.size();
            const KIND: #private::Kind = <Self as #private::CField>::KIND;

            fn encode_payload(&self, __out: &mut #private::Writer<'_>) -> #private::Result<(), #private::EncodeFault> {
                #private::CField::encode_c(self, __out)
            }

            fn decode_payload(__src: &mut #private::Reader<'_>) -> #private::Result<Self, #private::DecodeFault> {
                #private::CField::decode_c(__src)
            }
        }
    }
}
