//! Histograms of times with three significant digits, which can be joined without loss.

use std::error::Error;
use std::io::Read as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{
    Deserializer as HdrReader, Serializer as _, V2DeflateSerializer, V2Serializer,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The range of a histogram in nanoseconds: from one microsecond to one hour.
const LEAST: u64 = 1_000;
const MOST: u64 = 3_600_000_000_000;
const DIGITS: u8 = 3;

/// The histograms of a load, in nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyHistograms {
    /// From when a delivery was due to its 2xx response, or to its timeout. At the rate `max`,
    /// nothing is due, so it counts from when the request was sent.
    #[serde(with = "encoded")]
    #[schemars(with = "String")]
    pub latency: Histogram<u64>,
    /// The same, counted from when the request was sent.
    #[serde(with = "encoded")]
    #[schemars(with = "String")]
    pub service: Histogram<u64>,
    /// From when an attempt was due to when it started: how late the sender was, because all
    /// connections or the machine were busy.
    #[serde(with = "encoded")]
    #[schemars(with = "String")]
    pub lateness: Histogram<u64>,
}

impl Default for LatencyHistograms {
    fn default() -> Self {
        Self {
            latency: empty(),
            service: empty(),
            lateness: empty(),
        }
    }
}

fn empty() -> Histogram<u64> {
    match Histogram::new_with_bounds(LEAST, MOST, DIGITS) {
        Ok(histogram) => histogram,
        Err(_) => unreachable!("the bounds are constants that fit together"),
    }
}

/// Records a time. Longer than an hour counts as an hour.
pub(super) fn record(histogram: &mut Histogram<u64>, time: Duration) {
    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    histogram.saturating_record(nanoseconds);
}

impl LatencyHistograms {
    /// Adds another sender's histograms. Returns false if their bounds are incompatible.
    #[must_use]
    pub fn add(&mut self, other: &Self) -> bool {
        let pairs = [
            (&mut self.latency, &other.latency),
            (&mut self.service, &other.service),
            (&mut self.lateness, &other.lateness),
        ];
        pairs.into_iter().all(|(own, other)| own.add(other).is_ok())
    }
}

/// The usual percentiles of a histogram, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Percentiles {
    /// The number of values.
    pub count: u64,
    /// The minimum.
    pub min_us: f64,
    /// The mean.
    pub mean_us: f64,
    /// The 50th percentile.
    pub p50_us: f64,
    /// The 75th percentile.
    pub p75_us: f64,
    /// The 90th percentile.
    pub p90_us: f64,
    /// The 95th percentile.
    pub p95_us: f64,
    /// The 99th percentile.
    pub p99_us: f64,
    /// The 99.9th percentile.
    pub p999_us: f64,
    /// The 99.99th percentile.
    pub p9999_us: f64,
    /// The maximum.
    pub max_us: f64,
}

impl Percentiles {
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| microseconds(histogram.value_at_quantile(quantile));
        Self {
            count: histogram.len(),
            min_us: microseconds(histogram.min()),
            mean_us: (histogram.mean() / 10.0).round() / 100.0,
            p50_us: at(0.5),
            p75_us: at(0.75),
            p90_us: at(0.9),
            p95_us: at(0.95),
            p99_us: at(0.99),
            p999_us: at(0.999),
            p9999_us: at(0.9999),
            max_us: microseconds(histogram.max()),
        }
    }
}

/// Converts to microseconds, rounded to two decimal places.
#[expect(
    clippy::cast_precision_loss,
    reason = "at most an hour, in tens of nanoseconds"
)]
fn microseconds(nanoseconds: u64) -> f64 {
    (nanoseconds as f64 / 10.0).round() / 100.0
}

/// Formats a duration with about three significant digits.
pub(crate) fn time_text(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 0.01 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds >= 0.001 {
        format!("{:.2} ms", seconds * 1e3)
    } else {
        format!("{:.0} µs", seconds * 1e6)
    }
}

/// A histogram in the compressed V2 format of `HdrHistogram`, serialized as base64. An empty histogram
/// has no bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PackedHistogram(Vec<u8>);

impl From<PackedHistogram> for String {
    fn from(packed: PackedHistogram) -> Self {
        STANDARD.encode(packed.0)
    }
}

impl TryFrom<String> for PackedHistogram {
    type Error = Box<dyn Error>;

    fn try_from(text: String) -> Result<Self, Box<dyn Error>> {
        let histogram = unpacked(&STANDARD.decode(text)?)?;
        Ok(Self::of(&histogram))
    }
}

impl PackedHistogram {
    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        Self(packed(histogram))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn unpack(&self) -> Histogram<u64> {
        // Invalid bytes were refused during deserialization.
        unpacked(&self.0).unwrap_or_else(|_| empty())
    }

    pub(super) fn add(&mut self, other: &Self) {
        if self.is_empty() {
            self.0.clone_from(&other.0);
        } else if !other.is_empty() {
            let mut sum = self.unpack();
            // All histograms have the same bounds.
            let _ = sum.add(other.unpack());
            *self = Self::of(&sum);
        }
    }

    /// Quantiles in microseconds; `None` if the histogram is empty.
    pub(super) fn quantiles_us<const COUNT: usize>(
        &self,
        quantiles: [f64; COUNT],
    ) -> Option<[f64; COUNT]> {
        let histogram = (!self.is_empty()).then(|| self.unpack())?;
        Some(quantiles.map(|quantile| microseconds(histogram.value_at_quantile(quantile))))
    }
}

fn packed(histogram: &Histogram<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory does not fail, and the format can represent these bounds.
    let _ = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
    bytes
}

