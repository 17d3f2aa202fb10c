//! Values that are not made of others: how they lie in a payload, and how they are written in JSON.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    str::FromStr,
    time::{Duration, UNIX_EPOCH},
};

use serde_json::{Number, Value, json};

use super::Fault;

/// One of those that have a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) name: String,
    sort: Sort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Unsigned { size: usize, non_zero: bool },
    Signed { size: usize, non_zero: bool },
    F32,
    F64,
    Bool,
    Char,
    Duration,
    SystemTime,
    Ipv4,
    Ipv6,
    Ip,
    SocketV4,
    SocketV6,
    Socket,
}

/// The number of the version of an address, and of a variant.
pub(super) const TAG: usize = 4;

impl Leaf {
    /// `None` if no such one is known here.
    pub(super) fn named(name: &str) -> Option<Self> {
        let sort = match name {
            "f32" => Sort::F32,
            "f64" => Sort::F64,
            "bool" => Sort::Bool,
            "char" => Sort::Char,
            "Duration" => Sort::Duration,
            "SystemTime" => Sort::SystemTime,
            "Ipv4Addr" => Sort::Ipv4,
            "Ipv6Addr" => Sort::Ipv6,
            "IpAddr" => Sort::Ip,
            "SocketAddrV4" => Sort::SocketV4,
            "SocketAddrV6" => Sort::SocketV6,
            "SocketAddr" => Sort::Socket,
            other => integer(other)?,
        };
        Some(Self { name: name.to_owned(), sort })
    }

    /// The fewest bytes that it takes, and the most.
    pub(super) fn sizes(&self) -> (usize, usize) {
        match self.sort {
            Sort::Unsigned { size, .. } | Sort::Signed { size, .. } => (size, size),
            Sort::F32 | Sort::Ipv4 => (4, 4),
            Sort::F64 => (8, 8),
            Sort::Bool => (1, 1),
            Sort::Char => (1, 4),
            Sort::Duration | Sort::SystemTime => (12, 12),
            Sort::Ipv6 => (16, 16),
            Sort::Ip => (TAG + 4, TAG + 16),
            Sort::SocketV4 => (6, 6),
            Sort::SocketV6 => (18, 18),
            Sort::Socket => (TAG + 6, TAG + 18),
        }
    }

    pub(super) fn is_byte(&self) -> bool {
        self.sort == Sort::Unsigned { size: 1, non_zero: false }
    }

    /// What a value of it looks like.
    pub(super) fn takes(&self) -> String {
        match self.sort {
            Sort::Unsigned { size, non_zero } => {
                let most = u128::MAX >> (128 - 8 * size);
                format!("a number from {} to {most}", u8::from(non_zero))
            }
            Sort::Signed { size, non_zero } => {
                let most = i128::MAX >> (128 - 8 * size);
                format!("a number from {} to {most}{}", -most - 1, if non_zero { ", not 0" } else { "" })
            }
            Sort::F32 | Sort::F64 => "a number, or \"NaN\", \"inf\", \"-inf\"".to_owned(),
            Sort::Bool => "true or false".to_owned(),
            Sort::Char => "a text of one character".to_owned(),
            Sort::Duration => "a duration such as \"1s 500ms\", or seconds".to_owned(),
            Sort::SystemTime => "a time such as \"2026-01-31T12:00:00Z\", or seconds since 1970".to_owned(),
            Sort::Ipv4 => "an address such as \"10.0.0.1\"".to_owned(),
            Sort::Ipv6 => "an address such as \"fe80::1\"".to_owned(),
            Sort::Ip => "an address such as \"10.0.0.1\" or \"fe80::1\"".to_owned(),
            Sort::SocketV4 => "an address such as \"10.0.0.1:80\"".to_owned(),
            Sort::SocketV6 => "an address such as \"[fe80::1]:80\"".to_owned(),
            Sort::Socket => "an address such as \"10.0.0.1:80\" or \"[fe80::1]:80\"".to_owned(),
        }
    }

    /// Writes a value; `false` if it is none.
    pub(super) fn write(&self, value: &Value, out: &mut Vec<u8>) -> bool {
        self.try_write(value, out).is_some()
    }

