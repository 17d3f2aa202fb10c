//! One codec constant per field.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Generics, Ident, Lifetime, parse_quote};

use super::span;
use super::without_self::WithoutSelf;
use crate::ast::{Field, Input};
use crate::derive::Derive;
use crate::{spell, valid};

/// The constants, and how to refer to them.
pub(crate) struct Codecs {
    /// The lifetime of the datagram that is decoded.
    pub(crate) de: Lifetime,
    /// The type's parameters with the bounds that its fields need.
    pub(crate) generics: Generics,
    /// `Fields`, or `Fields::<T>` in a generic payload.
    fields: TokenStream,
    /// The struct that carries the constants.
    pub(crate) definition: TokenStream,
}

impl Codecs {
    pub(crate) fn new(input: &Input<'_>, private: &TokenStream) -> Self {
        let de = match input.generics.lifetimes().next() {
            Some(param) => param.lifetime.clone(),
            None => Lifetime::new("'__de", Span::mixed_site()),
        };
        let generics = bounded(input, private);
        let params = generics.type_params().map(|param| &param.ident);
        let params: Vec<_> = params.chain(generics.const_params().map(|param| &param.ident)).collect();
        let fields = if params.is_empty() { quote!(__Fields) } else { quote!(__Fields::<#(#params),*>) };
        let definition = definition(input, private, &de, &generics);
        Self { de, generics, fields, definition }
    }

    /// The constant of a field.
    pub(crate) fn of(&self, variant: usize, field: usize) -> TokenStream {
        let (fields, name) = (&self.fields, constant(variant, field));
        quote!(#fields::#name)
    }

    /// The largest size of a payload that is not in C layout.
    pub(crate) fn max_size(&self) -> TokenStream {
        let fields = &self.fields;
        quote!(#fields::NO_PAYLOAD_CONTAINS_ITSELF)
    }

    /// The C layout of the type.
    pub(crate) fn c(&self) -> TokenStream {
        let fields = &self.fields;
        quote!(#fields::__C)
    }
}

fn constant(variant: usize, field: usize) -> Ident {
    format_ident!("__{variant}_{field}")
}

/// Every type parameter of which a payload holds a value is a payload.
fn bounded(input: &Input<'_>, private: &TokenStream) -> Generics {
    let mut generics = input.generics.clone();
    let bound = if input.attrs.layout_c.is_some() { quote!(CField) } else { quote!(Payload) };
    if input.derive == Derive::Payload {
        let held = |param: &Ident| input.fields().any(|field| spell::holds(field.ty, param));
        for param in generics.type_params_mut().filter(|param| held(&param.ident)) {
            param.bounds.push(parse_quote!(#private::#bound));
        }
    }
    generics
}

fn definition(input: &Input<'_>, private: &TokenStream, de: &Lifetime, generics: &Generics) -> TokenStream {
    let mut generics = generics.clone();
    if generics.lifetimes().next().is_none() {
        generics.params.insert(0, parse_quote!(#de));
    }
    let types = generics.type_params().map(|param| &param.ident);
    let content = quote!((&#de (), #(#types),*));
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let constants = input.variants.iter().enumerate().flat_map(|(v, variant)| {
        let fields = variant.fields.iter().enumerate().filter(|(_, field)| valid::is_clear(input, field));
        fields.map(move |(f, field)| codec(input, private, de, &constant(v, f), field))
    });
    let c = input.attrs.layout_c.as_ref().map(|_| c_layout(input, private));
    let is_union = input.variants.is_empty() && !input.is_enum;
    let has_max_size = input.derive == Derive::Payload && input.attrs.layout_c.is_none() && !is_union;
    let max_size = has_max_size.then(|| max_size(input, private));
    quote! {
        struct __Fields #impl_generics (#private::PhantomData<#content>) #where_clause;
        impl #impl_generics __Fields #type_generics #where_clause {
            #(#constants)*
            #c
            #max_size
        }
    }
}

/// The largest size of a payload. Of payloads that contain each other the compiler says that there
/// is a cycle, and names this constant first.
fn max_size(input: &Input<'_>, private: &TokenStream) -> TokenStream {
    let sums = input.variants.iter().enumerate().map(|(v, variant)| {
        let fields = variant.fields.iter().enumerate().filter(|(_, field)| valid::is_clear(input, field));
        let constants = fields.map(|(f, _)| constant(v, f));
        quote!(#private::sum_of(&[#(Self::#constants.size()),*]))
    });
    let size = if input.is_enum { quote!(#private::enum_of(&[#(#sums),*])) } else { quote!(#(#sums)*) };
    quote!(const NO_PAYLOAD_CONTAINS_ITSELF: #private::usize = #size;)
}

/// `const __0_1: Codec<'de, u16> = payload::<u16>();`, all of it at the type `u16`.
fn codec(
    input: &Input<'_>,
    private: &TokenStream,
    de: &Lifetime,
    name: &Ident,
    field: &Field<'_>,
) -> TokenStream {
    let at = field.span();
    let mut without_self = WithoutSelf::new(input);
    let ty = without_self.ty(field.ty);
    let c = input.attrs.layout_c.is_some();
    let make = if field.attrs.fd.is_some() {
        match (&field.attrs.max_len, spell::borrows(field.ty)) {
            (None, false) => quote_spanned!(at=> fd::<#ty, _, #c>()),
            (None, true) => quote_spanned!(at=> lent_fd::<#ty, _, #c>()),
            (Some(max_len), borrows) => {
                let max_len = without_self.expr(&max_len.value);
                let make = Ident::new(if borrows { "lent_fd_list" } else { "fd_list" }, at);
                quote_spanned!(at=> #make::<#ty, _, { #max_len }, #c>())
            }
        }
    } else if let Some(max_len) = &field.attrs.max_len {
        let max_len = without_self.expr(&max_len.value);
        let (advice, items) = spell::max_len_advice(field.ty);
        let make = Ident::new(advice, at);
        let items = items.map(|items| without_self.ty(items)).into_iter();
        quote_spanned!(at=> #make::<#ty, #(#items,)* { #max_len }>())
    } else if let Some(max_size) = &field.attrs.max_size {
        let max_size = without_self.expr(&max_size.value);
        quote_spanned!(at=> max_size::<#ty, { #max_size }>())
    } else if c {
        quote_spanned!(at=> c::<#ty>())
    } else {
        match (spell::advice(field.ty), spell::innermost(field.ty)) {
            ("payload", Some(inner)) => {
                let inner = without_self.ty(inner);
                quote_spanned!(at=> wrapped::<#ty, #inner>())
            }
            (advice, _) => {
                let make = Ident::new(advice, at);
                quote_spanned!(at=> #make::<#ty>())
            }
        }
    };
    let bound = field.attrs.max_len.as_ref().or(field.attrs.max_size.as_ref());
    let braces = bound.map(|_| quote!(#[allow(unused_braces)]));
    let kind = Ident::new(if field.attrs.fd.is_some() { "FdCodec" } else { "Codec" }, at);
    let private = span::at(at, private.clone());
    let de = Lifetime { apostrophe: at, ident: Ident::new(&de.ident.to_string(), de.ident.span()) };
    quote_spanned! {at=>
        #braces
        const #name: #private::#kind<#de, #ty> = #private::#make;
    }
}

/// Where C puts the fields that are not descriptors, in their order.
fn c_layout(input: &Input<'_>, private: &TokenStream) -> TokenStream {
    let layouts: Vec<_> = input
        .variants
        .iter()
        .flat_map(|variant| variant.fields.iter().enumerate())
        .filter(|(_, field)| field.attrs.fd.is_none() && valid::is_clear(input, field))
        .map(|(f, _)| constant(0, f))
        .collect();
    let count = layouts.len();
    let align = input.attrs.align;
    quote! {
        const __C: (#private::Layout, [#private::usize; #count]) =
            #private::c_struct([#(Self::#layouts.layout),*], #align);
    }
}
