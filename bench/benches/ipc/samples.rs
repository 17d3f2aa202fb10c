//! From single times to figures.

/// How long something took, in nanoseconds: half of the times at most `p50`, and so on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

impl Quantiles {
    /// # Panics
    ///
    /// Without any times.
    pub(crate) fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let at = |part: f64| times[((times.len() - 1) as f64 * part).round() as usize] as f64;
        Self { p50: at(0.50), p99: at(0.99), p999: at(0.999) }
    }
}

/// # Panics
///
/// Without any values.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(values, 0.5)
}

fn quantile(values: impl IntoIterator<Item = f64>, part: f64) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let at = (values.len() - 1) as f64 * part;
    let (low, high) = (values[at.floor() as usize], values[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

/// How many times as much one thing took as another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio {
    pub(crate) value: f64,
    /// The quartiles of the rounds' ratios.
    pub(crate) quartiles: (f64, f64),
}

impl Ratio {
    /// Of figures taken in the same rounds: the median of the rounds' ratios, so
    /// that what slows down a whole round does not count.
    pub(crate) fn by_round(one: &[f64], other: &[f64]) -> Self {
        let ratios = || one.iter().zip(other).map(|(one, other)| one / other);
        Self { value: median(ratios()), quartiles: (quantile(ratios(), 0.25), quantile(ratios(), 0.75)) }
    }
}
