//! The report formats of a load and their agreement.

use std::collections::BTreeMap;

use aghook::internals::load::{LoadReport, load_report_schema};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

use super::junit_structure::validate_structure;
use super::*;

/// Text that could break out of HTML, a table or XML.
const HOSTILE: &str = "</style></title><script>alert(1)</script>|`<!-- ]]>\n::error::";

/// Runs a load with every kind of report and returns its JSON report.
fn all_reports(folder: &Folder, arguments: &[&str], code: i32) -> Value {
    let kinds = [
        "--report",
        "html=load.html",
        "--report",
        "junit=load.xml",
        "--report",
        "markdown=load.md",
        "--report",
        "hdr=load.hlog",
        "--report",
        "terminal=load.txt",
    ];
    report(folder, &[arguments, &kinds].concat(), code)
}

fn sum(points: &[Value], key: &str) -> u64 {
    points.iter().map(|point| number(point, key)).sum()
}

#[test]
fn the_time_series_adds_up_to_the_totals() {
    let folder = Folder::new();
    let options = [
        "--rate",
        "100",
        "--duration",
        "2500ms",
        "--warmup",
        "300ms",
        "--lost-acks",
        "5%",
    ];
    let json = all_reports(&folder, &options, 0);
    let schema = jsonschema::validator_for(&load_report_schema()).expect("a schema");
    assert!(schema.is_valid(&json));
    let counts = counts(&json);
    let points = json["over_time"].as_array().expect("points");
    assert!(points.len() >= 3, "{points:?}");
    assert_eq!(sum(points, "sent"), number(counts, "attempts"));
    assert_eq!(sum(points, "answered"), number(&counts["statuses"], "200"));
    assert_eq!(sum(points, "errors"), number(counts, "errors"));
    assert_eq!(points[points.len() - 1]["in_flight"], 0);

    // The log has a line for each second and histogram, and they add up to the totals.
    let log = folder.read("load.hlog");
    let mut counted: BTreeMap<String, (u64, usize)> = BTreeMap::new();
    for entry in IntervalLogIterator::new(log.as_bytes()) {
        let LogEntry::Interval(interval) = entry.expect("an entry") else {
            continue;
        };
        let bytes = STANDARD
            .decode(interval.encoded_histogram())
            .expect("base64");
        let histogram: Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .expect("a histogram");
        let tag = interval.tag().expect("a tag").as_str().to_owned();
        let (count, lines) = counted.entry(tag).or_default();
        *count += histogram.len();
        *lines += 1;
    }
    for name in ["latency", "service", "lateness"] {
        let whole = number(&json[name], "count");
        assert_eq!(counted[name], (whole, points.len()), "{name}");
    }
}

#[test]
fn every_report_shows_the_failures() {
    let peer = Peer::answering(|_| PeerResponse::new(500));
    let config = format!(
        "profiles:\n  x:\n    target: {}\n    retry: {{ attempts: 2, delays: [1ms] }}\n",
        peer.url()
    );
    let folder = Folder::new().with("aghook.yaml", config);
    let options = [
        "--rate",
        "max",
        "--count",
        "10",
        "--expect",
        "errors < 1%",
        "--expect",
        "p99 < 1s",
    ];
    all_reports(&folder, &options, 1);
    let xml = folder.read("load.xml");
    validate_structure(&xml);
    assert!(
        xml.contains(r#"tests="3" skipped="1" failures="1" errors="1""#),
        "{xml}"
    );
    assert!(
        xml.contains("errors &lt; 1%: observed 100% (20 of 20 attempts)"),
        "{xml}"
    );
    assert!(xml.contains("<skipped"), "{xml}");
    let markdown = folder.read("load.md");
    assert!(
        markdown.starts_with("## ❌ aghook load: failed\n"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| ❌ failed | `errors < 1%` | observed 100% (20 of 20 attempts) |"),
        "{markdown}"
    );
    let page = folder.read("load.html");
    assert!(page.contains("<code>errors &#60; 1%</code>: observed 100% (20 of 20 attempts)"));
    assert!(page.contains("Attempts per second") && page.contains("<path class=\"errors\""));
}

#[test]
fn github_annotations_show_only_the_failures() {
    let peer = Peer::answering(|_| PeerResponse::new(403));
    let folder = Folder::new();
    let url = peer.url();
    let words = [
        "load",
        "--target",
        &url,
        "--rate",
        "max",
        "--count",
        "3",
        "--expect",
        "errors = 0",
        "--expect",
        "exhausted = 0",
        "--skip-setup-check",
    ];
    let annotations = |on_github: &str, more: &[&str]| {
        let words = [&words[..], more].concat();
        let mut command = folder.aghook(&words);
        let assert = command.env("GITHUB_ACTIONS", on_github).assert().code(1);
        let output = assert.get_output();
        let lines = |bytes: &[u8]| -> Vec<String> {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let lines = text.lines().filter(|line| line.starts_with("::"));
            lines.map(str::to_owned).collect()
        };
        (lines(&output.stdout), lines(&output.stderr))
    };
    let line = "::error title=load failed%3A errors = 0::observed 3".to_owned();
    assert_eq!(annotations("true", &[]), (vec![line.clone()], vec![]));
    assert_eq!(
        annotations("true", &["--report", "json"]),
        (vec![], vec![line])
    );
    assert_eq!(annotations("false", &[]), (vec![], vec![]));
}

#[test]
fn no_text_breaks_out_of_the_report_markup() {
    let folder = Folder::new();
    report(&folder, &["--rate", "max", "--count", "5"], 0);
    let mut load: LoadReport = serde_json::from_str(&folder.read("load.json")).expect("a report");
    load.target = HOSTILE.to_owned();
    load.began = "2026-11-23T12:00:00.000Z".to_owned();
    load.mix.insert(HOSTILE.to_owned(), HOSTILE.to_owned());
    load.rate = HOSTILE.to_owned();
    let effects = load.effects.as_mut().expect("effects");
    effects.undecided = 1;
    effects.undecided_because = Some(HOSTILE.to_owned());
    let text = serde_json::to_string(&load).expect("JSON");
    let folder = folder.with("hostile.json", text);
    let words = [
        "merge",
        "hostile.json",
        "--report",
        "html=load.html",
        "--report",
        "junit=load.xml",
        "--report",
        "markdown=load.md",
    ];
    let mut command = folder.aghook(&words);
    let assert = command.env("GITHUB_ACTIONS", "true").assert().code(3);
    let stdout = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    let commands = stdout.lines().filter(|line| line.starts_with("::"));
    let commands: Vec<&str> = commands.collect();
    assert!(
        commands.len() == 1 && commands[0].starts_with("::error title=load broken"),
        "{stdout}"
    );
    let page = folder.read("load.html");
    assert!(page.contains("alert(1)") && !page.contains("<script"));
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(page.contains("content=\"default-src 'none'; style-src 'sha256-"));
    validate_structure(&folder.read("load.xml"));
    let markdown = folder.read("load.md");
    assert!(!markdown.replace("<code>", "").contains("<s"), "{markdown}");
}
