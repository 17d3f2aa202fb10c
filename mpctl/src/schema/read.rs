//! A payload to JSON. Every byte and every descriptor must belong to a field.

use serde_json::{Map, Value, json};

use super::{Body, Content, Enum, Fault, Field, Struct, Type, are_places, leaf::Bytes, sizes};

/// No payload has more parts, but types that take no bytes could be told of any number.
const MOST_PARTS: usize = 1 << 17;

/// Reads a value with as many descriptors as came with it; `fd` says how one is shown: the field, and
/// which of them.
pub(crate) fn read(
    body: &Body,
    payload: &[u8],
    fds: usize,
    fd: &mut dyn FnMut(&str, usize) -> Value,
) -> Result<Value, Fault> {
    let mut source = Source { bytes: Bytes { all: payload, at: 0 }, fds, claimed: 0, parts: 0, fd };
    let value = body.ty.read(&mut source, Some(0))?;
    let Source { bytes, claimed, .. } = source;
    match (payload.len() - bytes.at, fds - claimed) {
        (0, 0) => Ok(value),
        (0, left) => Err(Fault::new(format!("{left} descriptors are left over"))),
        (left, _) => Err(Fault::new(format!("{left} bytes of the payload are left over"))),
    }
}

struct Source<'a> {
    bytes: Bytes<'a>,
    fds: usize,
    claimed: usize,
    parts: usize,
    fd: &'a mut dyn FnMut(&str, usize) -> Value,
}

impl Source<'_> {
    fn count(&mut self) -> Result<(), Fault> {
        self.parts += 1;
        let few = self.parts <= MOST_PARTS;
        few.then_some(()).ok_or_else(|| Fault::new(format!("has more than {MOST_PARTS} parts")))
    }
}

impl Type {
    /// `after` is how many bytes follow it to the end of the payload, if that is known.
    fn read(&self, source: &mut Source<'_>, after: Option<usize>) -> Result<Value, Fault> {
        source.count()?;
        let bytes = &mut source.bytes;
        Ok(match self {
            Self::Leaf(leaf) => leaf.read(bytes)?,
            Self::Text(most) => {
                let len = bytes.len(*most)?;
                let text = str::from_utf8(bytes.take(len)?).map_err(|_| Fault::new("is no UTF-8"))?;
                json!(text)
            }
            Self::Foreign(most) => {
                let left = bytes.all.len() - bytes.at;
                let own = after.and_then(|after| left.checked_sub(after)).filter(|own| own <= most);
                let own = own.ok_or_else(|| {
                    Fault::new("cannot be told from what follows: only its own type knows its end")
                })?;
                json!({ "hex": hex(bytes.take(own)?) })
            }
            Self::Fd => return Err(Fault::new("is a descriptor where none can be")),
            Self::Option(inner) => match bytes.boolean()? {
                false => Value::Null,
                true => {
                    let value = inner.read(source, after)?;
                    // `null` stands for none already.
                    if inner.is_null() { json!({ "Some": value }) } else { value }
                }
            },
            Self::Result(ok, err) => match bytes.number()? {
                0 => json!({ "Ok": ok.read(source, after).map_err(|fault| fault.within("Ok"))? }),
                1 => json!({ "Err": err.read(source, after).map_err(|fault| fault.within("Err"))? }),
                other => return Err(no_variant(other, 2)),
            },
            Self::Tuple(parts) if parts.is_empty() => Value::Null,
            Self::Tuple(parts) => {
                let read = |(i, part): (usize, &Self)| part.read(source, None).map_err(|fault| fault.at(i));
                Value::Array(parts.iter().enumerate().map(read).collect::<Result<_, _>>()?)
            }
            Self::Array(item, len) if item.is_byte() => shown_bytes(bytes.take(*len)?, true),
            Self::Array(item, len) => item.read_each(*len, source)?,
            Self::List(item, most) => {
                let len = bytes.len(*most)?;
                if item.is_byte() {
                    shown_bytes(bytes.take(len)?, false)
                } else {
                    item.read_each(len, source)?
                }
            }
            Self::Map(key, value, most) => {
                let len = bytes.len(*most)?;
                read_map(key, value, len, source)?
            }
            Self::Struct(Struct { c: Some((size, _)), fields, .. }) => read_c(fields, *size, source)?,
            Self::Struct(Struct { fields, .. }) => read_fields(fields, source, after)?,
            Self::Enum(Enum { variants, .. }) => {
                let at = bytes.number()?;
                let variant = variants.get(at as usize).ok_or_else(|| no_variant(at, variants.len()))?;
                let value = match &variant.content {
                    Content::Fields(fields) if fields.is_empty() => return Ok(json!(variant.name)),
                    Content::Fields(fields) => read_fields(fields, source, after),
                    Content::Whole(whole) => whole.read(source, after),
                };
                json!({ &variant.name: value.map_err(|fault| fault.within(&variant.name))? })
            }
        })
    }

