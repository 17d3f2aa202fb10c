//! JSON to a payload: values are checked against what the type takes, and descriptors put in order.

use serde_json::{Map, Value};

use super::{Body, Content, Enum, Fault, Field, Struct, Type, are_places};

/// A payload, and which of the given descriptors goes with it, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) bytes: Vec<u8>,
    pub(crate) fds: Vec<usize>,
}

/// Writes a value. `given` are the fields that descriptors are given for, in the order of the
/// descriptors.
pub(crate) fn write(body: &Body, value: &Value, given: &[String]) -> Result<Written, Fault> {
    let mut out = Out { bytes: Vec::new(), fds: Vec::new(), given, taken: vec![false; given.len()] };
    body.ty.write(value, &mut out)?;
    let left = out.taken.iter().position(|taken| !taken);
    if let Some(left) = left {
        let name = &given[left];
        return Err(Fault::new(
            match out.taken.iter().zip(given).any(|(taken, other)| *taken && other == name) {
                true => format!("takes fewer descriptors than it is given: leave one --fd {name}=... out"),
                false => match fd_fields(&body.ty).as_slice() {
                    [] => "takes no descriptors: leave --fd out".to_owned(),
                    fields => format!("takes no descriptor here: those that do are {}", fields.join(", ")),
                },
            },
        )
        .within(name));
    }
    if out.bytes.len() > body.max {
        let (len, max) = (out.bytes.len(), body.max);
        return Err(Fault::new(format!("the payload takes {len} bytes, and {max} are allowed")));
    }
    Ok(Written { bytes: out.bytes, fds: out.fds })
}

/// All fields that hold descriptors.
fn fd_fields(ty: &Type) -> Vec<&str> {
    let of =
        |fields: &'_ [Field]| -> Vec<usize> { (0..fields.len()).filter(|i| fields[*i].fds > 0).collect() };
    match ty {
        Type::Struct(Struct { fields, .. }) => {
            of(fields).into_iter().map(|i| fields[i].name.as_str()).collect()
        }
        Type::Enum(Enum { variants, .. }) => variants
            .iter()
            .flat_map(|variant| match &variant.content {
                Content::Fields(fields) => of(fields).into_iter().map(|i| fields[i].name.as_str()).collect(),
                Content::Whole(whole) => fd_fields(whole),
            })
            .collect(),
        _ => Vec::new(),
    }
}

struct Out<'a> {
    bytes: Vec<u8>,
    fds: Vec<usize>,
    given: &'a [String],
    taken: Vec<bool>,
}

impl Out<'_> {
    /// How many descriptors are left for a field.
    fn left_for(&self, field: &str) -> usize {
        self.given.iter().zip(&self.taken).filter(|(name, taken)| !**taken && *name == field).count()
    }

    /// Takes the next one for a field.
    fn take(&mut self, field: &str) -> bool {
        let next = (0..self.given.len()).find(|i| !self.taken[*i] && self.given[*i] == field);
        next.into_iter().for_each(|next| {
            self.taken[next] = true;
            self.fds.push(next);
        });
        next.is_some()
    }

    fn number(&mut self, number: u32) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn len(&mut self, len: usize) {
        self.bytes.extend((len as u64).to_le_bytes());
    }
}

