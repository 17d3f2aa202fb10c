//! A value that was read, on one line in Rust-like notation: as `Debug` writes the type's own values.

use serde_json::{Map, Value};

use super::{Body, Content, Enum, Field, Struct, Type, Variant, are_places, leaf::Leaf};

/// What [`read`](super::read) has read of this body. A descriptor is what its reader made of it.
pub(crate) fn noted(body: &Body, value: &Value) -> String {
    body.ty.note(value)
}

impl Type {
    fn note(&self, value: &Value) -> String {
        match self {
            Self::Leaf(leaf) => leaf.note(value),
            Self::Text(_) => quoted(value),
            Self::Foreign(_) => format!("0x{}", value["hex"].as_str().unwrap_or_default()),
            Self::Fd => bare(value),
            Self::Option(_) if value.is_null() => "None".to_owned(),
            Self::Option(inner) => {
                let value = if inner.is_null() { &value["Some"] } else { value };
                format!("Some({})", inner.note(value))
            }
            Self::Result(ok, err) => match value.get("Ok") {
                Some(value) => format!("Ok({})", ok.note(value)),
                None => format!("Err({})", err.note(&value["Err"])),
            },
            Self::Tuple(parts) => {
                let parts: Vec<_> =
                    parts.iter().zip(items(value)).map(|(part, item)| part.note(item)).collect();
                if parts.len() == 1 { format!("({},)", parts[0]) } else { format!("({})", parts.join(", ")) }
            }
            Self::Array(item, _) | Self::List(item, _) => match value {
                Value::String(_) if item.is_byte() => format!("b{}", quoted(value)),
                _ => {
                    let items: Vec<_> = items(value).iter().map(|value| item.note(value)).collect();
                    format!("[{}]", items.join(", "))
                }
            },
            Self::Map(key, of, _) => note_map(key, of, value),
            Self::Struct(Struct { name, fields, .. }) => format!("{name}{}", note_fields(fields, value)),
            Self::Enum(Enum { variants, .. }) => {
                let (name, value) = match value {
                    Value::Object(one) => {
                        one.iter().next().map_or(("", value), |(name, value)| (name.as_str(), value))
                    }
                    other => (other.as_str().unwrap_or_default(), &Value::Null),
                };
                let variant = variants.iter().find(|variant| variant.name == name);
                variant.map_or_else(|| value.to_string(), |variant| variant.note(value))
            }
        }
    }
}

impl Variant {
    fn note(&self, value: &Value) -> String {
        match &self.content {
            Content::Fields(fields) => format!("{}{}", self.name, note_fields(fields, value)),
            Content::Whole(whole) => format!("{}({})", self.name, whole.note(value)),
        }
    }
}

impl Leaf {
    fn note(&self, value: &Value) -> String {
        match (value.as_str(), self.name.as_str()) {
            (Some(text), "char") => format!("'{}'", text.escape_debug()),
            // Large numbers, times and addresses stand in quotes in JSON only.
            _ => bare(value),
        }
    }
}

/// What follows the name of a struct or variant.
fn note_fields(fields: &[Field], value: &Value) -> String {
    match fields {
        [] => String::new(),
        [only] if are_places(fields) => format!("({})", only.ty.note(value)),
        _ if are_places(fields) => {
            let all: Vec<_> =
                fields.iter().zip(items(value)).map(|(field, value)| field.ty.note(value)).collect();
            format!("({})", all.join(", "))
        }
        _ => {
            let note = |field: &Field| format!("{}: {}", field.name, field.ty.note(&value[&field.name]));
            format!(" {{ {} }}", fields.iter().map(note).collect::<Vec<_>>().join(", "))
        }
    }
}

fn note_map(key: &Type, of: &Type, value: &Value) -> String {
    let entry = |key: String, value: &Value| format!("{key}: {}", of.note(value));
    let entries: Vec<_> = match value {
        Value::Object(entries) => {
            entries.iter().map(|(key, value)| entry(format!("{key:?}"), value)).collect()
        }
        pairs => items(pairs).iter().map(|pair| entry(key.note(&pair[0]), &pair[1])).collect(),
    };
    format!("{{{}}}", entries.join(", "))
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn quoted(value: &Value) -> String {
    value.as_str().map_or_else(|| bare(value), |text| format!("{text:?}"))
}

/// A text without quotes; of what is a descriptor's, the words.
fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(words) => in_words(words),
        other => other.to_string(),
    }
}

/// `<file of 3 B>`.
fn in_words(fd: &Map<String, Value>) -> String {
    let kind = fd.get("kind").and_then(Value::as_str).unwrap_or("descriptor");
    match fd.get("size").and_then(Value::as_u64) {
        Some(size) => format!("<{kind} of {size} B>"),
        None => format!("<{kind}>"),
    }
}