    fn try_write(&self, value: &Value, out: &mut Vec<u8>) -> Option<()> {
        match self.sort {
            Sort::Unsigned { size, non_zero } => {
                let number: u128 = number(value)?;
                let fits = size == 16 || number < 1 << (8 * size);
                (fits && !(non_zero && number == 0)).then(|| out.extend(&number.to_le_bytes()[..size]))?;
            }
            Sort::Signed { size, non_zero } => {
                let number: i128 = number(value)?;
                let most = i128::MAX >> (128 - 8 * size);
                let fits = (-most - 1..=most).contains(&number);
                (fits && !(non_zero && number == 0)).then(|| out.extend(&number.to_le_bytes()[..size]))?;
            }
            Sort::F32 => out.extend(number::<f32>(value)?.to_le_bytes()),
            Sort::F64 => out.extend(number::<f64>(value)?.to_le_bytes()),
            Sort::Bool => out.push(value.as_bool()?.into()),
            Sort::Char => {
                let mut characters = value.as_str()?.chars();
                let only = characters.next()?;
                characters.next().is_none().then(|| out.extend(only.encode_utf8(&mut [0; 4]).bytes()))?;
            }
            Sort::Duration => write_duration(duration(value)?, out),
            Sort::SystemTime => write_duration(time(value)?, out),
            Sort::Ipv4 => out.extend(text::<Ipv4Addr>(value)?.octets()),
            Sort::Ipv6 => out.extend(text::<Ipv6Addr>(value)?.octets()),
            Sort::Ip => match text::<IpAddr>(value)? {
                IpAddr::V4(v4) => out.extend(0_u32.to_le_bytes().into_iter().chain(v4.octets())),
                IpAddr::V6(v6) => out.extend(1_u32.to_le_bytes().into_iter().chain(v6.octets())),
            },
            Sort::SocketV4 => write_v4(text(value)?, out),
            Sort::SocketV6 => write_v6(text(value)?, out),
            Sort::Socket => match text::<SocketAddr>(value)? {
                SocketAddr::V4(v4) => {
                    out.extend(0_u32.to_le_bytes());
                    write_v4(v4, out);
                }
                SocketAddr::V6(v6) => {
                    out.extend(1_u32.to_le_bytes());
                    write_v6(v6, out);
                }
            },
        }
        Some(())
    }

    /// Reads a value.
    pub(super) fn read(&self, bytes: &mut Bytes<'_>) -> Result<Value, Fault> {
        Ok(match self.sort {
            Sort::Unsigned { size, non_zero } => {
                let mut all = [0; 16];
                all[..size].copy_from_slice(bytes.take(size)?);
                let number = u128::from_le_bytes(all);
                if non_zero && number == 0 {
                    return Err(Fault::new("is zero, which it cannot be"));
                }
                u64::try_from(number).map_or_else(|_| json!(number.to_string()), |number| json!(number))
            }
            Sort::Signed { size, non_zero } => {
                let raw = bytes.take(size)?;
                let mut all = if raw[size - 1] & 0x80 == 0 { [0; 16] } else { [0xff; 16] };
                all[..size].copy_from_slice(raw);
                let number = i128::from_le_bytes(all);
                if non_zero && number == 0 {
                    return Err(Fault::new("is zero, which it cannot be"));
                }
                i64::try_from(number).map_or_else(|_| json!(number.to_string()), |number| json!(number))
            }
            // By its shortest text, which means the same number as an `f64`, too.
            Sort::F32 => float(&f32::from_le_bytes(bytes.array()?)),
            Sort::F64 => float(&f64::from_le_bytes(bytes.array()?)),
            Sort::Bool => json!(bytes.boolean()?),
            Sort::Char => json!(character(bytes)?.to_string()),
            Sort::Duration => json!(humantime::format_duration(read_duration(bytes)?).to_string()),
            Sort::SystemTime => show_time(read_duration(bytes)?)?,
            Sort::Ipv4 => json!(Ipv4Addr::from(bytes.array::<4>()?).to_string()),
            Sort::Ipv6 => json!(Ipv6Addr::from(bytes.array::<16>()?).to_string()),
            Sort::Ip => match bytes.number()? {
                0 => json!(Ipv4Addr::from(bytes.array::<4>()?).to_string()),
                1 => json!(Ipv6Addr::from(bytes.array::<16>()?).to_string()),
                other => return Err(Fault::new(format!("is of version {other}, and there are 0 and 1"))),
            },
            Sort::SocketV4 => json!(read_v4(bytes)?.to_string()),
            Sort::SocketV6 => json!(read_v6(bytes)?.to_string()),
            Sort::Socket => match bytes.number()? {
                0 => json!(read_v4(bytes)?.to_string()),
                1 => json!(read_v6(bytes)?.to_string()),
                other => return Err(Fault::new(format!("is of version {other}, and there are 0 and 1"))),
            },
        })
    }
}

fn integer(name: &str) -> Option<Sort> {
    let (name, non_zero) = match name.strip_prefix("NonZero") {
        Some(name) => (name.to_lowercase(), true),
        None => (name.to_owned(), false),
    };
    let (sign, bits) = name.split_at_checked(1)?;
    let size = match bits {
        "8" => 1,
        "16" => 2,
        "32" => 4,
        "64" | "size" => 8,
        "128" => 16,
        _ => return None,
    };
    match sign {
        "u" => Some(Sort::Unsigned { size, non_zero }),
        "i" => Some(Sort::Signed { size, non_zero }),
        _ => None,
    }
}

