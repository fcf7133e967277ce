//! Proves that the bundled suite blames no sound receiver: it runs with three seeds against every
//! variant of the built-in receiver, with the profile for that variant.

mod cases;
mod difference;
mod exploring;
mod outcome;
mod receivers;
use std::path::Path;

use aghook::internals::receiver::Variant;
use difference::differs;
use outcome::{markdown, run_all};
use serde_json::Value;

const SEEDS: [u64; 3] = [1, 20_261_123, u64::MAX];

#[test]
fn no_sound_receiver_is_blamed() {
    let results = run_all(&SEEDS);
    assert!(results.len() > Variant::ALL.len());
    let mut problems = Vec::new();
    for result in &results {
        problems.extend(
            result
                .problems
                .iter()
                .map(|problem| format!("{}: {problem}", result.case.name)),
        );
    }
    let table = markdown(&results);
    assert!(problems.is_empty(), "{table}\n{}", problems.join("\n"));
    let same = |old: &str, text: &str| old == text;
    crate::support::check_section(
        "docs/proof.md",
        "sound receivers",
        &table,
        same,
        "proof sound_variants",
    );
}

#[test]
#[ignore = "takes a minute for each sound receiver"]
fn exploring_blames_no_sound_receiver() {
    let alarms = exploring::explore_all("60s");
    assert!(alarms.is_empty(), "{}", alarms.join("\n"));
}

/// A variant that behaves like the plain receiver would prove nothing.
#[test]
fn every_variant_differs_from_the_plain_receiver() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for variant in Variant::ALL {
        assert!(differs(&runtime, variant), "{variant}");
    }
}

/// An unrequested compressed response is decoded, and a secret in it is hidden.
#[test]
fn a_compressed_response_is_decoded_and_redacted() {
    use std::io::Write as _;
    let body = br#"{"status":"ok","secret":"whsec_sent_back"}"#;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).expect("written");
    let compressed = encoder.finish().expect("compressed");
    let peer = crate::support::Peer::answering(move |_| {
        let response = crate::support::PeerResponse::new(200).header("Content-Encoding", "gzip");
        response.body(compressed.clone())
    });
    let expectation = "{ status: 200, body: { $.status: ok, $.secret: another } }";
    let folder = crate::support::Folder::with_scenario(&crate::support::expecting(expectation));
    let mut run = folder.run(&["--target", &peer.url(), "--report", "json"]);
    let output = run.env("AGHOOK_SECRET", "whsec_sent_back").output();
    let text = String::from_utf8(output.expect("runs").stdout).expect("UTF-8");
    let checks: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter_map(|event| Some(event["deliveries"][0]["checks"].as_array()?.clone()))
        .flatten()
        .collect();
    let verdicts: Vec<&str> = checks
        .iter()
        .filter_map(|check| check["verdict"].as_str())
        .collect();
    assert_eq!(verdicts, ["passed", "passed", "failed"], "{text}");
    assert!(text.contains("[secret not shown]"), "{text}");
    assert!(
        !text.contains("whsec_sent_back") && !text.contains("base64"),
        "{text}"
    );
}

const BEGIN: &str = "<!-- The table is written by the test `the_document_is_up_to_date`. -->\n";
const END: &str = "<!-- The end of the table. -->\n";
/// If set to 1, the test updates the document instead of failing.
const UPDATE: &str = "UPDATE_DOCS";

#[test]
fn the_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/variants.md");
    let written = std::fs::read_to_string(&path).expect("read");
    let written = written.replace("\r\n", "\n");
    let (before, rest) = written.split_once(BEGIN).expect("a table begins");
    let (_, after) = rest.split_once(END).expect("a table ends");
    let rows = Variant::ALL.map(|variant| format!("| `{variant}` | {} |\n", variant.about()));
    let table = format!(
        "| variant | what is different |\n| --- | --- |\n{}",
        rows.concat()
    );
    let expected = format!("{before}{BEGIN}\n{table}\n{END}{after}");
    if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
        std::fs::write(&path, expected).expect("written");
    } else {
        assert!(
            written == expected,
            "docs/variants.md is out of date: run {UPDATE}=1 cargo test --test proof sound_variants"
        );
    }
}

fn aghook(arguments: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_aghook"))
        .args(arguments)
        .env("AGHOOK_SECRET", "whsec")
        .output()
        .expect("runs")
}

#[test]
fn the_list_contains_all_variants() {
    let output = aghook(&["list", "--what", "variants", "--json"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let listed: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let known = Variant::ALL
        .map(|variant| serde_json::json!({ "name": variant.name(), "about": variant.about() }));
    assert_eq!(listed, known);
}

#[test]
fn an_invalid_choice_of_variants_is_a_helpful_usage_error() {
    for (names, help) in [
        (&["accepted_201"][..], "'accepted_202'"),
        (
            &["body_text", "body_none"],
            "the variants body_text and body_none can't be combined",
        ),
    ] {
        let arguments = [&["receive", "--listen", "127.0.0.1:0", "--variant"], names].concat();
        let output = aghook(&arguments);
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(help), "{text}");
    }
}
