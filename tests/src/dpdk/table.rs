//! The conformance document: what a run of the suite found out, as Markdown.

use std::{fmt, fs, path::Path, time::Duration};

/// What came of one thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The finding in words, the same on every run.
    pub finding: String,
    /// How long it took, which differs from run to run.
    pub took: Option<Duration>,
}

/// A titled table of findings.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its heading.
    pub title: String,
    /// What to know when reading it.
    pub introduction: String,
    /// The headings of its columns.
    pub columns: Vec<String>,
    /// The cells of each row, one for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// All that a run found out.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// What stands above the tables.
    pub preamble: String,
    /// Which DPDK it was found out of.
    pub of: String,
    /// The tables.
    pub tables: Vec<Table>,
}

impl Cell {
    /// A finding without a time.
    #[must_use]
    pub fn of(finding: impl Into<String>) -> Self {
        Self { finding: finding.into(), took: None }
    }

    /// A finding and how long it took.
    #[must_use]
    pub fn timed(finding: impl Into<String>, took: Duration) -> Self {
        Self { finding: finding.into(), took: Some(took) }
    }
}

/// Before which DPDK it was; what follows it is not compared.
const OF: &str = "The DPDK of that run is ";

/// Between a finding and its time; what follows it is not compared.
const BEFORE_TIME: &str = " · ";

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finding)?;
        let Some(took) = self.took else { return Ok(()) };
        let ms = took.as_secs_f64() * 1000.0;
        match ms {
            1000.0.. => write!(f, "{BEFORE_TIME}{:.1} s", ms / 1000.0),
            10.0.. => write!(f, "{BEFORE_TIME}{ms:.0} ms"),
            1.0.. => write!(f, "{BEFORE_TIME}{ms:.1} ms"),
            _ => write!(f, "{BEFORE_TIME}{:.0} µs", ms * 1000.0),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n", self.title, self.introduction)?;
        write_row(f, &self.columns)?;
        write_row(f, &vec!["---"; self.columns.len()])?;
        self.rows.iter().try_for_each(|row| write_row(f, row))
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, cells: &[impl fmt::Display]) -> fmt::Result {
    f.write_str("|")?;
    cells.iter().try_for_each(|cell| write!(f, " {cell} |"))?;
    f.write_str("\n")
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{OF}{}.", self.preamble, self.of)?;
        self.tables.iter().try_for_each(|table| write!(f, "\n{table}"))
    }
}

impl Document {
    /// Compares this run's findings with those in `path`; where they differ, this run's are written there.
    ///
    /// Times are left out of the comparison, and so is which DPDK it was: a run that found nothing new leaves the file
    /// as it is.
    ///
    /// # Panics
    /// If they differ, so that nobody misses it.
    pub fn settle(&self, path: &Path) {
        let new = self.to_string();
        let old = fs::read_to_string(path).unwrap_or_default();
        if compared(&old) != compared(&new) {
            if let Some(directory) = path.parent() {
                fs::create_dir_all(directory).expect("the document's directory can be made");
            }
            fs::write(path, &new).expect("the document can be written");
            panic!(
                "{} differed from what this run found, and has been rewritten: look at the change",
                path.display()
            );
        }
    }
}

fn compared(text: &str) -> String {
    let cell = |cell: &str| cell.split(BEFORE_TIME).next().unwrap_or(cell).trim().to_owned();
    let row = |line: &str| line.split('|').map(cell).collect::<Vec<_>>().join("|");
    let line = |line: &str| match line.chars().next() {
        Some('|') => row(line),
        _ => line.split_inclusive(OF).next().unwrap_or(line).to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(finding: &str, took: u64) -> Document {
        Document {
            preamble: "# Found\n".to_owned(),
            of: format!("{took}.11"),
            tables: vec![Table {
                title: "One".to_owned(),
                introduction: "Two.".to_owned(),
                columns: vec!["tried".to_owned(), "found".to_owned()],
                rows: vec![vec![Cell::of("it"), Cell::timed(finding, Duration::from_micros(took))]],
            }],
        }
    }

    #[test]
    fn it_is_markdown() {
        assert_eq!(
            document("works", 1234).to_string(),
            "# Found\n\nThe DPDK of that run is 1234.11.\n\n## One\n\nTwo.\n\n| tried | found |\n| --- | --- |\n| it | works · 1.2 ms |\n"
        );
    }

    #[test]
    fn times_and_versions_may_differ_and_findings_may_not() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("docs/found.md");
        let settle = |document: Document| std::panic::catch_unwind(|| document.settle(&path)).is_ok();
        assert!(!settle(document("works", 10)));
        assert!(settle(document("works", 2_000_000)));
        assert!(!settle(document("fails", 10)));
        assert!(settle(document("fails", 11)));
    }
}