impl Type {
    fn write(&self, value: &Value, out: &mut Out<'_>) -> Result<(), Fault> {
        let wrong = || Fault::new(format!("takes {}, not {}", self.takes(), shown(value)));
        match self {
            Self::Leaf(leaf) => leaf.write(value, &mut out.bytes).then_some(()).ok_or_else(wrong)?,
            Self::Text(most) => {
                let text = value.as_str().ok_or_else(wrong)?;
                bounded(text.len(), *most, "bytes")?;
                out.len(text.len());
                out.bytes.extend(text.as_bytes());
            }
            Self::Foreign(most) => {
                let bytes = value.get("hex").and_then(Value::as_str).and_then(from_hex).ok_or_else(wrong)?;
                bounded(bytes.len(), *most, "bytes")?;
                out.bytes.extend(bytes);
            }
            Self::Fd => return Err(wrong()),
            Self::Option(inner) => match unwrapped(inner, value) {
                None => out.bytes.push(0),
                Some(value) => {
                    out.bytes.push(1);
                    inner.write(value, out)?;
                }
            },
            Self::Result(ok, err) => match only(value).ok_or_else(wrong)? {
                ("Ok", value) => {
                    out.number(0);
                    ok.write(value, out).map_err(|fault| fault.within("Ok"))?;
                }
                ("Err", value) => {
                    out.number(1);
                    err.write(value, out).map_err(|fault| fault.within("Err"))?;
                }
                _ => return Err(wrong()),
            },
            Self::Tuple(parts) if parts.is_empty() && is_nothing(value) => {}
            Self::Tuple(parts) => {
                let values =
                    value.as_array().filter(|values| values.len() == parts.len()).ok_or_else(wrong)?;
                for (i, (part, value)) in parts.iter().zip(values).enumerate() {
                    part.write(value, out).map_err(|fault| fault.at(i))?;
                }
            }
            Self::Array(item, len) => {
                if item.is_byte()
                    && let Some(mut bytes) = bytes_of(value)
                {
                    bounded(bytes.len(), *len, "bytes")?;
                    bytes.resize(*len, 0);
                    out.bytes.extend(bytes);
                    return Ok(());
                }
                let values = value.as_array().filter(|values| values.len() == *len).ok_or_else(wrong)?;
                item.write_each(values, out)?;
            }
            Self::List(item, most) => {
                if item.is_byte()
                    && let Some(bytes) = bytes_of(value)
                {
                    bounded(bytes.len(), *most, "bytes")?;
                    out.len(bytes.len());
                    out.bytes.extend(bytes);
                    return Ok(());
                }
                let values = value.as_array().ok_or_else(wrong)?;
                bounded(values.len(), *most, "items")?;
                out.len(values.len());
                item.write_each(values, out)?;
            }
            Self::Map(key, entry, most) => {
                let entries = entries(value).ok_or_else(wrong)?;
                bounded(entries.len(), *most, "entries")?;
                out.len(entries.len());
                for (of, value) in entries {
                    key.write(&of, out).map_err(|fault| fault.within(&shown(&of)))?;
                    entry.write(value, out).map_err(|fault| fault.within(&shown(&of)))?;
                }
            }
            Self::Struct(Struct { c: Some((size, _)), fields, .. }) => {
                return write_c(fields, *size, value, out).map_err(|fault| fault.or(wrong));
            }
            Self::Struct(Struct { fields, .. }) => {
                return write_fields(fields, value, out).map_err(|fault| fault.or(wrong));
            }
            Self::Enum(Enum { variants, .. }) => {
                let (name, content) = match value {
                    Value::String(name) => (name.as_str(), &Value::Null),
                    value => only(value).ok_or_else(wrong)?,
                };
                let at = variants.iter().position(|variant| variant.name == name).ok_or_else(wrong)?;
                out.number(at as u32);
                let written = match &variants[at].content {
                    Content::Fields(fields) => write_fields(fields, content, out).map_err(|fault| {
                        let takes = format!("takes {}, not {}", fields_taken(fields), shown(content));
                        fault.or(|| Fault::new(takes))
                    }),
                    Content::Whole(whole) => whole.write(content, out),
                };
                return written.map_err(|fault| fault.within(name));
            }
        }
        Ok(())
    }

    fn write_each(&self, values: &[Value], out: &mut Out<'_>) -> Result<(), Fault> {
        for (i, value) in values.iter().enumerate() {
            self.write(value, out).map_err(|fault| fault.at(i))?;
        }
        Ok(())
    }

