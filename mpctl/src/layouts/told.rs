//! Reads what a member tells with `mp.describe`; `mp_typed` documents the keys.

use serde_json::Value;

use super::{Field, Known};

impl Known {
    /// An action; `None` if it has no name.
    pub(crate) fn told(action: &Value) -> Option<Self> {
        let hex = |value: &Value| value.as_str().and_then(|text| u64::from_str_radix(text, 16).ok());
        let mut known = Self {
            kind: action["kind"].as_str().unwrap_or_default().to_owned(),
            name: action["name"].as_str()?.to_owned(),
            fingerprint: hex(&action["fingerprint"]).filter(|fingerprint| *fingerprint != 0),
            accepts: action["accepts"].as_array().into_iter().flatten().filter_map(hex).collect(),
            typed: action["body"].is_object(),
            fields: Vec::new(),
        };
        fields(&action["body"], "", &mut known.fields);
        fields(&action["response"], "response ", &mut known.fields);
        Some(known)
    }

    /// All that a member tells.
    pub(crate) fn all_told(described: &Value) -> Vec<Self> {
        described["actions"].as_array().into_iter().flatten().filter_map(Self::told).collect()
    }
}

fn fields(of: &Value, before: &str, all: &mut Vec<Field>) {
    for field in of["fields"].as_array().into_iter().flatten() {
        let name = format!("{before}{}", field["name"].as_str().unwrap_or_default());
        all.push(Field { name, size: field["max"].as_u64().unwrap_or(0) });
    }
    for variant in of["variants"].as_array().into_iter().flatten() {
        let before = format!("{before}{}.", variant["name"].as_str().unwrap_or_default());
        fields(variant, &before, all);
        fields(&variant["is"], &before, all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_member_tells_is_read() {
        let told = r#"{"name":"open","kind":"request","fingerprint":"00000000000000ff","accepts":["0a"],
            "body":{"struct":"Open","fields":[{"name":"port","type":"u16","max":2}]},
            "response":{"result":"R","variants":[{"name":"Ok","is":{"fields":[{"name":"memory","type":"fd","fds":1}]}},{"name":"Err","fields":[{"name":"code","type":"u8","max":1}]}]}}"#;
        let known = Known::told(&serde_json::from_str(told).expect("JSON")).expect("a name");
        assert_eq!((known.fingerprint, known.accepts.as_slice(), known.typed), (Some(255), &[10][..], true));
        let fields: Vec<_> = known.fields.iter().map(|field| (field.name.as_str(), field.size)).collect();
        assert_eq!(fields, [("port", 2), ("response Ok.memory", 0), ("response Err.code", 1)]);
        let raw = Known::told(&serde_json::json!({ "name": "echo" })).expect("a name");
        assert!(!raw.typed && raw.fingerprint.is_none());
        assert_eq!(Known::told(&serde_json::json!(7)), None);
    }
}
