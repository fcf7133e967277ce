//! The corpora of the fuzzers, so that what once failed stays right.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{capture, config, event, journal, load_report, matcher, response, scenario, signature};

type Target = fn(&[u8]);

/// Each target, named as its file in `fuzz/fuzz_targets/` and its folder in `fuzz/corpus/`.
const TARGETS: [(&str, Target); 9] = [
    ("capture", capture),
    ("config", config),
    ("event", event),
    ("journal", journal),
    ("load_report", load_report),
    ("matcher", matcher),
    ("response", response),
    ("scenario", scenario),
    ("signature", signature),
];

/// The most files of a corpus, because every run of the tests reads them.
const MOST_FILES: usize = 30;

#[test]
fn each_target_accepts_its_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in TARGETS {
        let files = fs::read_dir(folder.join(name)).expect("a corpus");
        let files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        assert!((1..=MOST_FILES).contains(&files.len()), "{name}");
        for file in files {
            println!("{}", file.display());
            target(&fs::read(&file).expect("readable"));
        }
    }
}

/// What every text of a journal becomes, one after the other.
const HOSTILE: &str = "\u{1b}[31m\u{9b}\u{202e}\u{7}\n::error::x ##[error]y<b>";

/// Whoever wrote a journal must not control a terminal or a CI system.
#[test]
fn every_text_of_a_journal_is_escaped_in_every_report() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/journal");
    let mut seen = BTreeSet::new();
    for file in fs::read_dir(folder).expect("a corpus") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("UTF-8");
        let lines: Option<Vec<Value>> = text
            .lines()
            .map(|line| serde_json::from_str(line).ok())
            .collect();
        for (index, line) in lines.iter().flatten().enumerate() {
            let mut places = Vec::new();
            find_texts(line, String::new(), &mut places);
            for pointer in places {
                let general: String = pointer
                    .chars()
                    .filter(|character| !character.is_ascii_digit())
                    .collect();
                if !seen.insert((line["event"].to_string(), general)) {
                    continue;
                }
                let mut changed = lines.clone().unwrap_or_default();
                if let Some(Value::String(text)) = changed[index].pointer_mut(&pointer) {
                    text.push_str(HOSTILE);
                }
                let changed: Vec<String> = changed.iter().map(Value::to_string).collect();
                println!("{pointer}");
                journal((changed.join("\n") + "\n").as_bytes());
            }
        }
    }
    assert!(seen.len() > 80, "{}", seen.len());
}

fn find_texts(value: &Value, pointer: String, places: &mut Vec<String>) {
    match value {
        Value::String(_) => places.push(pointer),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                find_texts(value, format!("{pointer}/{index}"), places);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                find_texts(value, format!("{pointer}/{name}"), places);
            }
        }
        _ => {}
    }
}