/// A number, also one in quotes, since JSON's have 53 bits with many a reader.
fn number<T: FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn text<T: FromStr>(value: &Value) -> Option<T> {
    value.as_str()?.parse().ok()
}

fn float<T: ToString>(number: &T) -> Value {
    let text = number.to_string();
    let parsed = text.parse().ok().and_then(Number::from_f64);
    parsed.map_or(Value::String(text), Value::Number)
}

fn duration(value: &Value) -> Option<Duration> {
    match value {
        Value::String(text) => humantime::parse_duration(text).ok(),
        value => seconds(value),
    }
}

fn seconds(value: &Value) -> Option<Duration> {
    match value.as_u64() {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => Duration::try_from_secs_f64(value.as_f64()?).ok(),
    }
}

fn time(value: &Value) -> Option<Duration> {
    match value {
        Value::String(text) => humantime::parse_rfc3339_weak(text).ok()?.duration_since(UNIX_EPOCH).ok(),
        Value::Array(parts) => match parts.as_slice() {
            [seconds, nanos] => Some(Duration::new(seconds.as_u64()?, u32::try_from(nanos.as_u64()?).ok()?)),
            _ => None,
        },
        value => seconds(value),
    }
}

/// As a date; one that has none, as seconds and nanoseconds.
fn show_time(since: Duration) -> Result<Value, Fault> {
    /// The end of the year 9999, after which dates have more digits than any reader expects.
    const LAST: u64 = 253_402_300_799;
    let time = UNIX_EPOCH.checked_add(since).ok_or_else(|| Fault::new("is a time that is out of range"))?;
    Ok(match since.as_secs() {
        0..=LAST => json!(humantime::format_rfc3339_nanos(time).to_string()),
        seconds => json!([seconds, since.subsec_nanos()]),
    })
}

fn write_duration(duration: Duration, out: &mut Vec<u8>) {
    out.extend(duration.as_secs().to_le_bytes());
    out.extend(duration.subsec_nanos().to_le_bytes());
}

fn read_duration(bytes: &mut Bytes<'_>) -> Result<Duration, Fault> {
    let (seconds, nanos) = (u64::from_le_bytes(bytes.array()?), u32::from_le_bytes(bytes.array()?));
    let whole = Duration::from_secs(seconds).checked_add(Duration::from_nanos(nanos.into()));
    whole.ok_or_else(|| Fault::new("is a time that is out of range"))
}

fn write_v4(address: SocketAddrV4, out: &mut Vec<u8>) {
    out.extend(address.ip().octets());
    out.extend(address.port().to_le_bytes());
}

fn write_v6(address: SocketAddrV6, out: &mut Vec<u8>) {
    out.extend(address.ip().octets());
    out.extend(address.port().to_le_bytes());
}

fn read_v4(bytes: &mut Bytes<'_>) -> Result<SocketAddrV4, Fault> {
    Ok(SocketAddrV4::new(Ipv4Addr::from(bytes.array::<4>()?), u16::from_le_bytes(bytes.array()?)))
}

fn read_v6(bytes: &mut Bytes<'_>) -> Result<SocketAddrV6, Fault> {
    Ok(SocketAddrV6::new(Ipv6Addr::from(bytes.array::<16>()?), u16::from_le_bytes(bytes.array()?), 0, 0))
}

fn character(bytes: &mut Bytes<'_>) -> Result<char, Fault> {
    let first = bytes.take(1)?[0];
    let len = match first {
        0..0x80 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    bytes.at -= 1;
    let text = str::from_utf8(bytes.take(len)?).map_err(|_| Fault::new("is no character"))?;
    text.chars().next().ok_or_else(|| Fault::new("is no character"))
}

/// A payload that is read from its beginning on.
#[derive(Debug)]
pub(super) struct Bytes<'a> {
    pub(super) all: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let left = self.all.len() - self.at;
        let taken = self.all[self.at..].get(..len).ok_or_else(|| {
            Fault::new(format!("takes {len} bytes, and the payload ends after {left} more"))
        })?;
        self.at += len;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The number of a variant.
    pub(super) fn number(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn boolean(&mut self) -> Result<bool, Fault> {
        match self.take(1)?[0] {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Fault::new(format!("is {other}, and there are 0 and 1"))),
        }
    }

    /// How many follow, of at most `most`.
    pub(super) fn len(&mut self, most: usize) -> Result<usize, Fault> {
        let len = u64::from_le_bytes(self.array()?);
        let fits = usize::try_from(len).ok().filter(|len| *len <= most);
        fits.ok_or_else(|| Fault::new(format!("has {len}, and at most {most} fit")))
    }
}
