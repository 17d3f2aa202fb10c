//! After a mistake: the same impls without content, so that nothing else in the crate fails for
//! want of them, and the codec constants, so that the compiler still looks at the types of the
//! fields.

use proc_macro2::TokenStream;
use quote::quote;

use super::body::{decode_generics, owned, sent_as_itself};
use super::codecs::Codecs;
use crate::ast::Input;
use crate::derive::Derive;
use crate::valid;

pub(super) fn expand(input: &Input<'_>, codecs: &Codecs, private: &TokenStream) -> TokenStream {
    let definition = valid::generics_are_clear(input).then_some(&codecs.definition);
    let impls = match input.derive {
        Derive::Payload => payload(input, private),
        Derive::Message | Derive::Request | Derive::Response => body(input, codecs, private),
    };
    quote! { #definition #impls }
}

fn payload(input: &Input<'_>, private: &TokenStream) -> TokenStream {
    let ident = input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let c = input.attrs.layout_c.as_ref().map(|_| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #private::CField for #ident #type_generics #where_clause {
                const LAYOUT: #private::Layout = #private::Layout::new::<()>();
                const KIND: #private::Kind = #private::Kind::Named("");

                fn encode_c(&self, _: &mut #private::Writer<'_>) -> #private::Result<(), #private::EncodeFault> {
                    #private::never_built()
                }

                fn decode_c(_: &mut #private::Reader<'_>) -> #private::Result<Self, #private::DecodeFault> {
                    #private::never_built()
                }
            }
        }
    });
    quote! {
        #c
        #[automatically_derived]
        impl #impl_generics #private::Payload for #ident #type_generics #where_clause {
            const MAX_SIZE: #private::usize = 0;
            const KIND: #private::Kind = #private::Kind::Named("");

            fn encode_payload(&self, _: &mut #private::Writer<'_>) -> #private::Result<(), #private::EncodeFault> {
                #private::never_built()
            }

            fn decode_payload(_: &mut #private::Reader<'_>) -> #private::Result<Self, #private::DecodeFault> {
                #private::never_built()
            }
        }
    }
}

fn body(input: &Input<'_>, codecs: &Codecs, private: &TokenStream) -> TokenStream {
    let (ident, de) = (input.ident, &codecs.de);
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let role = match input.derive {
        Derive::Message => {
            quote!(impl #impl_generics #private::Message for #ident #type_generics #where_clause { const NAME: &'static #private::str = "?"; })
        }
        Derive::Request => {
            let response = input.attrs.response.as_ref().map_or_else(
                || quote!(()),
                |given| {
                    let response = &given.value;
                    quote!(#response)
                },
            );
            quote! {
                impl #impl_generics #private::Request for #ident #type_generics #where_clause {
                    const NAME: &'static #private::str = "?";
                    type Response = #response;
                }
            }
        }
        Derive::Response | Derive::Payload => {
            quote!(impl #impl_generics #private::Response for #ident #type_generics #where_clause {})
        }
    };
    let decode = (!input.lends()).then(|| {
        let generics = decode_generics(input, de);
        let (impl_generics, ..) = generics.split_for_impl();
        let owned = owned(input, private);
        quote! {
            #owned
            #[automatically_derived]
            impl #impl_generics #private::Decode<#de> for #ident #type_generics #where_clause {
                fn decode_body(
                    _: &mut #private::Reader<#de>,
                    _: &mut #private::FdSource,
                ) -> #private::Result<Self, #private::Undecoded> {
                    #private::never_built()
                }
            }
        }
    });
    let lent_answer = input.attrs.lends.as_ref().map(|given| {
        let response = &given.value;
        quote! {
            #[automatically_derived]
            impl #impl_generics #private::SentAs<#response> for #ident #type_generics #where_clause {}
        }
    });
    let itself = sent_as_itself(input, private);
    quote! {
        #lent_answer
        #itself
        #[automatically_derived]
        impl #impl_generics #private::Body for #ident #type_generics #where_clause {
            const SHAPE: #private::Shape = #private::Shape::EMPTY;

            fn encode_body<'__a>(
                &'__a self,
                _: &mut #private::Writer<'__a>,
            ) -> #private::Result<(), #private::At<#private::EncodeFault>> {
                #private::never_built()
            }
        }
        #decode
        #[automatically_derived]
        #role
    }
}
