//! Round trips, summed up.

use std::{collections::BTreeMap, fmt, time::Duration};

use mp_core::Name;
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::Show;

/// The round trips so far.
#[derive(Debug, Clone)]
pub(crate) struct Pings {
    name: Name,
    round_trips: Vec<Duration>,
    /// How many were lost, by outcome.
    losses: BTreeMap<&'static str, u64>,
}

impl Pings {
    pub(crate) fn new(name: Name) -> Self {
        Self { name, round_trips: Vec::new(), losses: BTreeMap::new() }
    }

    pub(crate) fn replied(&mut self, took: Duration) {
        self.round_trips.push(took);
    }

    pub(crate) fn lose(&mut self, outcome: &'static str) {
        *self.losses.entry(outcome).or_default() += 1;
    }

    pub(crate) fn sent(&self) -> u64 {
        self.round_trips.len() as u64 + self.lost()
    }

    pub(crate) fn lost(&self) -> u64 {
        self.losses.values().sum()
    }

    /// The fastest, the median, the 99th percentile and the slowest; `None` if all are lost.
    fn quantiles(&self) -> Option<[Duration; 4]> {
        let mut sorted = self.round_trips.clone();
        sorted.sort_unstable();
        // The nearest rank: the least that so many percent do not exceed.
        let at =
            |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Some([at(0)?, at(50)?, at(99)?, at(100)?])
    }
}

impl Show for Pings {}

impl Serialize for Pings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let quantiles = self.quantiles();
        let micros = |i: usize| quantiles.map(|quantiles| micros(quantiles[i]));
        let mut object = serializer.serialize_struct("Pings", 9)?;
        object.serialize_field("name", &self.name.to_string())?;
        object.serialize_field("sent", &self.sent())?;
        object.serialize_field("received", &self.round_trips.len())?;
        object.serialize_field("lost", &self.lost())?;
        object.serialize_field("losses", &self.losses)?;
        object.serialize_field("min_us", &micros(0))?;
        object.serialize_field("p50_us", &micros(1))?;
        object.serialize_field("p99_us", &micros(2))?;
        object.serialize_field("max_us", &micros(3))?;
        object.end()
    }
}

impl fmt::Display for Pings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let received = self.round_trips.len();
        write!(f, "{}: sent {}, received {received}, lost {}", self.name, self.sent(), self.lost())?;
        let losses: Vec<_> = self.losses.iter().map(|(word, count)| format!("{word} {count}")).collect();
        if !losses.is_empty() {
            write!(f, " ({})", losses.join(", "))?;
        }
        let Some(quantiles) = self.quantiles() else { return Ok(()) };
        let [min, p50, p99, max] = quantiles.map(micros);
        write!(f, "\nmin {min:.1} us, p50 {p50:.1} us, p99 {p99:.1} us, max {max:.1} us")
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pings(micros: impl Iterator<Item = u64>) -> Pings {
        let mut pings = Pings::new(Name::from_static("echo"));
        micros.for_each(|took| pings.replied(Duration::from_micros(took)));
        pings
    }

    #[test]
    fn quantiles_are_round_trips_that_there_were() {
        let of = |pings: Pings| pings.quantiles().map(|all| all.map(|took| took.as_micros()));
        assert_eq!(of(pings((1..=200).rev())), Some([1, 100, 198, 200]));
        assert_eq!(of(pings([7].into_iter())), Some([7, 7, 7, 7]));
        assert_eq!(of(pings([9, 2].into_iter())), Some([2, 2, 9, 9]));
        assert_eq!(of(pings([].into_iter())), None);
    }

    #[test]
    fn losses_are_counted_by_what_became_of_them() {
        let mut pings = pings([20, 30].into_iter());
        pings.lose("timed_out");
        pings.lose("gone");
        pings.lose("timed_out");
        assert_eq!(
            pings.to_string(),
            "echo: sent 5, received 2, lost 3 (gone 1, timed_out 2)\n\
             min 20.0 us, p50 20.0 us, p99 30.0 us, max 30.0 us"
        );
        assert_eq!(
            serde_json::to_string(&pings).expect("serializes"),
            r#"{"name":"echo","sent":5,"received":2,"lost":3,"losses":{"gone":1,"timed_out":2},"min_us":20.0,"p50_us":20.0,"p99_us":30.0,"max_us":30.0}"#
        );
    }

    #[test]
    fn without_a_reply_there_are_no_times() {
        let mut pings = pings([].into_iter());
        pings.lose("ignored");
        assert_eq!(pings.to_string(), "echo: sent 1, received 0, lost 1 (ignored 1)");
        assert!(serde_json::to_string(&pings).expect("serializes").contains(r#""p50_us":null"#));
    }
}
