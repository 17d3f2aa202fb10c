//! What became of a datagram that was sent again.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{Show, Tint, hex, plain};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Replayed {
    name: String,
    kind: &'static str,
    outcome: &'static str,
    /// The answer.
    hex: Option<String>,
    /// Whether it is the one that was recorded; `None` if none was.
    same: Option<bool>,
    took_us: Option<f64>,
    recorded_us: Option<f64>,
}

impl Replayed {
    /// A one-way message.
    pub(crate) fn sent(name: &str) -> Self {
        let (name, kind, outcome) = (name.to_owned(), "message", "sent");
        Self { name, kind, outcome, hex: None, same: None, took_us: None, recorded_us: None }
    }

    /// A request; of what was recorded, whether it was a reply, and its payload.
    pub(crate) fn answered(
        name: &str,
        outcome: &'static str,
        answer: Option<Vec<u8>>,
        took: Duration,
        recorded: Option<(bool, &str)>,
        recorded_us: Option<f64>,
    ) -> Self {
        let hex = answer.as_deref().map(hex);
        let same = recorded.map(|(replied, payload)| match &hex {
            Some(hex) => replied && hex == payload,
            None => !replied && outcome == "ignored",
        });
        let took_us = Some(took.as_nanos() as f64 / 1000.0);
        Self { name: name.to_owned(), kind: "request", outcome, hex, same, took_us, recorded_us }
    }

    /// Whether it was sent, and answered if it wants an answer.
    pub(crate) fn is_well(&self) -> bool {
        matches!(self.outcome, "sent" | "replied")
    }
}

impl Show for Replayed {}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, outcome, same, took_us, recorded_us, .. } = self;
        let line = format!("{kind} {} {outcome}", plain(name));
        f.write_str(&if self.is_well() { line } else { Tint::Bad.on(f, &line) })?;
        if let Some(took) = took_us {
            write!(f, " after {took:.1} us")?;
        }
        if let Some(recorded) = recorded_us {
            write!(f, " ({recorded:.1} us when it was recorded)")?;
        }
        match same {
            Some(true) => f.write_str(", answered as then"),
            Some(false) => f.write_str(&Tint::Odd.on(f, ", answered otherwise than then")),
            None => Ok(()),
        }
    }
}
