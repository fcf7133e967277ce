//! Writes the histograms of a load as a log for `HdrHistogram` tools.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use super::time_series::TimeSeries;

/// Writes a line for each interval and histogram, tagged `latency`, `service` or `lateness`.
///
/// Values are in nanoseconds, the maximum of a line in milliseconds.
pub(crate) fn write_hdr_log(
    over_time: &TimeSeries,
    began: SystemTime,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .with_base_time(began)
        .with_start_time(began)
        .with_max_value_divisor(1e6)
        .begin_log_with(out, &mut serializer)?;
    let length = Duration::from_secs(over_time.interval_seconds);
    let mut start = Duration::ZERO;
    for interval in &over_time.intervals {
        for (name, packed) in [
            ("latency", &interval.latency),
            ("service", &interval.service),
            ("lateness", &interval.lateness),
        ] {
            log.write_histogram(&packed.unpack(), start, length, Tag::new(name))
                .map_err(|error| io::Error::other(format!("{error:?}")))?;
        }
        start = start.saturating_add(length);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::super::latency_histograms::{LatencyHistograms, record};
    use super::super::time_series::Interval;
    use super::*;

    #[test]
    fn the_log_reads_back_interval_by_interval() {
        let mut over_time = TimeSeries::default();
        for (second, milliseconds) in [(0, 5), (2, 7)] {
            let mut latencies = LatencyHistograms::default();
            record(&mut latencies.latency, Duration::from_millis(milliseconds));
            let mut interval = Interval::default();
            interval.pack(&latencies);
            over_time.add_second(second, &interval);
        }
        let began = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        let mut log = Vec::new();
        write_hdr_log(&over_time, began, &mut log).expect("written");
        let mut read = Vec::new();
        for entry in IntervalLogIterator::new(&log) {
            let LogEntry::Interval(interval) = entry.expect("an entry") else {
                continue;
            };
            let bytes = STANDARD
                .decode(interval.encoded_histogram())
                .expect("base64");
            let histogram: Histogram<u64> = Deserializer::new()
                .deserialize(&mut bytes.as_slice())
                .expect("a histogram");
            let tag = interval.tag().map(|tag| tag.as_str().to_owned());
            let start = interval.start_timestamp().as_secs();
            assert_eq!(interval.duration(), Duration::from_secs(1));
            read.push((start, tag.expect("a tag"), histogram.len()));
        }
        let expected: Vec<_> = [(0, 1), (1, 0), (2, 1)]
            .into_iter()
            .flat_map(|(start, count)| {
                [("latency", count), ("service", 0), ("lateness", 0)]
                    .map(|(tag, count)| (start, tag.to_owned(), count))
            })
            .collect();
        assert_eq!(read, expected);
    }
}
