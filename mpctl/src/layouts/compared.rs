//! One definition against what a member tells.

use std::fmt;

use serde::Serialize;

use super::Known;
use crate::{
    monitor::Party,
    show::{Show, Tint, plain},
};

/// What a member has under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// The same definition.
    Same,
    /// Another one, which takes this one, too.
    Accepts,
    Other,
    /// An action that takes bytes, of which it tells no type.
    Untyped,
    /// No member has it.
    Nobody,
}

/// A definition, and what became of it in a member.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Compared {
    name: String,
    pub(crate) verdict: Verdict,
    /// `None` if it is nobody's.
    member: Option<Party>,
    /// Fingerprints: of the file, and of the member.
    file: Option<String>,
    there: Option<String>,
    /// In which fields they differ, as far as that is told.
    differs: Vec<String>,
}

/// Judges a definition of the file by what a member tells of the same name.
pub(crate) fn compare(file: &Known, there: &Known, member: Party) -> Compared {
    let hex = |fingerprint: Option<u64>| fingerprint.map(|fingerprint| format!("{fingerprint:016x}"));
    let differs = if there.typed { differences(file, there) } else { Vec::new() };
    let verdict = match (file.fingerprint, there.fingerprint) {
        _ if !there.typed => Verdict::Untyped,
        (Some(own), Some(other)) if own == other => Verdict::Same,
        (Some(own), Some(_)) if there.accepts.contains(&own) => Verdict::Accepts,
        (Some(_), Some(_)) => Verdict::Other,
        // Where one has no fingerprint, what is told of the fields has to do.
        _ if differs.is_empty() => Verdict::Same,
        _ => Verdict::Other,
    };
    let (file_print, there_print) = (hex(file.fingerprint), hex(there.fingerprint));
    let differs = if verdict == Verdict::Same { Vec::new() } else { differs };
    Compared {
        name: file.name.clone(),
        verdict,
        member: Some(member),
        file: file_print,
        there: there_print,
        differs,
    }
}

fn differences(file: &Known, there: &Known) -> Vec<String> {
    let mut differs = Vec::new();
    if !there.kind.is_empty() && file.kind != there.kind {
        differs.push(format!("a {} in the file, a {} there", file.kind, there.kind));
    }
    let of = |known: &Known, name: &str| {
        known.fields.iter().find(|field| field.name == name).map(|field| field.size)
    };
    for field in &file.fields {
        match of(there, &field.name) {
            None => differs.push(format!("{} is only in the file", field.name)),
            Some(size) if size != field.size => {
                differs.push(format!("{} has {} B in the file, {size} B there", field.name, field.size));
            }
            Some(_) => {}
        }
    }
    let new = there.fields.iter().filter(|field| of(file, &field.name).is_none());
    differs.extend(new.map(|field| format!("{} is only there", field.name)));
    let order = |known: &Known| known.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
    if differs.is_empty() && order(file) != order(there) {
        differs.push("the order of fields".to_owned());
    }
    differs
}

impl Compared {
    /// One that no member has.
    pub(crate) fn nobodys(file: &Known) -> Self {
        let fingerprint = file.fingerprint.map(|fingerprint| format!("{fingerprint:016x}"));
        let (name, verdict) = (file.name.clone(), Verdict::Nobody);
        Self { name, verdict, member: None, file: fingerprint, there: None, differs: Vec::new() }
    }
}

impl Show for Compared {}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = plain(&self.name);
        let who = self.member.as_ref().map(Party::full).unwrap_or_default();
        let none = || "none".to_owned();
        let (file, there) = (self.file.clone().unwrap_or_else(none), self.there.clone().unwrap_or_else(none));
        match self.verdict {
            Verdict::Same => write!(f, "{name}: {who} has the same definition"),
            Verdict::Accepts => {
                write!(f, "{name}: {who} has another definition, {there}, and accepts {file}")
            }
            Verdict::Untyped => write!(f, "{name}: {who} takes bytes, of which it tells no type"),
            Verdict::Nobody => write!(f, "{name}: no member has it"),
            Verdict::Other => {
                let head = format!("{name}: {who} has ANOTHER definition");
                write!(f, "{}, {there}, not {file}", Tint::Bad.on(f, &head))?;
                match &self.differs[..] {
                    [] => f.write_str(": the types of fields of the same names and sizes"),
                    differs => write!(f, ": {}", plain(&differs.join(", "))),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Field, *};

    fn known(fingerprint: u64, fields: &[(&str, u64)]) -> Known {
        let fields = fields.iter().map(|(name, size)| Field { name: (*name).into(), size: *size }).collect();
        let fingerprint = (fingerprint != 0).then_some(fingerprint);
        Known {
            kind: "request".into(),
            name: "open".into(),
            fingerprint,
            typed: true,
            fields,
            ..Known::default()
        }
    }

    fn judged(file: &Known, there: &Known) -> (Verdict, Vec<String>) {
        let compared = compare(file, there, Party::default());
        (compared.verdict, compared.differs)
    }

    #[test]
    fn fingerprints_decide_and_fields_explain() {
        let file = known(1, &[("port", 2), ("label", 8)]);
        assert_eq!(judged(&file, &file).0, Verdict::Same);
        let wider = known(2, &[("port", 4), ("tag", 1)]);
        let (verdict, differs) = judged(&file, &wider);
        assert_eq!(verdict, Verdict::Other);
        assert_eq!(
            differs,
            ["port has 2 B in the file, 4 B there", "label is only in the file", "tag is only there"]
        );
        assert_eq!(judged(&file, &Known { accepts: vec![1], ..wider }).0, Verdict::Accepts);
        let swapped = known(3, &[("label", 8), ("port", 2)]);
        assert_eq!(judged(&file, &swapped), (Verdict::Other, vec!["the order of fields".to_owned()]));
        assert_eq!(judged(&file, &known(3, &[("port", 2), ("label", 8)])), (Verdict::Other, vec![]));
    }

    #[test]
    fn without_fingerprints_the_fields_decide() {
        let file = known(0, &[("port", 2)]);
        assert_eq!(judged(&file, &known(0, &[("port", 2)])).0, Verdict::Same);
        assert_eq!(judged(&file, &known(0, &[("port", 4)])).0, Verdict::Other);
        assert_eq!(judged(&file, &Known { name: "open".into(), ..Known::default() }).0, Verdict::Untyped);
    }
}
