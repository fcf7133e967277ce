//! Reads the histogram log of a load with `HdrHistogram`'s own `HistogramLogProcessor` in Java. It
//! must read the same numbers as in our report, for each second and in total.

use super::*;

/// The path in Debian's package libhdrhistogram-java; the environment variable overrides it.
const JAR: &str = "/usr/share/java/hdrhistogram.jar";
const JAR_VARIABLE: &str = "AGHOOK_HDRHISTOGRAM_JAR";

/// A line of the processor's log: `1.000: I:500 ( 50% 90% Max ) T:500 ( 50% 90% 99% 99.9% 99.99% Max )`.
struct ProcessorLine {
    /// The end of the interval in seconds.
    ends: f64,
    count: u64,
    p50: f64,
    total_count: u64,
    totals: Vec<f64>,
}

/// The processor's output for one histogram, in nanoseconds.
fn read_in_java(folder: &Folder, tag: &str) -> Vec<ProcessorLine> {
    let jar = std::env::var(JAR_VARIABLE).unwrap_or_else(|_| JAR.to_owned());
    let run = Command::new("java")
        .current_dir(folder.root())
        .args(["-cp", &jar, "org.HdrHistogram.HistogramLogProcessor"])
        .args(["-i", "load.hlog", "-tag", tag, "-o", "read"])
        .args(["-outputValueUnitRatio", "1"])
        .output()
        .expect("Java runs");
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && errors.is_empty(), "{errors}");
    let text = folder.read("read");
    let lines = text.lines().filter(|line| line.contains(": I:"));
    lines.map(|line| read_line(line).expect(line)).collect()
}

fn read_line(line: &str) -> Option<ProcessorLine> {
    let (ends, rest) = line.split_once(": I:")?;
    let (interval, total) = rest.split_once(" T:")?;
    let (count, values) = interval.split_once(" ( ")?;
    let (total_count, totals) = total.split_once(" ( ")?;
    let numbers = |text: &str| -> Option<Vec<f64>> {
        let words = text.trim().strip_suffix(')')?.split_whitespace();
        words.map(|word| word.parse().ok()).collect()
    };
    Some(ProcessorLine {
        ends: ends.trim().parse().ok()?,
        count: count.parse().ok()?,
        p50: *numbers(values)?.first()?,
        total_count: total_count.parse().ok()?,
        totals: numbers(totals)?,
    })
}

/// Our report has microseconds with two decimals, the processor nanoseconds.
#[track_caller]
fn same(what: &str, ours_us: &Value, java_ns: f64) {
    let ours = ours_us.as_f64().expect("a number");
    let apart = (ours - java_ns / 1000.0).abs();
    assert!(apart < 0.011, "{what}: {ours} µs, and in Java {java_ns} ns");
}

#[test]
#[ignore = "needs Java and HdrHistogram's own reader, which .ci/run installs"]
fn the_reader_in_java_reads_the_same_numbers() {
    let folder = Folder::new();
    let options = ["--rate", "400", "--duration", "3s", "--duplicates", "20%"];
    let log = ["--report", "hdr=load.hlog"];
    let report = report(&folder, &[&options[..], &log].concat(), 0);
    for tag in ["latency", "service", "lateness"] {
        let lines = read_in_java(&folder, tag);
        let ours = &report[tag];
        let last = lines.last().expect("a line");
        assert!(last.total_count > 1_200);
        assert_eq!(last.total_count, number(ours, "count"), "{tag}");
        assert_eq!(
            lines.iter().map(|line| line.count).sum::<u64>(),
            last.total_count
        );
        let keys = [
            "p50_us", "p90_us", "p99_us", "p999_us", "p9999_us", "max_us",
        ];
        assert_eq!(last.totals.len(), keys.len());
        for (key, total) in keys.into_iter().zip(&last.totals) {
            same(&format!("{tag} {key}"), &ours[key], *total);
        }
    }
    // Compare each second.
    let seconds = report["over_time"].as_array().expect("a list");
    let mut compared = 0;
    for line in read_in_java(&folder, "latency") {
        let second = seconds.iter().find(|second| {
            let from = second["from_s"].as_f64().expect("seconds");
            (from + 1.0 - line.ends).abs() < 0.5
        });
        let p50 = &second.expect("the same second")["p50_us"];
        if line.count > 0 {
            same(&format!("p50 until {} s", line.ends), p50, line.p50);
            compared += 1;
        }
    }
    assert!(compared >= 3, "{compared}");
}
