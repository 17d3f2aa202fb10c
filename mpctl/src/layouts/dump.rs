//! Reads what `mp_typed::Layouts` prints, or writes as JSON.

use serde_json::Value;

use super::{Field, Known};

/// All definitions of a dump; `None` if it is none.
pub(crate) fn definitions(text: &str) -> Option<Vec<Known>> {
    if text.trim_start().starts_with('{') {
        let json: Value = serde_json::from_str(text).ok()?;
        let actions = json["actions"].as_array()?;
        return Some(actions.iter().filter_map(Known::told).collect());
    }
    let mut all: Vec<Known> = Vec::new();
    let (mut part, mut variant) = ("", String::new());
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(head) = head(line) {
            all.push(head);
            continue;
        }
        let known = all.last_mut()?;
        match line.strip_prefix("  ") {
            // `Type: at most ..`, and the same of the response.
            None => {
                part = if line.starts_with("response ") { "response " } else { "" };
                variant.clear();
            }
            Some(line) => match field(line) {
                Some((name, size)) => {
                    // Those of a variant are indented once more.
                    let of = if line.starts_with("  ") { variant.as_str() } else { "" };
                    known.fields.push(Field { name: format!("{part}{of}{name}"), size });
                }
                None => variant = format!("{}.", line.trim()),
            },
        }
    }
    (!all.is_empty()).then_some(all)
}

/// `request "open" 0123456789abcdef`, or `.. without a fingerprint`.
fn head(line: &str) -> Option<Known> {
    let (kind, rest) = line.split_once(" \"")?;
    if !matches!(kind, "message" | "request") {
        return None;
    }
    let (name, fingerprint) = rest.rsplit_once("\" ")?;
    let fingerprint = match fingerprint {
        "without a fingerprint" => None,
        hex => Some(u64::from_str_radix(hex, 16).ok()?),
    };
    let (kind, name, typed) = (kind.to_owned(), name.to_owned(), true);
    Some(Known { kind, name, fingerprint, typed, ..Known::default() })
}

/// `port  u16   2 B`, perhaps with an offset or descriptors behind; the type may have blanks.
fn field(line: &str) -> Option<(&str, u64)> {
    let line = line.trim();
    let end = line
        .find(" B, ")
        .or_else(|| line.find(" B at "))
        .or_else(|| line.strip_suffix(" B").map(str::len))?;
    let (rest, size) = line[..end].rsplit_once(' ')?;
    Some((rest.split_whitespace().next()?, size.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_read() {
        let text = "message \"link_state\" 00000000000000ff\nLinkState: at most 3 B and 0 descriptors\n  port  u16   2 B\n  up    bool  1 B\n\n\
                    request \"open\" without a fingerprint\nOpen: at most 8 B and 0 descriptors, as C lays it out\n  label  [u8; 4]  4 B at 4\n\
                    response Result<Ring, Failed>: at most 9 B and 1 descriptors\n  Ok\n    memory  fd  0 B, 1 descriptors\n  Err\n    code  u8  1 B\n\n";
        let all = definitions(text).expect("a dump");
        let field = |name: &str, size: u64| Field { name: name.into(), size };
        assert_eq!(
            (all[0].kind.as_str(), all[0].name.as_str(), all[0].fingerprint),
            ("message", "link_state", Some(255))
        );
        assert_eq!(all[0].fields, [field("port", 2), field("up", 1)]);
        assert_eq!((all[1].kind.as_str(), all[1].fingerprint), ("request", None));
        assert_eq!(
            all[1].fields,
            [field("label", 4), field("response Ok.memory", 0), field("response Err.code", 1)]
        );
        for other in ["", "hello\n", "{}", "{\"actions\":7}", "  port u16 2 B\n"] {
            assert_eq!(definitions(other), None, "{other:?}");
        }
    }
}
