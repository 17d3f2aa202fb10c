//! The standard output.

use std::io::{self, Write};

use crate::show::{Row, Show, plain};

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
        match self {
            Self::Text => write(item.to_string()),
            Self::Json => write(serde_json::to_string(item)?),
        }
    }

    /// Prints rows: a table with a header, or an object for each.
    pub(crate) fn table<R: Row>(self, rows: &[R]) -> io::Result<()> {
        match self {
            Self::Text => write(columns(R::HEADER, &rows.iter().map(Row::cells).collect::<Vec<_>>())),
            Self::Json => rows.iter().try_for_each(|row| write(serde_json::to_string(row)?)),
        }
    }
}

fn write(mut text: String) -> io::Result<()> {
    text.push('\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Lines of cells, each column as wide as its widest cell, but for the last.
fn columns(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut lines: Vec<Vec<String>> = vec![header.iter().map(ToString::to_string).collect()];
    lines.extend(rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()));
    let width = |column: usize| lines.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..header.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["1", "é", ""], ["1000", "b", "the\x1blast"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            columns(&["PID", "ROLE", "COMMAND"], &rows),
            "PID   ROLE  COMMAND\n1     é\n1000  b     the\\u{1b}last"
        );
    }
}
