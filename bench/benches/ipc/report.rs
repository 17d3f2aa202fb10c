//! Figures as they are found, and what is made of them.

use std::{collections::BTreeMap, fmt::Write};

use crate::samples::Ratio;

/// Everything a run has found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// By name, in the order of finding.
    figures: Vec<(String, f64)>,
    ratios: BTreeMap<String, Ratio>,
    sections: Vec<Section>,
    pub(crate) plots: Vec<Plot>,
}

/// Tables under a heading, for the document.
#[derive(Debug, Default)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    /// Markdown.
    pub(crate) text: String,
}

/// Lines through points, or bars beside each other.
#[derive(Debug)]
pub(crate) struct Plot {
    pub(crate) file: &'static str,
    pub(crate) title: &'static str,
    pub(crate) shape: Shape,
}

/// What a plot shows.
#[derive(Debug)]
pub(crate) enum Shape {
    /// For each label, one bar a series, in microseconds.
    Bars { series: Vec<String>, bars: Vec<(String, Vec<Option<f64>>)> },
    /// Each series a line through points, both axes logarithmic.
    Lines { x: &'static str, y: &'static str, lines: Vec<(String, Vec<(f64, f64)>)> },
}

impl Report {
    /// How many times as much one thing took as another.
    pub(crate) fn ratio(&mut self, name: impl Into<String>, ratio: Ratio) {
        let (name, (low, high)) = (name.into(), ratio.quartiles);
        println!("ratio {name} {:.3}   ({low:.3} to {high:.3})", ratio.value);
        self.figures.push((name.clone(), ratio.value));
        self.ratios.insert(name, ratio);
    }

    /// Something counted, or measured in the unit that its name ends with.
    pub(crate) fn count(&mut self, name: impl Into<String>, count: f64) {
        let name = name.into();
        println!("count {name} {}", Number(count));
        self.figures.push((name, count));
    }

    /// Something that could not be found, and why.
    pub(crate) fn missing(&mut self, name: &str, why: &str) {
        println!("missing {name}: {why}");
    }

    pub(crate) fn section(&mut self, title: &'static str, text: String) {
        println!("\n## {title}\n\n{text}");
        self.sections.push(Section { title, text });
    }

    pub(crate) fn sections(&self) -> &[Section] {
        &self.sections
    }

    pub(crate) fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(found, _)| found == name).map(|(_, value)| *value)
    }

    /// How far the rounds lay apart.
    pub(crate) fn quartiles(&self, name: &str) -> Option<(f64, f64)> {
        self.ratios.get(name).map(|ratio| ratio.quartiles)
    }
}

/// A number with as many digits as mean something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.abs() {
            100.0.. => write!(f, "{:.0}", self.0),
            10.0.. => write!(f, "{:.1}", self.0),
            _ => write!(f, "{:.2}", self.0),
        }
    }
}

/// A Markdown table.
#[derive(Debug)]
pub(crate) struct Table {
    text: String,
}

impl Table {
    pub(crate) fn new<'a>(columns: impl IntoIterator<Item = &'a str>) -> Self {
        let columns: Vec<_> = columns.into_iter().collect();
        let mut table = Self { text: String::new() };
        table.row(columns.iter().map(ToString::to_string));
        table.row(columns.iter().enumerate().map(|(i, _)| if i == 0 { "---" } else { "---:" }.to_owned()));
        table
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<_> = cells.into_iter().collect();
        writeln!(self.text, "| {} |", cells.join(" | ")).expect("a String takes everything");
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// A cell of nanoseconds as microseconds; a dash for none.
pub(crate) fn micros(nanoseconds: Option<f64>) -> String {
    nanoseconds.map_or_else(|| "-".to_owned(), |ns| Number(ns / 1000.0).to_string())
}
