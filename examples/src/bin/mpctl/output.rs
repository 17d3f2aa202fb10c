//! The standard output.

use std::io::{self, Write};

use crate::show::Show;

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Output {
    /// For a reader.
    Text,
    /// One JSON object per line.
    Json,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }

    /// Prints all of it at once, so that whoever waits for a line has it.
    pub(crate) fn print(self, item: &impl Show) -> io::Result<()> {
        let mut text = match self {
            Self::Text => item.to_string(),
            Self::Json => serde_json::to_string(item)?,
        };
        text.push('\n');
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}
