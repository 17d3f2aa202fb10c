//! Types in Rust-like notation, with their bounds.

use std::fmt;

use super::{Action, Body, Content, Definition, Enum, Field, Struct, Type, Variant, are_places};

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(leaf) => f.write_str(&leaf.name),
            Self::Text(most) => write!(f, "String<{most}>"),
            Self::Foreign(most) => write!(f, "serde<{most}>"),
            Self::Fd => f.write_str("OwnedFd"),
            Self::Option(inner) => write!(f, "Option<{inner}>"),
            Self::Result(ok, err) => write!(f, "Result<{ok}, {err}>"),
            Self::Tuple(parts) if parts.len() == 1 => write!(f, "({},)", parts[0]),
            Self::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(ToString::to_string).collect();
                write!(f, "({})", parts.join(", "))
            }
            Self::Array(item, len) => write!(f, "[{item}; {len}]"),
            Self::List(item, most) => write!(f, "Vec<{item}, {most}>"),
            Self::Map(key, value, most) => write!(f, "Map<{key}, {value}, {most}>"),
            Self::Struct(Struct { name, .. }) | Self::Enum(Enum { name, .. }) => f.write_str(name),
        }
    }
}

impl Definition {
    /// The definition as one would write it, with sizes behind the fields.
    pub(crate) fn spelled(&self, action: &Action) -> String {
        let mut text = String::new();
        let mut told = Vec::new();
        let what = if self.response.is_some() { "request" } else { "message" };
        let response = self.response.as_ref().map(|response| format!(", response = {}", response.ty));
        let fingerprint = match self.fingerprint {
            0 => "no fingerprint".to_owned(),
            fingerprint => format!("fingerprint {fingerprint:016x}"),
        };
        text += &format!(
            "// {what}, {fingerprint}{}\n#[message(name = {:?}{})]\n",
            match self.accepts.as_slice() {
                [] => String::new(),
                accepts => {
                    let all: Vec<_> = accepts.iter().map(|other| format!("{other:016x}")).collect();
                    format!(", accepts {}", all.join(", "))
                }
            },
            action.name,
            response.unwrap_or_default(),
        );
        for body in std::iter::once(&self.body).chain(&self.response) {
            body.spell(&mut text, &mut told);
        }
        text
    }
}

impl Body {
    fn spell<'a>(&'a self, text: &mut String, told: &mut Vec<&'a str>) {
        let (min, max) = (self.ty.min(), self.max);
        let bytes = if min == max { format!("{max} bytes") } else { format!("{min} to {max} bytes") };
        let fds = match self.fds {
            0 => String::new(),
            1 => ", 1 descriptor".to_owned(),
            fds => format!(", at most {fds} descriptors"),
        };
        let c = match &self.ty {
            Type::Struct(Struct { c: Some(_), .. }) => ", laid out as C does",
            _ => "",
        };
        if self.ty.is_null() && max == 0 && self.ty.to_string() == "()" {
            return;
        }
        *text += &format!("{}: {bytes}{fds}{c}\n", format_args!("// {}", self.ty));
        self.ty.spell(text, told);
    }
}

impl Type {
    /// The definition of a derived type, and of those that it contains, each once.
    fn spell<'a>(&'a self, text: &mut String, told: &mut Vec<&'a str>) {
        match self {
            Self::Struct(Struct { name, c, fields }) => {
                if told.contains(&name.as_str()) {
                    return;
                }
                told.push(name);
                *text += &format!("struct {name}{}\n", in_braces(fields, c.is_some(), "", ";"));
                fields.iter().for_each(|field| field.ty.spell(text, told));
            }
            // The two parts of an answer have names of their own.
            Self::Enum(Enum { name, variants }) if name.starts_with("Result<") => {
                for variant in variants {
                    match &variant.content {
                        Content::Whole(whole) => whole.spell(text, told),
                        Content::Fields(fields) => {
                            *text += &format!("{}{}\n", variant.name, in_braces(fields, false, "", ""));
                            fields.iter().for_each(|field| field.ty.spell(text, told));
                        }
                    }
                }
            }
            Self::Enum(Enum { name, variants }) => {
                if told.contains(&name.as_str()) {
                    return;
                }
                told.push(name);
                *text += &format!("enum {name} {{\n");
                for variant in variants {
                    *text += &format!("    {},\n", variant.spelled());
                }
                *text += "}\n";
                for variant in variants {
                    if let Content::Fields(fields) = &variant.content {
                        fields.iter().for_each(|field| field.ty.spell(text, told));
                    }
                }
            }
            Self::Option(inner) | Self::Array(inner, _) | Self::List(inner, _) => inner.spell(text, told),
            Self::Tuple(parts) => parts.iter().for_each(|part| part.spell(text, told)),
            Self::Result(one, other) | Self::Map(one, other, _) => {
                one.spell(text, told);
                other.spell(text, told);
            }
            Self::Leaf(_) | Self::Text(_) | Self::Foreign(_) | Self::Fd => {}
        }
    }
}

impl Variant {
    fn spelled(&self) -> String {
        match &self.content {
            Content::Fields(fields) => format!("{}{}", self.name, in_braces(fields, false, "    ", "")),
            Content::Whole(whole) => format!("{}({whole})", self.name),
        }
    }
}

/// Fields as they stand behind the name of a struct or variant; `end` is what follows if there is no
/// brace to close.
fn in_braces(fields: &[Field], in_c: bool, indent: &str, end: &str) -> String {
    if fields.is_empty() {
        return end.to_owned();
    }
    if are_places(fields) {
        let all: Vec<_> = fields.iter().map(|field| format!("{}{}", mark(field), field.ty)).collect();
        return format!("({}){end}", all.join(", "));
    }
    let declared = |field: &Field| format!("{}{}: {},", mark(field), field.name, field.ty);
    let width = fields.iter().map(|field| declared(field).chars().count()).max().unwrap_or(0);
    let mut text = " {\n".to_owned();
    for field in fields {
        let comment = match (field.fds, in_c) {
            (1.., _) => String::new(),
            (0, true) => format!("  // {}, at {}", field.max, field.offset),
            (0, false) => format!("  // {}", field.max),
        };
        let line = format!("{indent}    {:width$}{comment}", declared(field));
        text += line.trim_end();
        text.push('\n');
    }
    text + indent + "}"
}

fn mark(field: &Field) -> &'static str {
    if field.fds > 0 { "#[fd] " } else { "" }
}
