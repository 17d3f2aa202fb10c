//! How a type is spelled, which decides what to say should it turn out not to fit, never whether it
//! fits.

use syn::visit::{self, Visit};
use syn::{
    Expr, GenericArgument, Ident, Lifetime, Path, PathArguments, PathSegment, Type, TypePath, TypeReference,
};

/// The advice that fits a payload field: a constructor in `mp_typed::__private`.
pub(crate) fn advice(ty: &Type) -> &'static str {
    match ty {
        Type::Path(path) => path.path.segments.last().map_or("payload", segment_advice),
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(slice) if is_fd(&slice.elem) => "handle",
            Type::Slice(_) => "list",
            Type::Path(path) if path.path.is_ident("str") => "text",
            _ => "reference",
        },
        Type::Array(array) if is_fd(&array.elem) => "handle",
        Type::Ptr(_) | Type::FnPtr(_) => "pointer",
        Type::Group(group) => advice(&group.elem),
        Type::Paren(paren) => advice(&paren.elem),
        _ => "payload",
    }
}

/// The advice that fits a field with `max_len`: a constructor in `mp_typed::__private`, and the
/// type of the items.
pub(crate) fn max_len_advice(ty: &Type) -> (&'static str, Option<&Type>) {
    match ty {
        Type::Path(path) => path.path.segments.last().map_or(("max_len", None), segment_max_len_advice),
        Type::Array(_) => ("max_len_of_bounded", None),
        Type::Group(group) => max_len_advice(&group.elem),
        Type::Paren(paren) => max_len_advice(&paren.elem),
        _ => ("max_len", None),
    }
}

fn segment_max_len_advice(segment: &PathSegment) -> (&'static str, Option<&Type>) {
    let (inner, count) = (inner_type(segment), arguments(segment));
    match (&*segment.ident.to_string(), count) {
        ("Option", 1) => inner.map_or(("max_len", None), max_len_advice),
        ("Vec" | "VecDeque" | "BTreeSet" | "HashSet", 1) => ("max_len_of_list", inner),
        ("BTreeMap" | "HashMap", 2..) => ("max_len_of_map", None),
        ("String", 1..) | ("Vec", 2..) | ("ArrayString" | "ArrayVec", _) => ("max_len_of_bounded", None),
        ("Cow" | "Box" | "Rc" | "Arc" | "PathBuf" | "OsString" | "CString", _) => ("max_len_of_other", None),
        _ => ("max_len", None),
    }
}

/// What an `Option` or array is of, all the way down; `None` for other types.
pub(crate) fn innermost(ty: &Type) -> Option<&Type> {
    let inner = match ty {
        Type::Path(path) => {
            path.path.segments.last().filter(|last| last.ident == "Option").and_then(inner_type)
        }
        Type::Array(array) => Some(&*array.elem),
        _ => None,
    };
    inner.map(|inner| innermost(inner).unwrap_or(inner))
}

fn segment_advice(segment: &PathSegment) -> &'static str {
    let inner = inner_type(segment);
    match &*segment.ident.to_string() {
        "Option" => inner.map_or("payload", advice),
        "String" if segment.arguments.is_none() => "text",
        "Vec" if inner.is_some_and(is_fd) => "handle",
        "Vec" | "VecDeque" if arguments(segment) == 1 => "list",
        "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet" => "map",
        "Box" | "Rc" | "Arc" | "Cow" => "pointer",
        ident if FD_TYPES.contains(&ident) => "handle",
        _ => "payload",
    }
}

const FD_TYPES: &[&str] = &[
    "OwnedFd",
    "BorrowedFd",
    "File",
    "UnixStream",
    "UnixDatagram",
    "UnixListener",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "PipeReader",
    "PipeWriter",
];

fn is_fd(ty: &Type) -> bool {
    advice(ty) == "handle"
}

/// `RawFd`, or an `Option`, array or `Vec` of it.
pub(crate) fn is_raw_fd(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|segment| match &*segment.ident.to_string() {
                "RawFd" => true,
                "Option" | "Vec" => inner_type(segment).is_some_and(is_raw_fd),
                _ => false,
            })
        }
        Type::Array(array) => is_raw_fd(&array.elem),
        _ => false,
    }
}

