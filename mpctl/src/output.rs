//! The standard output.

use std::{
    env,
    ffi::OsStr,
    io::{self, IsTerminal, Write},
};

use crate::show::{Row, Show, Tint, plain};

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// For a reader.
    Text,
    /// For a reader at a terminal.
    Colour,
    /// One JSON object per line.
    Json,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self::choose(json, io::stdout().is_terminal(), env::var_os("NO_COLOR").as_deref())
    }

    /// Any value of `NO_COLOR` but the empty one says no (<https://no-color.org>).
    fn choose(json: bool, is_terminal: bool, no_color: Option<&OsStr>) -> Self {
        match (json, is_terminal && no_color.is_none_or(OsStr::is_empty)) {
            (true, _) => Self::Json,
            (false, true) => Self::Colour,
            (false, false) => Self::Text,
        }
    }

    /// Prints all of it at once, so that whoever waits for a line has it.
    pub(crate) fn print(self, item: &impl Show) -> io::Result<()> {
        match self {
            Self::Text => write(item.to_string()),
            Self::Colour => write(format!("{item:#}")),
            Self::Json => write(serde_json::to_string(item)?),
        }
    }

    /// Prints rows: a table with a header, or an object for each.
    pub(crate) fn table<R: Row>(self, rows: &[R]) -> io::Result<()> {
        if self == Self::Json {
            return rows.iter().try_for_each(|row| write(serde_json::to_string(row)?));
        }
        let lines = columns(R::HEADER, &rows.iter().map(Row::cells).collect::<Vec<_>>());
        let tints = std::iter::once(Some(Tint::Faint)).chain(rows.iter().map(Row::tint));
        let tinted = lines.iter().zip(tints).map(|(line, tint)| match tint {
            Some(tint) if self == Self::Colour => tint.of(line),
            _ => line.clone(),
        });
        write(tinted.collect::<Vec<_>>().join("\n"))
    }
}

fn write(mut text: String) -> io::Result<()> {
    text.push('\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Lines of cells, each column as wide as its widest cell, but for the last.
fn columns(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let mut lines: Vec<Vec<String>> = vec![header.iter().map(ToString::to_string).collect()];
    lines.extend(rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()));
    let width = |column: usize| lines.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..header.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["1", "é", ""], ["1000", "b", "the\x1blast"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            columns(&["PID", "ROLE", "COMMAND"], &rows),
            ["PID   ROLE  COMMAND", "1     é", "1000  b     the\\u{1b}last"]
        );
    }

    #[test]
    fn colour_is_for_a_terminal_whose_user_has_nothing_against_it() {
        let [none, empty, set] = [None, Some(OsStr::new("")), Some(OsStr::new("1"))];
        assert_eq!(Output::choose(false, true, none), Output::Colour);
        assert_eq!(Output::choose(false, true, empty), Output::Colour);
        assert_eq!(Output::choose(false, true, set), Output::Text);
        assert_eq!(Output::choose(false, false, none), Output::Text);
        assert_eq!(Output::choose(true, true, none), Output::Json);
    }
}