    /// Puts the descriptors of a field in order, and writes the bytes that count them; a C layout has
    /// none.
    fn write_fds(&self, field: &str, in_c: bool, out: &mut Out<'_>) -> Result<(), Fault> {
        let needs = |what: &str| Fault::new(format!("needs {what}: give --fd {field}=PATH"));
        match self {
            Self::Option(inner) => {
                let is_there = out.left_for(field) > 0;
                if !in_c {
                    out.bytes.push(is_there.into());
                }
                if is_there { inner.write_fds(field, in_c, out) } else { Ok(()) }
            }
            Self::Array(item, len) => (0..*len).try_for_each(|_| item.write_fds(field, in_c, out)),
            Self::List(item, most) => {
                let count = out.left_for(field).min(*most);
                if !in_c {
                    out.len(count);
                }
                (0..count).try_for_each(|_| item.write_fds(field, in_c, out))
            }
            _ => out.take(field).then_some(()).ok_or_else(|| needs("a descriptor")),
        }
    }

    pub(super) fn is_byte(&self) -> bool {
        matches!(self, Self::Leaf(leaf) if leaf.is_byte())
    }

    /// Whether `null` is the one value that it has.
    pub(super) fn is_null(&self) -> bool {
        match self {
            Self::Option(_) => true,
            Self::Tuple(parts) => parts.is_empty(),
            Self::Struct(Struct { fields, .. }) => fields.is_empty(),
            _ => false,
        }
    }

