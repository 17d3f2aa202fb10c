//! Moving generated tokens to where an error about them should be shown.

use proc_macro2::{Group, Span, TokenStream, TokenTree};

/// The same tokens, all of them at `span`.
pub(crate) fn at(span: Span, tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => {
                let mut moved = Group::new(group.delimiter(), at(span, group.stream()));
                moved.set_span(span);
                TokenTree::Group(moved)
            }
            mut token => {
                token.set_span(span);
                token
            }
        })
        .collect()
}