    fn read_each(&self, len: usize, source: &mut Source<'_>) -> Result<Value, Fault> {
        let read = |i| self.read(source, None).map_err(|fault| fault.at(i));
        Ok(Value::Array((0..len).map(read).collect::<Result<_, _>>()?))
    }

    /// Shows the descriptors of a field; a C layout does not say how many there are.
    fn read_fds(&self, field: &str, in_c: bool, source: &mut Source<'_>) -> Result<Value, Fault> {
        source.count()?;
        let left = source.fds - source.claimed;
        match self {
            Self::Option(inner) => {
                let is_there = if in_c { left > 0 } else { source.bytes.boolean()? };
                if is_there { inner.read_fds(field, in_c, source) } else { Ok(Value::Null) }
            }
            Self::Array(item, len) => item.read_each_fd(*len, field, in_c, source),
            Self::List(item, most) => {
                let len = if in_c { left.min(*most) } else { source.bytes.len(*most)? };
                item.read_each_fd(len, field, in_c, source)
            }
            _ if left == 0 => Err(Fault::new("is a descriptor, and fewer came than there should be")),
            _ => {
                source.claimed += 1;
                Ok((source.fd)(field, source.claimed - 1))
            }
        }
    }

    fn read_each_fd(
        &self,
        len: usize,
        field: &str,
        in_c: bool,
        source: &mut Source<'_>,
    ) -> Result<Value, Fault> {
        let all: Result<_, _> = (0..len).map(|_| self.read_fds(field, in_c, source)).collect();
        Ok(Value::Array(all?))
    }
}

fn read_fields(fields: &[Field], source: &mut Source<'_>, after: Option<usize>) -> Result<Value, Fault> {
    let mut values = Vec::with_capacity(fields.len());
    for (i, field) in fields.iter().enumerate() {
        let (min, max) = sizes::of_fields(&fields[i + 1..]);
        let after = after.filter(|_| min == max).map(|after| after.saturating_add(min));
        let value = match field.fds {
            0 => field.ty.read(source, after),
            _ => field.ty.read_fds(&field.name, false, source),
        };
        values.push(value.map_err(|fault| fault.within(&field.name))?);
    }
    Ok(put_together(fields, values))
}

fn read_c(fields: &[Field], size: usize, source: &mut Source<'_>) -> Result<Value, Fault> {
    let start = source.bytes.at;
    let mut values = Vec::with_capacity(fields.len());
    for field in fields {
        let value = match field.fds {
            0 => {
                source.bytes.at = start.saturating_add(field.offset).min(source.bytes.all.len());
                field.ty.read(source, None)
            }
            _ => field.ty.read_fds(&field.name, true, source),
        };
        values.push(value.map_err(|fault| fault.within(&field.name))?);
    }
    source.bytes.at = start;
    source.bytes.take(size)?;
    Ok(put_together(fields, values))
}

/// Fields that have places are an array, one alone is itself, none are `null`.
fn put_together(fields: &[Field], mut values: Vec<Value>) -> Value {
    match values.len() {
        0 => Value::Null,
        1 if are_places(fields) => values.remove(0),
        _ if are_places(fields) => Value::Array(values),
        _ => Value::Object(fields.iter().map(|field| field.name.clone()).zip(values).collect()),
    }
}

/// As an object if all keys are texts, else as pairs.
fn read_map(key: &Type, value: &Type, len: usize, source: &mut Source<'_>) -> Result<Value, Fault> {
    let mut pairs = Vec::new();
    for i in 0..len {
        let key = key.read(source, None).map_err(|fault| fault.at(i))?;
        let value = value.read(source, None).map_err(|fault| fault.at(i))?;
        pairs.push((key, value));
    }
    let is_object = matches!(key, Type::Text(_));
    let text = |key: Value| key.as_str().map(str::to_owned).unwrap_or_default();
    Ok(match is_object {
        true => {
            Value::Object(pairs.into_iter().map(|(key, value)| (text(key), value)).collect::<Map<_, _>>())
        }
        false => Value::Array(pairs.into_iter().map(|(key, value)| json!([key, value])).collect()),
    })
}

/// Bytes that are text are shown as that; of an array, which is as long as it is, without the zeros
/// behind it.
fn shown_bytes(bytes: &[u8], is_padded: bool) -> Value {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = if is_padded { &bytes[..end] } else { bytes };
    match str::from_utf8(text) {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => json!(text),
        _ => json!(bytes),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn no_variant(number: u32, count: usize) -> Fault {
    Fault::new(format!("is variant {number}, and there are {count}"))
}