    /// What a value of it looks like.
    fn takes(&self) -> String {
        match self {
            Self::Leaf(leaf) => leaf.takes(),
            Self::Text(most) => format!("a text of at most {most} bytes"),
            Self::Foreign(most) => {
                format!("{{\"hex\": ...}} of at most {most} bytes, since only its own type knows more")
            }
            Self::Fd => "a descriptor, which --fd gives".to_owned(),
            Self::Option(inner) => format!("{}, or null", inner.takes()),
            Self::Result(..) => "{\"Ok\": ...} or {\"Err\": ...}".to_owned(),
            Self::Tuple(parts) if parts.is_empty() => "null".to_owned(),
            Self::Tuple(parts) => format!("an array of {}", parts.len()),
            Self::Array(item, len) if item.is_byte() => {
                format!("a text, {{\"hex\": ...}} or an array, of {len} bytes")
            }
            Self::Array(item, len) => format!("an array of {len}, each {}", item.takes()),
            Self::List(item, most) if item.is_byte() => {
                format!("a text, {{\"hex\": ...}} or an array, of at most {most} bytes")
            }
            Self::List(item, most) => format!("an array of at most {most}, each {}", item.takes()),
            Self::Map(_, _, most) => format!("an object, or an array of pairs, with at most {most} entries"),
            Self::Struct(Struct { fields, .. }) => fields_taken(fields),
            Self::Enum(Enum { variants, .. }) => {
                let shape = |variant: &super::Variant| match &variant.content {
                    Content::Fields(fields) if fields.is_empty() => format!("{:?}", variant.name),
                    _ => format!("{{{:?}: ...}}", variant.name),
                };
                format!("one of {}", variants.iter().map(shape).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Fault {
    /// A placeholder for what is wrong with the whole is replaced by what the whole takes.
    fn or(self, whole: impl FnOnce() -> Self) -> Self {
        if self.what.is_empty() && self.path.is_empty() { whole() } else { self }
    }

    fn of_whole() -> Self {
        Self::new("")
    }
}

fn write_fields(fields: &[Field], value: &Value, out: &mut Out<'_>) -> Result<(), Fault> {
    let values = values_of(fields, value)?;
    for (field, value) in fields.iter().zip(values) {
        write_field(field, value, false, out).map_err(|fault| fault.within(&field.name))?;
    }
    Ok(())
}

/// Each field at its place; gaps are zero.
fn write_c(fields: &[Field], size: usize, value: &Value, out: &mut Out<'_>) -> Result<(), Fault> {
    let start = out.bytes.len();
    for (field, value) in fields.iter().zip(values_of(fields, value)?) {
        if field.fds == 0 {
            out.bytes.resize(start + field.offset, 0);
        }
        write_field(field, value, true, out).map_err(|fault| fault.within(&field.name))?;
    }
    out.bytes.resize(start + size, 0);
    Ok(())
}

fn write_field(field: &Field, value: &Value, in_c: bool, out: &mut Out<'_>) -> Result<(), Fault> {
    match (field.fds, value) {
        (0, value) => field.ty.write(value, out),
        (_, value) if is_nothing(value) => field.ty.write_fds(&field.name, in_c, out),
        (_, _) => Err(Fault::new(format!(
            "is a descriptor: leave it out of the JSON, and give --fd {}=PATH",
            field.name
        ))),
    }
}

/// The value of each field; `null` for those that are left out and may be.
fn values_of<'a>(fields: &[Field], value: &'a Value) -> Result<Vec<&'a Value>, Fault> {
    let in_json: Vec<_> = fields.iter().filter(|field| field.fds == 0).collect();
    match value {
        value if in_json.is_empty() && is_nothing(value) => Ok(vec![&Value::Null; fields.len()]),
        Value::Object(object)
            if !are_places(fields) || object.keys().all(|key| key.parse::<u8>().is_ok()) =>
        {
            named(fields, object)
        }
        Value::Array(values) if are_places(fields) && values.len() == in_json.len() && in_json.len() != 1 => {
            let mut values = values.iter();
            Ok(fields
                .iter()
                .map(|field| if field.fds > 0 { None } else { values.next() }.unwrap_or(&Value::Null))
                .collect())
        }
        value if are_places(fields) && in_json.len() == 1 => {
            Ok(fields.iter().map(|field| if field.fds > 0 { &Value::Null } else { value }).collect())
        }
        _ => Err(Fault::of_whole()),
    }
}

fn named<'a>(fields: &[Field], object: &'a Map<String, Value>) -> Result<Vec<&'a Value>, Fault> {
    if let Some(unknown) = object.keys().find(|key| !fields.iter().any(|field| field.name == **key)) {
        let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
        return Err(Fault::new(format!("is no field: those are {}", names.join(", "))).within(unknown));
    }
    let value = |field: &Field| match object.get(&field.name) {
        Some(value) => Ok(value),
        None if field.fds > 0 || matches!(field.ty, Type::Option(_)) => Ok(&Value::Null),
        None => Err(Fault::new(format!("is missing: it takes {}", field.ty.takes())).within(&field.name)),
    };
    fields.iter().map(value).collect()
}

fn fields_taken(fields: &[Field]) -> String {
    let in_json: Vec<_> = fields.iter().filter(|field| field.fds == 0).collect();
    match in_json.as_slice() {
        [] => "null".to_owned(),
        [only] if are_places(fields) => only.ty.takes(),
        several if are_places(fields) => format!("an array of {}", several.len()),
        several => {
            let names: Vec<_> = several.iter().map(|field| field.name.as_str()).collect();
            format!("an object with {}", names.join(", "))
        }
    }
}

/// What is in an `Option`: itself, but `{"Some": ...}` where `null` may be in it.
fn unwrapped<'a>(inner: &Type, value: &'a Value) -> Option<&'a Value> {
    match value {
        Value::Null => None,
        value if inner.is_null() => match only(value) {
            Some(("Some", value)) => Some(value),
            _ => Some(value),
        },
        value => Some(value),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(object) => object.is_empty(),
        Value::Array(array) => array.is_empty(),
        _ => false,
    }
}

/// The one entry of an object.
fn only(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.iter().next().map(|(key, value)| (key.as_str(), value))
}

/// Bytes that are written as text or in hexadecimal.
fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        value => only(value).filter(|(key, _)| *key == "hex").and_then(|(_, hex)| from_hex(hex.as_str()?)),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| (high << 4 | low) as u8).collect())
}

/// The entries of a map, whose keys JSON has as texts only, or as pairs.
fn entries(value: &Value) -> Option<Vec<(Value, &Value)>> {
    match value {
        Value::Object(object) => {
            Some(object.iter().map(|(key, value)| (Value::String(key.clone()), value)).collect())
        }
        Value::Array(pairs) => pairs
            .iter()
            .map(|pair| match pair.as_array()?.as_slice() {
                [key, value] => Some((key.clone(), value)),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

fn bounded(len: usize, most: usize, what: &str) -> Result<(), Fault> {
    if len > most { Err(Fault::new(format!("has {len} {what}, and at most {most} fit"))) } else { Ok(()) }
}

/// As much of a value as is told in an error.
fn shown(value: &Value) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
