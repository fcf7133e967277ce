//! The words of the format that the bundled suite can't use, since they would ask more of a receiver
//! than Aghanim does: each has a scenario in `words/` that finds a flaw with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aghook::receiver::Flaw;

use super::{Matrix, SEEDS, runs::Runs};

/// What an answer or an effect can be checked by, in the order of the documents.
pub(crate) const WORDS: [&str; 11] = [
    "status",
    "headers",
    "body",
    "schema",
    "within",
    "attempts",
    "outcome",
    "same_response",
    "granted",
    "not_granted",
    "probe",
];

/// The words with a scenario here, and the flaw that it finds.
const FOUND_BY_WORD: [(&str, Flaw); 4] = [
    ("headers", Flaw::LoginRedirect),
    ("body", Flaw::RedeliveryAnsweredOtherwise),
    ("schema", Flaw::RedeliveryAnsweredOtherwise),
    ("probe", Flaw::DedupeMissing),
];

/// The flaws that show in each word, and whether the bundled suite has it.
pub(crate) type Words = BTreeMap<&'static str, (bool, BTreeSet<Flaw>)>;

/// Which flaws show in each word; every word must show one, and none may blame a sound receiver.
pub(crate) fn reveal(runs: &Runs, matrix: &Matrix) -> Words {
    let mut words = Words::new();
    for word in WORDS {
        let flaws = matrix.iter();
        let flaws = flaws.filter(|(_, findings)| findings.words.contains(word));
        let flaws: BTreeSet<Flaw> = flaws.map(|(flaw, _)| *flaw).collect();
        words.insert(word, (!flaws.is_empty(), flaws));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proof/flaw_matrix/words");
    for (word, flaw) in FOUND_BY_WORD {
        let file = [folder.join(word).with_extension("yaml")];
        let sound = runs.run(None, SEEDS[0], &file);
        assert!(sound.caught.is_empty(), "`{word}` blames a sound receiver");
        let found = runs.run(Some(flaw), SEEDS[0], &file);
        assert!(!found.caught.is_empty(), "`{word}` does not show {flaw}");
        words.entry(word).or_default().1.insert(flaw);
    }
    for (word, (_, flaws)) in &words {
        assert!(!flaws.is_empty(), "no flaw shows in `{word}`");
    }
    words
}
