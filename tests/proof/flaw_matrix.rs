//! Proves that the bundled suite passes a sound receiver and catches every flaw of the built-in
//! receiver. Generates `docs/proof.md`.
//!
//! The runs are slow, so a single test performs them all and uses their results everywhere.

mod check_kinds;
mod diagnosis;
mod document;
mod main_scenario;
mod runs;

use std::collections::BTreeMap;

use aghook::internals::receiver::{Flaw, FlawClass};
use runs::{Caught, Findings, Runs, against_each};

/// The values of `--seed`.
const SEEDS: [u64; 3] = [1, 2, 3];

/// The findings for each flaw.
type Matrix = BTreeMap<Flaw, Findings>;

#[test]
fn every_flaw_is_caught_and_a_sound_receiver_passes() {
    let runs = Runs::new();
    for seed in SEEDS {
        let sound = runs.whole_suite(None, seed);
        assert!(
            sound.caught.is_empty(),
            "the suite blames a sound receiver with seed {seed}: {:?}",
            sound.caught
        );
    }
    let matrix = against_each(|flaw| runs.whole_suite(Some(flaw), SEEDS[0]));
    assert_caught(&matrix, SEEDS[0]);
    // The other scenarios did not catch the flaw with the first seed, so they are not run again.
    for seed in &SEEDS[1..] {
        let again = against_each(|flaw| runs.suite_that_caught(flaw, &matrix[&flaw], *seed));
        assert_caught(&again, *seed);
    }
    let kinds = check_kinds::flaws_by_kind(&runs, &matrix);
    document::is_up_to_date(&runs, &matrix, &kinds);
    diagnosis::is_right(&matrix);
}

/// Fails unless each flaw's main scenario catches it, and a `must` check catches each severe flaw.
fn assert_caught(matrix: &Matrix, seed: u64) {
    let escapes = Flaw::ALL.into_iter().filter_map(|flaw| {
        let findings = &matrix[&flaw];
        let main = main_scenario::main_scenario(flaw);
        let worst = findings.caught.values().max();
        let why = if worst.is_none() {
            "escapes".to_owned()
        } else if is_severe(flaw) && worst != Some(&Caught::Must) {
            "costs items but only causes a warning".to_owned()
        } else if !findings.caught.contains_key(main) {
            format!("is not caught by {main}, but by {:?}", findings.caught)
        } else {
            return None;
        };
        Some(format!("{flaw} {why}"))
    });
    let escapes: Vec<String> = escapes.collect();
    assert!(escapes.is_empty(), "with seed {seed}: {escapes:#?}");
}

/// Whether a flaw costs items, so that a `must` check has to fail.
fn is_severe(flaw: Flaw) -> bool {
    !matches!(flaw.class(), FlawClass::Answers | FlawClass::Conditional)
}
