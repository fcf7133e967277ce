//! Generates `docs/proof.md` from the runs, with one function for each section.
//!
//! Results that are the same for every seed and machine are compared exactly with the file. Other
//! results vary (a race may show in more or fewer scenarios), so only the names in the first column
//! of their tables are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use aghook::internals::policy::{Fault, Forgery};
use aghook::internals::receiver::Flaw;
use aghook::internals::scenario::{Action, bundled_suite};

use super::check_kinds::{CHECK_KINDS, CheckKinds};
use super::main_scenario::main_scenario;
use super::runs::{Caught, Findings, Runs};
use super::{Matrix, SEEDS, is_severe};
use crate::support::check_section;

pub(crate) fn is_up_to_date(runs: &Runs, matrix: &Matrix, kinds: &CheckKinds) {
    let fixed = |name, text: String| check(name, &text, |old, text| old == text);
    let measured = |name, text: String| check(name, &text, |old, text| rows(old) == rows(text));
    fixed("headline", headline(runs, matrix));
    fixed("flaws", flaws(matrix));
    let users = users_of_forgeries_and_faults();
    let forgeries = Forgery::ALL.iter().map(|forgery| forgery.name());
    fixed(
        "forgeries",
        revealed_flaws("forgery", forgeries, &users, matrix),
    );
    // Whether a delivery meets another one depends on the machine.
    let faults = Fault::ALL.iter().map(|fault| fault.name());
    measured("faults", revealed_flaws("fault", faults, &users, matrix));
    measured("expectations", expectations(kinds));
    measured("scenarios", scenarios(runs, matrix));
    measured("matrix", whole_matrix(runs, matrix));
}

fn check(section: &str, text: &str, is_the_same: fn(&str, &str) -> bool) {
    check_section(
        "docs/proof.md",
        section,
        text,
        is_the_same,
        "proof flaw_matrix",
    );
}

/// The first column of a table.
fn rows(section: &str) -> Vec<&str> {
    let lines = section.lines().filter(|line| line.starts_with('|'));
    lines.filter_map(|line| line.split('|').nth(1)).collect()
}

fn headline(runs: &Runs, matrix: &Matrix) -> String {
    let all = Flaw::ALL.len();
    let caught = matrix.values().filter(|found| !found.caught.is_empty());
    let severe = Flaw::ALL.into_iter().filter(|flaw| is_severe(*flaw));
    let seeds = SEEDS.map(|seed| seed.to_string()).join(", ");
    format!(
        "**Flaws caught: {} of {all}**, with each of the seeds {seeds}. The {} that cost items are all \
         caught by a failing `must` check (exit code 1). The main scenario of each flaw catches it. The \
         receiver without flaws passes all {} scenario files without warnings.\n",
        caught.count(),
        severe.count(),
        runs.scenarios.len(),
    )
}

fn flaws(matrix: &Matrix) -> String {
    let mut text = String::from(
        "| flaw | class | main scenario | what fails in it |\n| --- | --- | --- | --- |\n",
    );
    for flaw in Flaw::ALL {
        let (class, main) = (flaw.class(), main_scenario(flaw));
        let worst = worst_level(flaw, &matrix[&flaw]);
        writeln!(text, "| `{flaw}` | {class} | {} | {worst} |", link(main)).expect("written");
    }
    text
}

/// The level of the check that fails in the main scenario, and in others if that is worse.
fn worst_level(flaw: Flaw, found: &Findings) -> &'static str {
    match found.caught[main_scenario(flaw)] {
        Caught::Must => "`must`",
        Caught::Should if is_severe(flaw) => "`should`; a `must` in others",
        Caught::Should => "`should`",
    }
}

/// The flaws that each forgery and fault reveals.
/// The scenarios that use each forgery and fault.
type Users = BTreeMap<&'static str, BTreeSet<String>>;

fn users_of_forgeries_and_faults() -> Users {
    let mut users = Users::new();
    for case in bundled_suite().expect("sound") {
        let file = case.source.name.trim_end_matches(".yaml");
        let file = file.split_once('/').map_or(file, |(_, name)| name);
        for step in &case.scenario.steps {
            let Action::Deliver(deliver) = &step.action else {
                continue;
            };
            let forgery = deliver.forge.iter().map(|forgery| forgery.name());
            let fault = deliver.fault().map(Fault::name);
            for name in forgery.chain(fault) {
                users.entry(name).or_default().insert(file.to_owned());
            }
        }
    }
    users
}

fn revealed_flaws(
    what: &str,
    names: impl Iterator<Item = &'static str>,
    users: &Users,
    matrix: &Matrix,
) -> String {
    let mut text = format!("| {what} | flaws that it reveals |\n| --- | --- |\n");
    for name in names {
        let scenarios = users.get(name).expect("the suite uses each of them");
        let shown: Vec<String> = Flaw::ALL
            .into_iter()
            .filter(|flaw| shows_for_certain(*flaw, name, scenarios, &matrix[flaw]))
            .map(|flaw| format!("`{flaw}`"))
            .collect();
        assert!(!shown.is_empty(), "`{name}` reveals no flaw");
        writeln!(text, "| `{name}` | {} |", shown.join(", ")).expect("written");
    }
    text
}

/// Whether a forgery or fault always reveals a flaw: the flaw's main scenario uses it, or the flaw
/// showed there, does not depend on chance and does not also show in a plain delivery.
fn shows_for_certain(
    flaw: Flaw,
    name: &str,
    scenarios: &BTreeSet<String>,
    found: &Findings,
) -> bool {
    const BY_CHANCE: [Flaw; 15] = [
        // Depends on which connections are idle.
        Flaw::ConnectionKeepsPlayer,
        Flaw::CheckThenInsertRace,
        Flaw::LostUpdate,
        Flaw::KeyWrittenLast,
        Flaw::OverlapRefused,
        Flaw::StoppedByHangup,
        // These depend on the second of signing.
        Flaw::SeenSignatureRefused,
        Flaw::EventTimeSigned,
        Flaw::DedupeBySignature,
        // Depends on whether an aborted response would have been in time.
        Flaw::SlowAnswer,
        // Depends on when other deliveries arrive.
        Flaw::FrozenAfterResponse,
        Flaw::QueuedInMemory,
        Flaw::DuplicateAckedWhilePending,
        // Depend on which event arrives first.
        Flaw::EverySecondBundleClosed,
        Flaw::DedupeByCouponCode,
    ];
    let main = main_scenario(flaw);
    let is_about_content = ["payload/", "context/"]
        .iter()
        .any(|folder| main.starts_with(folder));
    // Whether a receiver sees the request before the reset depends on the operating system.
    let is_certain = !BY_CHANCE.contains(&flaw) && !is_about_content && name != "reset";
    scenarios.contains(main) || (is_certain && found.played.contains(name))
}

fn expectations(kinds: &CheckKinds) -> String {
    let mut text = String::from(
        "| check | in the bundled suite | flaws that fail it |\n| --- | --- | --- |\n",
    );
    for kind in CHECK_KINDS {
        let (is_bundled, flaws) = &kinds[kind];
        let bundled = if *is_bundled { "yes" } else { "no" };
        let flaws: Vec<String> = flaws.iter().map(|flaw| format!("`{flaw}`")).collect();
        writeln!(text, "| `{kind}` | {bundled} | {} |", shortened(&flaws)).expect("written");
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

/// A list, cut after a readable number of entries.
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
