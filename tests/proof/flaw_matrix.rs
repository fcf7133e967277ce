//! The proof that the bundled suite is worth something: it passes a sound receiver, and catches every
//! flaw that the built-in receiver can have. `docs/proof.md` is what comes out.
//!
//! One test makes all runs, since they are what takes the time, and everything is read from them.

mod document;
mod named;
mod runs;
mod words;

use std::collections::BTreeMap;

use aghook::receiver::{Flaw, FlawClass};
use runs::{Caught, Findings, Runs, against_each};

/// The seeds of the runs, as in `--seed`.
const SEEDS: [u64; 3] = [1, 2, 3];

/// What a run against each flaw has found.
type Matrix = BTreeMap<Flaw, Findings>;

#[test]
fn every_flaw_is_caught_and_a_sound_receiver_passes() {
    let runs = Runs::new();
    for seed in SEEDS {
        let sound = runs.whole_suite(None, seed);
        assert!(
            sound.caught.is_empty(),
            "a sound receiver is blamed with seed {seed}: {:?}",
            sound.caught
        );
    }
    let matrix = against_each(|flaw| runs.whole_suite(Some(flaw), SEEDS[0]));
    assert_caught(&matrix, SEEDS[0]);
    // What has caught a flaw once must catch it again; the rest of the suite has shown that it does not.
    for seed in &SEEDS[1..] {
        let again = against_each(|flaw| runs.suite_that_caught(flaw, &matrix[&flaw], *seed));
        assert_caught(&again, *seed);
    }
    let words = words::reveal(&runs, &matrix);
    document::is_up_to_date(&runs, &matrix, &words);
}

/// Every flaw is caught, also by the scenario that is named for it, and gravely where it is grave.
fn assert_caught(matrix: &Matrix, seed: u64) {
    let escapes = Flaw::ALL.into_iter().filter_map(|flaw| {
        let findings = &matrix[&flaw];
        let named = named::scenario_for(flaw);
        let gravest = findings.caught.values().max();
        let why = if gravest.is_none() {
            "escapes".to_owned()
        } else if is_grave(flaw) && gravest != Some(&Caught::Must) {
            "costs items and is no more than a warning".to_owned()
        } else if !findings.caught.contains_key(named) {
            format!("is not caught by {named}, but by {:?}", findings.caught)
        } else {
            return None;
        };
        Some(format!("{flaw} {why}"))
    });
    let escapes: Vec<String> = escapes.collect();
    assert!(escapes.is_empty(), "with seed {seed}: {escapes:#?}");
}

/// Whether a flaw costs items: then a `must` has to fail.
fn is_grave(flaw: Flaw) -> bool {
    flaw.class() != FlawClass::Answers
}
