//! `docs/proof.md`, written from the runs: one function a section.
//!
//! What holds for every seed and on every machine is compared with the file. What else a run has
//! found (a race can show in one scenario more or less) is written as it was measured: of that only
//! the names are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use aghook::receiver::Flaw;
use aghook::scenario::{Fault, Forgery, bundled_suite};

use super::named::scenario_for;
use super::runs::{Caught, Findings, Runs};
use super::words::{WORDS, Words};
use super::{Matrix, SEEDS, is_grave};
use crate::support::hold_section;

pub(crate) fn is_up_to_date(runs: &Runs, matrix: &Matrix, words: &Words) {
    let fixed = |name, text: String| hold(name, &text, |old, text| old == text);
    let measured = |name, text: String| hold(name, &text, |old, text| rows(old) == rows(text));
    fixed("headline", headline(runs, matrix));
    fixed("flaws", flaws(matrix));
    fixed("forgeries and faults", forgeries_and_faults(matrix));
    measured("expectations", expectations(words));
    measured("scenarios", scenarios(runs, matrix));
    measured("matrix", whole_matrix(runs, matrix));
}

fn hold(section: &str, text: &str, is_the_same: fn(&str, &str) -> bool) {
    hold_section(
        "docs/proof.md",
        section,
        text,
        is_the_same,
        "proof flaw_matrix",
    );
}

/// What the rows of a table are about.
fn rows(section: &str) -> Vec<&str> {
    let lines = section.lines().filter(|line| line.starts_with('|'));
    lines.filter_map(|line| line.split('|').nth(1)).collect()
}

fn headline(runs: &Runs, matrix: &Matrix) -> String {
    let all = Flaw::ALL.len();
    let caught = matrix.values().filter(|found| !found.caught.is_empty());
    let grave = Flaw::ALL.into_iter().filter(|flaw| is_grave(*flaw));
    let seeds = SEEDS.map(|seed| seed.to_string()).join(", ");
    format!(
        "**Flaws caught: {} of {all}**, with each of the seeds {seeds}. The {} that cost items are all \
         caught by a `must` (exit code 1). Each flaw is caught by the scenario that is named for it. The \
         receiver without flaws passes all {} scenario files, without a warning.\n",
        caught.count(),
        grave.count(),
        runs.scenarios.len(),
    )
}

fn flaws(matrix: &Matrix) -> String {
    let mut text = String::from(
        "| flaw | class | the scenario that is named for it | what fails there |\n| --- | --- | --- | --- |\n",
    );
    for flaw in Flaw::ALL {
        let (class, named) = (flaw.class(), scenario_for(flaw));
        let gravest = gravest_level(flaw, &matrix[&flaw]);
        writeln!(text, "| `{flaw}` | {class} | {} | {gravest} |", link(named)).expect("written");
    }
    text
}

/// What fails in the scenario that is named for it, and elsewhere where that counts.
fn gravest_level(flaw: Flaw, found: &Findings) -> &'static str {
    match found.caught[scenario_for(flaw)] {
        Caught::Must => "`must`",
        Caught::Should if is_grave(flaw) => "`should`; a `must` in others",
        Caught::Should => "`should`",
    }
}

/// Which flaws each forgery and each fault shows by the scenario that is named for the flaw.
fn forgeries_and_faults(matrix: &Matrix) -> String {
    let mut users: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for case in bundled_suite().expect("sound") {
        let file = case.source.name.trim_end_matches(".yaml");
        let file = file.split_once('/').map_or(file, |(_, name)| name);
        for step in &case.scenario.steps {
            let forgery = step.forge.iter().map(|forgery| forgery.value.name());
            let fault = step.fault.iter().map(|fault| fault.value.name());
            for word in forgery.chain(fault) {
                users.entry(word).or_default().insert(file.to_owned());
            }
        }
    }
    let mut text = String::from("| forgery or fault | flaws that it shows |\n| --- | --- |\n");
    let forgeries = Forgery::ALL.iter().map(|forgery| forgery.name());
    for word in forgeries.chain(Fault::ALL.iter().map(|fault| fault.name())) {
        let scenarios = users.get(word).expect("the suite has every one");
        let shown: Vec<String> = Flaw::ALL
            .into_iter()
            .filter(|flaw| shows_for_certain(*flaw, word, scenarios, &matrix[flaw]))
            .map(|flaw| format!("`{flaw}`"))
            .collect();
        assert!(!shown.is_empty(), "`{word}` shows no flaw");
        writeln!(text, "| `{word}` | {} |", shown.join(", ")).expect("written");
    }
    text
}