fn unpacked(bytes: &[u8]) -> Result<Histogram<u64>, Box<dyn Error>> {
    // All histograms get the same bounds, so that the order of additions does not matter.
    let mut histogram = empty();
    if !bytes.is_empty() {
        let inner = decompressed(bytes)?;
        let read: Histogram<u64> = HdrReader::new().deserialize(&mut &*inner)?;
        histogram.add(read)?;
    }
    Ok(histogram)
}

/// The uncompressed format of a histogram with our bounds. The library's reader would make room for any
/// bounds and for any length that the bytes name.
fn decompressed(bytes: &[u8]) -> Result<Vec<u8>, UnusableHistogram> {
    /// Much more than all counts take.
    const LIMIT: u64 = 1024 * 1024;
    /// The cookie, the length of the counts, and the rest of the head.
    const HEAD: [usize; 3] = [4, 4, 32];
    /// The smallest number, which the reader can't negate.
    const SMALLEST: [u8; 9] = [0xff; 9];
    let compressed = bytes.get(HEAD[0] + HEAD[1]..).ok_or(UnusableHistogram)?;
    let mut inner = Vec::new();
    let read = ZlibDecoder::new(compressed)
        .take(LIMIT)
        .read_to_end(&mut inner);
    read.map_err(|_| UnusableHistogram)?;
    let mut own = Vec::new();
    let _ = V2Serializer::new().serialize(&empty(), &mut own);
    let parts = |all: &[u8]| {
        let (_cookie, rest) = all.split_first_chunk::<{ HEAD[0] }>()?;
        let (length, rest) = rest.split_first_chunk::<{ HEAD[1] }>()?;
        let (bounds, counts) = rest.split_first_chunk::<{ HEAD[2] }>()?;
        let is_whole = u64::from(u32::from_be_bytes(*length)) == counts.len() as u64;
        let is_valid = counts
            .windows(SMALLEST.len())
            .all(|count| count != SMALLEST);
        (is_whole && is_valid).then_some(*bounds)
    };
    let usable = parts(&inner).is_some() && parts(&inner) == parts(&own);
    usable.then_some(inner).ok_or(UnusableHistogram)
}

#[derive(Debug, thiserror::Error)]
#[error("it has a histogram that is damaged, or not one of a load")]
struct UnusableHistogram;

/// Serializes a histogram as base64 of the compressed V2 format, even if it is empty.
mod encoded {
    use super::{
        Deserialize, Deserializer, Histogram, PackedHistogram, Serialize, Serializer, packed,
    };

    pub(super) fn serialize<S: Serializer>(
        histogram: &Histogram<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        PackedHistogram(packed(histogram)).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Histogram<u64>, D::Error> {
        PackedHistogram::deserialize(deserializer).map(|packed| packed.unpack())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn measured(nanoseconds: &[u64]) -> LatencyHistograms {
        let mut latencies = LatencyHistograms::default();
        for time in nanoseconds {
            record(&mut latencies.latency, Duration::from_nanos(*time));
        }
        latencies
    }

    #[test]
    fn percentiles_match_the_values() {
        let times: Vec<u64> = (1..=1000).map(|number| number * 1_000_000).collect();
        let measurements = Percentiles::of(&measured(&times).latency);
        assert_eq!(measurements.count, 1000);
        for (figure, milliseconds) in [
            (measurements.p50_us, 500.0),
            (measurements.p99_us, 990.0),
            (measurements.max_us, 1000.0),
        ] {
            let error = (figure / 1000.0 / milliseconds - 1.0_f64).abs();
            assert!(error < 0.001, "{figure} is not {milliseconds} ms");
        }
        assert_eq!(
            Percentiles::of(&empty()).max_us.to_bits(),
            0.0_f64.to_bits()
        );
    }

    #[test]
    fn times_outside_the_bounds_are_counted() {
        let latencies = measured(&[0, u64::MAX]);
        assert_eq!(latencies.latency.len(), 2);
    }

    #[test]
    fn a_histogram_of_other_bounds_or_of_another_length_is_refused() {
        let refused = |bytes: &[u8]| unpacked(bytes).is_err();
        let ours = packed(&measured(&[7_000]).latency);
        assert!(!refused(&ours) && refused(&ours[..ours.len() - 1]) && refused(b"x"));
        let wider: Histogram<u64> = Histogram::new_with_bounds(1, u64::MAX, 5).expect("bounds");
        assert!(refused(&packed(&wider)));
        let (_, compressed) = ours.split_at(8);
        let mut inner = Vec::new();
        let read = ZlibDecoder::new(compressed).read_to_end(&mut inner);
        read.expect("decompressed");
        for (at, byte) in [(4, 0xff), (16, 9), (39, 1)] {
            let mut changed = inner.clone();
            changed[at] = byte;
            let zlib = Vec::new();
            let mut zlib = flate2::write::ZlibEncoder::new(zlib, flate2::Compression::fast());
            zlib.write_all(&changed).expect("compressed");
            let zlib = zlib.finish().expect("compressed");
            let length = u32::try_from(zlib.len()).expect("short").to_be_bytes();
            assert!(refused(&[&ours[..4], &length, &zlib].concat()), "{at}");
        }
    }

    proptest! {
        #[test]
        fn joining_equals_measuring_in_one_place(
            one: Vec<u64>,
            other: Vec<u64>,
        ) {
            let mut joined = measured(&one);
            prop_assert!(joined.add(&measured(&other)));
            let whole = measured(&[one, other].concat());
            prop_assert_eq!(&joined, &whole);
            let text = serde_json::to_string(&joined).expect("JSON");
            let read: LatencyHistograms = serde_json::from_str(&text).expect("reads back");
            prop_assert_eq!(Percentiles::of(&read.latency), Percentiles::of(&whole.latency));
            prop_assert_eq!(read.latency, whole.latency);
        }
    }
}
