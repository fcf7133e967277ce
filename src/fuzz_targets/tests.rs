//! The corpora of the fuzzers, so that what once failed stays right.

use std::fs;
use std::path::Path;

use super::{config, event, journal, load_report, matcher, response, scenario, signature};

type Target = fn(&[u8]);

/// Each target, named as its file in `fuzz/fuzz_targets/` and its folder in `fuzz/corpus/`.
const TARGETS: [(&str, Target); 8] = [
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