/// Whether a flaw is certain to show in a forgery or a fault: the scenario that is named for it has
/// it, or it has shown there, is no matter of chance, and does not show in a plain delivery as well.
fn shows_for_certain(
    flaw: Flaw,
    word: &str,
    scenarios: &BTreeSet<String>,
    found: &Findings,
) -> bool {
    const BY_CHANCE: [Flaw; 10] = [
        Flaw::CheckThenInsertRace,
        Flaw::LostUpdate,
        Flaw::KeyWrittenLast,
        Flaw::OverlapRefused,
        Flaw::StoppedByHangup,
        // These depend on the second in which something is signed.
        Flaw::SeenSignatureRefused,
        Flaw::EventTimeSigned,
        Flaw::DedupeBySignature,
        // Whether an answer that is broken off would have come in time.
        Flaw::SlowAnswer,
        // Who comes first with a code.
        Flaw::DedupeByCouponCode,
    ];
    let named = scenario_for(flaw);
    let is_about_content = ["payload/", "context/"]
        .iter()
        .any(|folder| named.starts_with(folder));
    // Whether a receiver has seen the request before the reset is up to the systems.
    let is_certain = !BY_CHANCE.contains(&flaw) && !is_about_content && word != "reset";
    scenarios.contains(named) || (is_certain && found.played.contains(word))
}

fn expectations(words: &Words) -> String {
    let mut text = String::from(
        "| word | in the bundled suite | flaws that show in it |\n| --- | --- | --- |\n",
    );
    for word in WORDS {
        let (is_bundled, flaws) = &words[word];
        let bundled = if *is_bundled { "yes" } else { "no" };
        let flaws: Vec<String> = flaws.iter().map(|flaw| format!("`{flaw}`")).collect();
        writeln!(text, "| `{word}` | {bundled} | {} |", shortened(&flaws)).expect("written");
    }
    text
}

fn scenarios(runs: &Runs, matrix: &Matrix) -> String {
    let mut text = String::from("| scenario | flaws that it catches |\n| --- | --- |\n");
    for name in &runs.scenarios {
        let caught = matrix.iter();
        let caught = caught.filter_map(|(flaw, found)| Some((flaw, found.caught.get(name)?)));
        let caught: Vec<String> = caught
            .map(|(flaw, how)| match how {
                Caught::Must => format!("`{flaw}`"),
                Caught::Should => format!("`{flaw}` (warned)"),
            })
            .collect();
        writeln!(text, "| {} | {} |", link(name), shortened(&caught)).expect("written");
    }
    text
}

fn whole_matrix(runs: &Runs, matrix: &Matrix) -> String {
    let mut text = String::from("| flaw | scenarios that catch it | all, in the order above |\n");
    text.push_str("| --- | --- | --- |\n");
    for flaw in Flaw::ALL {
        let found = &matrix[&flaw].caught;
        let mark = |name: &String| match found.get(name) {
            None => '.',
            Some(Caught::Should) => 'w',
            Some(Caught::Must) => 'F',
        };
        let marks: String = runs.scenarios.iter().map(mark).collect();
        writeln!(text, "| `{flaw}` | {} | `{marks}` |", found.len()).expect("written");
    }
    text
}

fn link(scenario: &str) -> String {
    format!("[{scenario}](../scenarios/{scenario}.yaml)")
}

/// A list as long as anybody would read it.
fn shortened(list: &[String]) -> String {
    const SHOWN: usize = 12;
    match list.len() {
        0 => "none".to_owned(),
        length if length > SHOWN + 1 => {
            let more = length - SHOWN;
            format!("{} and {more} more", list[..SHOWN].join(", "))
        }
        _ => list.join(", "),
    }
}
