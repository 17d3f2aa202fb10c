//! Whether a type without `crate = ...` can find `mp-typed`, judged by what the compiler was told
//! about crates.
//!
//! A path that leads nowhere is the compiler's error, and the compiler knows nothing of
//! `crate = ...`. Its arguments do tell when `::mp_typed` cannot be there, and under which name it
//! is. Where they say nothing (rust-analyzer runs derives in a process of its own, some build
//! systems pass their arguments in a file), nothing is said here.

use std::ffi::OsString;
use std::path::Path;

use crate::derive::Derive;

const NAME: &str = "mp_typed";

/// What to say instead of looking for `::mp_typed`, if these arguments of rustc show that it is not
/// there.
pub(crate) fn missing(derive: Derive, args: impl Iterator<Item = OsString>) -> Option<String> {
    let crates = crates(args);
    if crates.is_empty() || crates.iter().any(|(name, _)| name == NAME) {
        return None;
    }
    let attribute = derive.attribute();
    let ours = crates.iter().find(|(_, file)| is_ours(file));
    Some(match ours {
        Some((name, _)) => {
            format!(
                "`mp-typed` goes by the name `{name}` in this crate: add `crate = {name}` to `#[{attribute}(...)]`"
            )
        }
        None => format!(
            "this crate has no dependency called `{NAME}`: add `mp-typed` to it, or say through which path it is reached, with `#[{attribute}(crate = path::to::{NAME})]`"
        ),
    })
}

/// Name and file of each `--extern name=file`; those without a file belong to the compiler.
fn crates(args: impl Iterator<Item = OsString>) -> Vec<(String, String)> {
    let mut crates = Vec::new();
    let mut follows = false;
    for arg in args.filter_map(|arg| arg.into_string().ok()) {
        let value = if follows { Some(&*arg) } else { arg.strip_prefix("--extern=") };
        if let Some((name, file)) = value.and_then(|value| value.split_once('=')) {
            // `priv:name` and the like.
            let name = name.rsplit(':').next().unwrap_or(name);
            crates.push((name.to_owned(), file.to_owned()));
        }
        follows = arg == "--extern";
    }
    crates
}

/// `libmp_typed.rlib`, `libmp_typed-1234.rmeta`.
fn is_ours(file: &str) -> bool {
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let rest = stem.strip_prefix("lib").and_then(|stem| stem.strip_prefix(NAME));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::{Derive, missing};

    fn said(args: &str) -> Option<String> {
        missing(Derive::Message, args.split_whitespace().map(Into::into))
    }

    #[test]
    fn a_crate_that_knows_it_hears_nothing() {
        assert_eq!(
            said("rustc --extern serde=/d/libserde-1.rlib --extern mp_typed=/d/libmp_typed-2.rmeta"),
            None
        );
        assert_eq!(said("rustc --extern=priv:mp_typed=/d/libmp_typed-2.rmeta"), None);
    }

    #[test]
    fn arguments_that_tell_nothing_are_no_reason_to_speak() {
        assert_eq!(said("proc-macro-srv"), None);
        assert_eq!(said("rustc @arguments --extern proc_macro"), None);
    }

    #[test]
    fn another_name_is_found_and_told() {
        let said = said("rustc --extern noprelude:ipc=/d/libmp_typed-2.rlib --extern a=/d/liba.rlib");
        assert_eq!(
            said.as_deref(),
            Some("`mp-typed` goes by the name `ipc` in this crate: add `crate = ipc` to `#[message(...)]`")
        );
    }

    #[test]
    fn a_crate_without_it_is_told_how_to_name_it() {
        let said = said("rustc --extern facade=/d/libfacade-1.rlib --extern other=/d/libmp_typed_not.rlib");
        assert!(said.is_some_and(|said| said.contains("`#[message(crate = path::to::mp_typed)]`")));
    }
}
