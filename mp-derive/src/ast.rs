//! What the user wrote: the type, taken apart as far as the derives need it.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Expr, Fields, Generics, Ident, Member, Type};

use crate::attr::{FieldAttrs, TypeAttrs};
use crate::ctxt::Ctxt;
use crate::derive::Derive;
use crate::spell;

/// A struct or enum with a derive of ours.
pub(crate) struct Input<'a> {
    pub(crate) derive: Derive,
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) attrs: TypeAttrs,
    pub(crate) is_enum: bool,
    /// One, without a name, for a struct. None for a union.
    pub(crate) variants: Vec<Variant<'a>>,
}

/// A variant of an enum, or the content of a struct.
pub(crate) struct Variant<'a> {
    pub(crate) ident: Option<&'a Ident>,
    /// What stands after `=`.
    pub(crate) discriminant: Option<&'a Expr>,
    pub(crate) fields: Vec<Field<'a>>,
}

/// A field, named or not.
pub(crate) struct Field<'a> {
    pub(crate) member: Member,
    /// As it is shown to people: `type` for `r#type`, `0` for the first field of a tuple.
    pub(crate) name: String,
    pub(crate) ty: &'a Type,
    pub(crate) attrs: FieldAttrs,
}

impl<'a> Input<'a> {
    /// Reads the type, and reports what is wrong in its attributes.
    pub(crate) fn parse(derive: Derive, input: &'a DeriveInput, cx: &mut Ctxt) -> Self {
        let attrs = TypeAttrs::parse(derive, &input.attrs, cx);
        let variants = match &input.data {
            Data::Struct(data) => {
                vec![Variant { ident: None, discriminant: None, fields: fields(derive, &data.fields, cx) }]
            }
            Data::Enum(data) => data
                .variants
                .iter()
                .map(|variant| {
                    TypeAttrs::refuse_on_variant(derive, &variant.attrs, cx);
                    Variant {
                        ident: Some(&variant.ident),
                        discriminant: variant.discriminant.as_ref().map(|(_, value)| value),
                        fields: fields(derive, &variant.fields, cx),
                    }
                })
                .collect(),
            Data::Union(_) => Vec::new(),
        };
        let is_enum = matches!(input.data, Data::Enum(_));
        Self { derive, ident: &input.ident, generics: &input.generics, attrs, is_enum, variants }
    }

    /// The name of the type, as it is shown to people.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// Whether the type borrows descriptors, so that it cannot be received.
    pub(crate) fn lends(&self) -> bool {
        self.fields().any(|field| field.attrs.fd.is_some() && spell::borrows(field.ty))
    }

    /// All fields of all variants.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field<'a>> {
        self.variants.iter().flat_map(|variant| &variant.fields)
    }
}

fn fields<'a>(derive: Derive, fields: &'a Fields, cx: &mut Ctxt) -> Vec<Field<'a>> {
    fields
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let (member, name) = match &field.ident {
                Some(ident) => (Member::Named(ident.clone()), ident.unraw().to_string()),
                None => (Member::from(index), index.to_string()),
            };
            Field { member, name, ty: &field.ty, attrs: FieldAttrs::parse(derive, &field.attrs, cx) }
        })
        .collect()
}

impl Field<'_> {
    /// Where the field's type stands.
    pub(crate) fn span(&self) -> Span {
        syn::spanned::Spanned::span(self.ty)
    }
}
