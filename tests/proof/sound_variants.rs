//! No sound receiver is blamed: the bundled suite, in three seeds, against every variant of the
//! built-in receiver, with the profile that fits it.

mod cases;
mod difference;
mod outcome;
mod receivers;
use std::path::Path;

use aghook::receiver::Variant;
use difference::shows;
use outcome::{judge_all, markdown};
use serde_json::Value;

const SEEDS: [u64; 3] = [1, 20_261_123, u64::MAX];

#[test]
fn no_sound_receiver_is_blamed() {
    let judged = judge_all(&SEEDS);
    assert!(judged.len() > Variant::ALL.len());
    let mut wrong = Vec::new();
    for one in &judged {
        wrong.extend(
            one.wrong
                .iter()
                .map(|what| format!("{}: {what}", one.case.name)),
        );
    }
    let table = markdown(&judged);
    assert!(wrong.is_empty(), "{table}\n{}", wrong.join("\n"));
    let same = |old: &str, text: &str| old == text;
    crate::support::hold_section(
        "docs/proof.md",
        "sound receivers",
        &table,
        same,
        "proof sound_variants",
    );
}

/// What can't be told from the receiver as it is proves nothing.
#[test]
fn every_variant_can_be_told_from_the_receiver_as_it_is() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for variant in Variant::ALL {
        assert!(shows(&runtime, variant), "{variant}");
    }
}

/// What comes compressed, though nobody asked for it, is read like anything else; and a secret in it
/// is hidden.
#[test]
fn a_compressed_answer_is_read_and_redacted() {
    use std::io::Write as _;
    let body = br#"{"status":"ok","secret":"whsec_sent_back"}"#;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).expect("written");
    let compressed = encoder.finish().expect("compressed");
    let peer = crate::support::Peer::answering(move |_| {
        let answer = crate::support::Answer::of(200).header("Content-Encoding", "gzip");
        answer.body(compressed.clone())
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
/// Set to 1, the test writes the document in place of failing.
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
    let right = format!("{before}{BEGIN}\n{table}\n{END}{after}");
    if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
        std::fs::write(&path, right).expect("written");
    } else {
        assert!(
            written == right,
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
fn the_list_has_all_variants() {
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
fn a_wrong_choice_of_variants_is_a_usage_error_that_helps() {
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
