//! The user's types and expressions, moved to where `Self` means something else.

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Path, Type, parse_quote};

use crate::ast::Input;

/// Puts the derived type in place of `Self`, which in the impl of `__Fields` is `__Fields`.
pub(super) struct WithoutSelf {
    ty: Type,
}

impl WithoutSelf {
    pub(super) fn new(input: &Input<'_>) -> Self {
        let ident = input.ident;
        let (_, generics, _) = input.generics.split_for_impl();
        Self { ty: parse_quote!(#ident #generics) }
    }

    pub(super) fn ty(&mut self, ty: &Type) -> Type {
        let mut ty = ty.clone();
        self.visit_type_mut(&mut ty);
        ty
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Expr {
        let mut expr = expr.clone();
        self.visit_expr_mut(&mut expr);
        expr
    }

    /// `<Type>::CONST` for `Self::CONST`.
    fn qualified(&self, path: &Path) -> Option<TokenStream> {
        let mut segments = path.segments.iter();
        let is_self = segments.next().is_some_and(|first| first.ident == "Self");
        let (ty, rest): (_, Vec<_>) = (&self.ty, segments.collect());
        (is_self && !rest.is_empty()).then(|| quote!(<#ty> #(::#rest)*))
    }
}

impl VisitMut for WithoutSelf {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(path) = ty
            && path.qself.is_none()
        {
            if path.path.is_ident("Self") {
                *ty = self.ty.clone();
                return;
            }
            if let Some(qualified) = self.qualified(&path.path) {
                *ty = parse_quote!(#qualified);
                return;
            }
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Expr::Path(path) = expr
            && path.qself.is_none()
            && let Some(qualified) = self.qualified(&path.path)
        {
            *expr = parse_quote!(#qualified);
            return;
        }
        visit_mut::visit_expr_mut(self, expr);
    }
}
