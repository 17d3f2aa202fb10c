//! Plots as SVG.

use std::{error::Error, io, path::Path};

use plotters::prelude::*;

use crate::report::{Plot, Shape};

const WIDTH: u32 = 960;
const COLOURS: [RGBColor; 3] = [RGBColor(70, 110, 160), RGBColor(220, 130, 50), RGBColor(90, 150, 80)];

/// # Errors
///
/// If the file cannot be written.
pub(crate) fn draw(plot: &Plot, file: &Path) -> io::Result<()> {
    match &plot.shape {
        Shape::Bars { series, bars } => draw_bars(plot.title, series, bars, file),
        Shape::Lines { x, y, lines } => draw_lines(plot.title, x, y, lines, file),
    }
    .map_err(|error| io::Error::other(error.to_string()))
}

/// Lying bars, with their labels at the left and their values at the end.
fn draw_bars(
    title: &str,
    series: &[String],
    bars: &[(String, Vec<Option<f64>>)],
    file: &Path,
) -> Result<(), Box<dyn Error>> {
    let group = series.len() as i32 + 1;
    let rows = bars.len() as i32 * group;
    let area = SVGBackend::new(file, (WIDTH, 90 + 14 * rows as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let longest = bars.iter().flat_map(|(_, bars)| bars).flatten().copied().fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 20))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(270)
        .build_cartesian_2d(0.0..longest * 1.1, -rows..0)?;
    chart.configure_mesh().disable_y_mesh().disable_y_axis().x_desc("µs").draw()?;
    for (at, name) in series.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let row = |label: usize| -(label as i32 * group + at as i32);
        let found = bars.iter().enumerate().filter_map(|(label, (_, bars))| Some((label, bars[at]?)));
        let rectangles = found.clone().map(|(label, value)| {
            Rectangle::new([(0.0, row(label) - 1), (value, row(label))], colour.filled())
        });
        chart
            .draw_series(rectangles)?
            .label(name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
        let values = found.map(|(label, value)| {
            EmptyElement::at((value, row(label)))
                + Text::new(format!("{value:.1}"), (4, 1), ("sans-serif", 11))
        });
        chart.draw_series(values)?;
    }
    let names = bars.iter().enumerate().map(|(label, (name, _))| {
        EmptyElement::at((0.0, -(label as i32 * group)))
            + Text::new(name.clone(), (-265, 8), ("sans-serif", 15))
    });
    chart.draw_series(names)?;
    legend(&mut chart)?;
    area.present()?;
    Ok(())
}

/// Lines with both axes logarithmic.
fn draw_lines(
    title: &str,
    x: &str,
    y: &str,
    lines: &[(String, Vec<(f64, f64)>)],
    file: &Path,
) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, (WIDTH, 480)).into_drawing_area();
    area.fill(&WHITE)?;
    let points = || lines.iter().flat_map(|(_, points)| points).copied();
    let most = |of: fn((f64, f64)) -> f64| points().map(of).fold(1.0, f64::max);
    let least = |of: fn((f64, f64)) -> f64| points().map(of).fold(f64::INFINITY, f64::min);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 20))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(
            (least(|p| p.0)..most(|p| p.0) * 1.1).log_scale(),
            (least(|p| p.1) * 0.8..most(|p| p.1) * 1.3).log_scale(),
        )?;
    chart.configure_mesh().x_desc(x).y_desc(y).draw()?;
    for (at, (name, points)) in lines.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3);
        chart
            .draw_series(line)?
            .label(name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 2), (x + 12, y + 2)], colour.filled()));
    }
    legend(&mut chart)?;
    area.present()?;
    Ok(())
}

fn legend<'a, B, C>(chart: &mut ChartContext<'a, B, C>) -> Result<(), Box<dyn Error>>
where
    B: DrawingBackend<ErrorType: 'static> + 'a,
    C: CoordTranslate,
{
    let mut labels = chart.configure_series_labels();
    labels.position(SeriesLabelPosition::LowerRight).background_style(WHITE.mix(0.8)).border_style(BLACK);
    Ok(labels.draw()?)
}
