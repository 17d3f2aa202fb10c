//! Reads what a member tells. Keys that are not known here are passed over: a later release has more.

use std::fmt;

use serde_json::{Map, Value};

use super::{Action, Body, Content, Definition, Description, Enum, Field, Struct, Type, Variant, leaf::Leaf};

/// No message has room for more items of one byte, nor has a reader for many of none.
const MOST_ITEMS: u64 = 1 << 16;

/// What somebody told.
pub(crate) struct Told<'a>(pub(crate) &'a str);

/// Why it cannot be understood.
#[derive(Debug)]
pub(crate) struct Untold(String);

impl std::error::Error for Untold {}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "what it says of its actions cannot be understood: {}", self.0)
    }
}

impl TryFrom<Told<'_>> for Description {
    type Error = Untold;

    fn try_from(Told(text): Told<'_>) -> Result<Self, Untold> {
        let told: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| Untold(error.to_string()))?;
        let text = |key: &str| told.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self {
            pid: told.get("pid").and_then(Value::as_u64).and_then(|pid| pid.try_into().ok()).unwrap_or(0),
            version: text("version"),
            role: text("role"),
            socket: text("socket"),
            actions: all(&told, "actions", action)?,
        })
    }
}

fn action(told: &Map<String, Value>) -> Result<Action, Untold> {
    let name = string(told, "name")?.to_owned();
    let definition = match told.get("body") {
        Some(_) => Some(definition(told).map_err(|Untold(what)| Untold(format!("{name:?}: {what}")))?),
        None => None,
    };
    Ok(Action { name, definition })
}

fn definition(told: &Map<String, Value>) -> Result<Definition, Untold> {
    let hexadecimal = |value: &Value| value.as_str().and_then(|text| u64::from_str_radix(text, 16).ok());
    let accepts = told.get("accepts").and_then(Value::as_array);
    Ok(Definition {
        fingerprint: told.get("fingerprint").and_then(hexadecimal).unwrap_or(0),
        accepts: accepts.into_iter().flatten().filter_map(hexadecimal).collect(),
        body: body(object(told, "body")?)?,
        response: told.get("response").map(|_| body(object(told, "response")?)).transpose()?,
    })
}

fn body(told: &Map<String, Value>) -> Result<Body, Untold> {
    Ok(Body { ty: made(told)?, max: number(told, "max")?, fds: number(told, "fds")? })
}

fn type_of(told: &Value) -> Result<Type, Untold> {
    match told {
        Value::String(name) if name == "fd" => Ok(Type::Fd),
        Value::String(name) => Leaf::named(name)
            .map(Type::Leaf)
            .ok_or_else(|| Untold(format!("the type {name:?} is not known here"))),
        Value::Object(told) => made(told),
        other => Err(Untold(format!("{other} is no type"))),
    }
}

/// A type that is made of others, or bounded.
fn made(told: &Map<String, Value>) -> Result<Type, Untold> {
    let inner = |key: &str| Ok(Box::new(type_of(&told[key])?));
    let has = |key: &str| told.contains_key(key);
    Ok(match () {
        () if has("struct") => Type::Struct(Struct {
            name: string(told, "struct")?.to_owned(),
            c: told.get("c").map(|_| in_c(object(told, "c")?)).transpose()?,
            fields: all(told, "fields", field)?,
        }),
        () if has("enum") => enumeration(told, "enum")?,
        // A `Result` of two answers; one in a field has its two types.
        () if has("result") && has("variants") => enumeration(told, "result")?,
        () if has("result") => {
            let [ok, err] = pair(told, "result")?;
            Type::Result(ok, err)
        }
        () if has("option") => Type::Option(inner("option")?),
        () if has("tuple") => Type::Tuple(parts(told, "tuple")?),
        () if has("array") => Type::Array(inner("array")?, items(told, "len")?),
        () if has("list") => Type::List(inner("list")?, number(told, "max_len")?),
        () if has("set") => Type::List(inner("set")?, number(told, "max_len")?),
        () if has("map") => {
            let [key, value] = pair(told, "map")?;
            Type::Map(key, value, number(told, "max_len")?)
        }
        () if has("text") => Type::Text(number(told, "text")?),
        () if has("serde") => Type::Foreign(number(told, "serde")?),
        () => {
            let keys: Vec<_> = told.keys().map(String::as_str).collect();
            return Err(Untold(format!("a type with the keys {} is not known here", keys.join(", "))));
        }
    })
}

fn enumeration(told: &Map<String, Value>, key: &str) -> Result<Type, Untold> {
    let variants = all(told, "variants", |told| {
        let content = match told.get("is") {
            Some(whole) => Content::Whole(Box::new(type_of(whole)?)),
            None => Content::Fields(all(told, "fields", field)?),
        };
        Ok(Variant { name: string(told, "name")?.to_owned(), content })
    })?;
    Ok(Type::Enum(Enum { name: string(told, key)?.to_owned(), variants }))
}

fn field(told: &Map<String, Value>) -> Result<Field, Untold> {
    let name = string(told, "name")?.to_owned();
    let ty = told.get("type").ok_or_else(|| missing("type")).and_then(type_of);
    let or_0 = |key: &str| told.get(key).map_or(Ok(0), |_| number(told, key));
    Ok(Field {
        ty: ty.map_err(|Untold(what)| Untold(format!("the field {name:?}: {what}")))?,
        name,
        max: or_0("max")?,
        fds: or_0("fds")?,
        offset: or_0("offset")?,
    })
}

fn in_c(told: &Map<String, Value>) -> Result<(usize, usize), Untold> {
    Ok((items(told, "size")?, items(told, "align")?))
}

fn parts(told: &Map<String, Value>, key: &str) -> Result<Vec<Type>, Untold> {
    let parts = told.get(key).and_then(Value::as_array).ok_or_else(|| missing(key))?;
    parts.iter().map(type_of).collect()
}

fn pair(told: &Map<String, Value>, key: &str) -> Result<[Box<Type>; 2], Untold> {
    let parts: Vec<_> = parts(told, key)?.into_iter().map(Box::new).collect();
    parts.try_into().map_err(|_| missing(key))
}

fn all<T>(
    told: &Map<String, Value>,
    key: &str,
    of: impl Fn(&Map<String, Value>) -> Result<T, Untold>,
) -> Result<Vec<T>, Untold> {
    let all = told.get(key).and_then(Value::as_array).ok_or_else(|| missing(key))?;
    all.iter().map(|one| of(one.as_object().ok_or_else(|| missing(key))?)).collect()
}

fn object<'a>(told: &'a Map<String, Value>, key: &str) -> Result<&'a Map<String, Value>, Untold> {
    told.get(key).and_then(Value::as_object).ok_or_else(|| missing(key))
}

fn string<'a>(told: &'a Map<String, Value>, key: &str) -> Result<&'a str, Untold> {
    told.get(key).and_then(Value::as_str).ok_or_else(|| missing(key))
}

fn number(told: &Map<String, Value>, key: &str) -> Result<usize, Untold> {
    let number = told.get(key).and_then(Value::as_u64);
    number.and_then(|number| number.try_into().ok()).ok_or_else(|| missing(key))
}

/// A number of things that are really there.
fn items(told: &Map<String, Value>, key: &str) -> Result<usize, Untold> {
    match number(told, key)? {
        number if number as u64 <= MOST_ITEMS => Ok(number),
        number => Err(Untold(format!("{number} do not fit a message"))),
    }
}

fn missing(key: &str) -> Untold {
    Untold(format!("{key:?} is missing, or of another kind"))
}