/// How many generic arguments there are: two make `heapless::Vec<T, N>` of a `Vec`.
fn arguments(segment: &PathSegment) -> usize {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.len(),
        _ => 0,
    }
}

/// The first type argument.
fn inner_type(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Whether the type borrows: it names a lifetime or is a reference.
pub(crate) fn borrows(ty: &Type) -> bool {
    struct Borrows(bool);

    impl<'ast> Visit<'ast> for Borrows {
        fn visit_lifetime(&mut self, _: &'ast Lifetime) {
            self.0 = true;
        }

        fn visit_type_reference(&mut self, _: &'ast TypeReference) {
            self.0 = true;
        }
    }

    let mut borrows = Borrows(false);
    visit::visit_type(&mut borrows, ty);
    borrows.0
}

/// Whether the type holds a value of the type called `name`, which is the one it is part of.
pub(crate) fn contains(ty: &Type, name: &Ident) -> bool {
    struct Contains<'a> {
        name: &'a Ident,
        found: bool,
    }

    impl<'ast> Visit<'ast> for Contains<'_> {
        fn visit_type_path(&mut self, path: &'ast TypePath) {
            let holds_nothing =
                path.path.segments.last().is_some_and(|segment| segment.ident == "PhantomData");
            let only = (path.path.segments.len() == 1).then(|| &path.path.segments[0].ident);
            self.found |= only.is_some_and(|ident| ident == "Self" || ident == self.name);
            if !holds_nothing {
                visit::visit_type_path(self, path);
            }
        }

        /// The length of an array is a number, of whatever types it was computed.
        fn visit_expr(&mut self, _: &'ast Expr) {}
    }

    let mut contains = Contains { name, found: false };
    visit::visit_type(&mut contains, ty);
    contains.found
}

/// Whether a value of the type may hold one of the type parameter `param`, so more than a
/// `PhantomData` of it.
pub(crate) fn holds(ty: &Type, param: &Ident) -> bool {
    struct Holds<'a> {
        param: &'a Ident,
        found: bool,
    }

    impl<'ast> Visit<'ast> for Holds<'_> {
        fn visit_path(&mut self, path: &'ast Path) {
            if path.segments.last().is_some_and(|segment| segment.ident == "PhantomData") {
                return;
            }
            self.found |= path.segments.first().is_some_and(|segment| segment.ident == *self.param);
            visit::visit_path(self, path);
        }
    }

    let mut holds = Holds { param, found: false };
    visit::visit_type(&mut holds, ty);
    holds.found
}

/// Whether the type is spelled as a `Result`.
pub(crate) fn is_result(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Result"),
        Type::Group(group) => is_result(&group.elem),
        Type::Paren(paren) => is_result(&paren.elem),
        _ => false,
    }
}

/// Whether the type is a reference to something `'static`, or an `Option` of one.
pub(crate) fn is_static(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => {
            reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static")
        }
        Type::Path(path) => path.path.segments.last().and_then(inner_type).is_some_and(is_static),
        _ => false,
    }
}

/// `open_ring` for `OpenRing`, `pdump_req` for `PDUMPReq`: the name that a type's name suggests.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut letters = name.chars().peekable();
    let mut last = '_';
    while let Some(letter) = letters.next() {
        let begins_word = last.is_lowercase() || last.is_numeric();
        let ends_capitals = last.is_uppercase() && letters.peek().is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (begins_word || ends_capitals) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
        last = letter;
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_suggested_as_people_would_write_it() {
        for (name, suggested) in [
            ("OpenRing", "open_ring"),
            ("Log", "log"),
            ("PDUMPReq", "pdump_req"),
            ("ReqV2Ring", "req_v2_ring"),
            ("Opens_Ring", "opens_ring"),
            ("already_there", "already_there"),
        ] {
            assert_eq!(snake_case(name), suggested);
        }
    }
}
