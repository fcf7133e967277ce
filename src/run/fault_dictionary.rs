//! The fault dictionary: how each flaw of the built-in receiver shows in the bundled suite, and which of
//! them explain the failures of a run.
//!
//! `fault_dictionary.json` is written by the test `proof`, from runs with several seeds, since a flaw may
//! show only with some of the values that a seed draws, or only if a race is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::run_event::{Certainty, KnownBug, LikelyCause};
use super::symptoms::{ScenarioSymptoms, Symptoms};
use crate::receiver::Flaw;

/// The best fit that counts as likely, and the worst one that is mentioned.
const LIKELY: f64 = 0.8;
const POSSIBLE: f64 = 0.5;
/// The part of the scenarios in which a flaw shows that must have been run to call it likely.
const ENOUGH_RUN: f64 = 0.5;
/// Flaws whose fit differs by less than this can't be told apart.
const INDISTINCT: f64 = 0.07;
/// With more flaws that can't be told apart, none is mentioned.
const MOST_INDISTINCT: usize = 4;
const MOST_CAUSES: usize = 3;
/// The file says in how many of so many runs a symptom shows.
const RUNS: u32 = 12;
/// The part of a scenario's fit that does not depend on how it failed.
const OF_FAILING: f64 = 0.5;
/// The weight of a failing scenario that a flaw does not explain. Other bugs explain what the first cause
/// leaves open, so it says little about a further one.
const UNEXPLAINED: f64 = 1.0;
const UNEXPLAINED_BY_FURTHER: f64 = 0.1;
/// The weight of a scenario that only warns, in a run in which others fail: a receiver with a bug may have
/// habits that a warning is about, too.
const OF_WARNING: f64 = 0.25;

static BUNDLED: LazyLock<FaultDictionary> = LazyLock::new(|| {
    let text = include_str!("fault_dictionary.json");
    let file = serde_json::from_str::<DictionaryFile>(text);
    FaultDictionary::from_file(&file.unwrap_or_default())
});

/// The frequencies of each flaw's symptoms.
#[derive(Debug, Default)]
pub struct FaultDictionary(BTreeMap<Flaw, Pattern>);

/// For each scenario, how often each symptom shows, from 0 to 1.
type Pattern = BTreeMap<String, BTreeMap<String, f64>>;

/// The scenarios of a run, each with its symptoms.
type Observed<'run> = BTreeMap<&'run str, &'run ScenarioSymptoms>;

/// The file form: for each scenario and symptom, in how many of the runs each flaw shows it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct DictionaryFile {
    runs: u32,
    scenarios: BTreeMap<String, BTreeMap<String, BTreeMap<String, u32>>>,
}

/// A flaw with its fit, from 0 to 1.
type Candidate = (f64, Flaw);

impl FaultDictionary {
    /// The one that is part of the program.
    pub fn bundled() -> &'static Self {
        &BUNDLED
    }

    /// The text of the file for the symptoms of each flaw in some runs: the `old` one for flaws without any.
    pub fn text_of(old: &str, runs: &[(Flaw, Symptoms)]) -> String {
        let mut file: DictionaryFile = serde_json::from_str(old).unwrap_or_default();
        file.runs = RUNS;
        let mut counts: BTreeMap<Flaw, u32> = BTreeMap::new();
        let mut found: BTreeMap<(&str, &str, Flaw), u32> = BTreeMap::new();
        for (flaw, symptoms) in runs {
            *counts.entry(*flaw).or_default() += 1;
            for (scenario, of_scenario) in symptoms.scenarios() {
                for symptom in &of_scenario.symptoms {
                    *found.entry((scenario, symptom, *flaw)).or_default() += 1;
                }
            }
        }
        for flaws in file.scenarios.values_mut().flat_map(BTreeMap::values_mut) {
            flaws.retain(|name, _| {
                Flaw::from_name(name).is_some_and(|flaw| !counts.contains_key(&flaw))
            });
        }
        for ((scenario, symptom, flaw), times) in found {
            let scenario = file.scenarios.entry(scenario.to_owned()).or_default();
            let flaws = scenario.entry(symptom.to_owned()).or_default();
            let times = (times * RUNS).div_ceil(counts[&flaw]);
            flaws.insert(flaw.name().to_owned(), times);
        }
        for symptoms in file.scenarios.values_mut() {
            symptoms.retain(|_, flaws| !flaws.is_empty());
        }
        file.scenarios.retain(|_, symptoms| !symptoms.is_empty());
        let text = serde_json::to_string_pretty(&file).unwrap_or_default();
        format!("{text}\n")
    }

    fn from_file(file: &DictionaryFile) -> Self {
        let mut patterns: BTreeMap<Flaw, Pattern> = BTreeMap::new();
        for (scenario, symptoms) in &file.scenarios {
            for (symptom, flaws) in symptoms {
                for (name, runs) in flaws {
                    if let Some(flaw) = Flaw::from_name(name) {
                        let pattern = patterns.entry(flaw).or_default();
                        let symptoms = pattern.entry(scenario.clone()).or_default();
                        let frequency = f64::from(*runs) / f64::from(file.runs.max(1));
                        symptoms.insert(symptom.clone(), frequency);
                    }
                }
            }
        }
        Self(patterns)
    }

    /// The scenarios that reveal a flaw, without their matrix values: those that always do first, and of
    /// these, those that fewer other flaws fail.
    pub(crate) fn revealing(&self, flaw: Flaw) -> Vec<&str> {
        let Some(pattern) = self.0.get(&flaw) else {
            return Vec::new();
        };
        let mut found: Vec<(f64, usize, &str)> = Vec::new();
        for (scenario, symptoms) in pattern {
            let frequency = symptoms.values().copied().fold(0.0, f64::max);
            let patterns = self.0.values();
            let flaws = patterns.filter(|pattern| pattern.contains_key(scenario));
            let name = scenario.split(" [").next().unwrap_or(scenario);
            found.push((frequency, flaws.count(), name));
        }
        found.sort_by(|one, two| two.0.total_cmp(&one.0).then(one.1.cmp(&two.1)));
        let mut names: Vec<&str> = Vec::new();
        for (_, _, name) in found {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The bugs that together explain the failures, the one that fits best first; none if nothing fits.
    pub fn likely_causes(&self, symptoms: &Symptoms) -> Vec<LikelyCause> {
        let all: Observed<'_> = symptoms.scenarios().collect();
        let mut left = all.clone();
        let failing = count_failing(&left);
        let mut causes: Vec<LikelyCause> = Vec::new();
        while causes.len() < MOST_CAUSES && count_failing(&left) > 0 {
            let unexplained = match causes.len() {
                0 => UNEXPLAINED,
                _ => UNEXPLAINED_BY_FURTHER,
            };
            let candidates = self.candidates(&left, unexplained);
            let Some(((fit, flaw), others)) = candidates.split_first() else {
                break;
            };
            if *fit < POSSIBLE || others.len() >= MOST_INDISTINCT {
                break;
            }
            let pattern = &self.0[flaw];
            let explained = left.iter();
            let explained =
                explained.filter(|(scenario, found)| explains(pattern, scenario, found));
            let mut scenarios: Vec<usize> = explained.map(|(_, found)| found.number).collect();
            scenarios.sort_unstable();
            if scenarios.is_empty() {
                break;
            }
            left.retain(|scenario, found| !explains(pattern, scenario, found));
            // What a cause leaves open is known no better than that cause.
            let is_possible = |cause: &LikelyCause| cause.certainty == Certainty::Possible;
            let is_likely = *fit >= LIKELY
                && part_run(pattern, &all) >= ENOUGH_RUN
                && !causes.last().is_some_and(is_possible);
            causes.push(LikelyCause {
                certainty: if is_likely {
                    Certainty::Likely
                } else {
                    Certainty::Possible
                },
                bug: known_bug(*flaw),
                or: others.iter().map(|(_, flaw)| known_bug(*flaw)).collect(),
                explains: scenarios.len(),
                scenarios,
                failing,
            });
        }
        causes
    }

    /// The flaws that fit best and can't be told apart.
    fn candidates(&self, observed: &Observed<'_>, unexplained: f64) -> Vec<Candidate> {
        let patterns = self.0.iter();
        let fits = patterns.map(|(flaw, pattern)| (fit(pattern, observed, unexplained), *flaw));
        let mut fits: Vec<Candidate> = fits.collect();
        fits.sort_by(|(one, _), (two, _)| two.total_cmp(one));
        let best = fits.first().map_or(0.0, |(fit, _)| *fit);
        fits.retain(|(fit, _)| best - fit < INDISTINCT);
        fits
    }
}

/// How well a flaw explains what failed and what passed, from 0 to 1.
fn fit(pattern: &Pattern, observed: &Observed<'_>, unexplained: f64) -> f64 {
    let (mut fitting, mut all) = (0.0, 0.0);
    let has_failed = observed.values().any(|found| found.has_failed());
    for (scenario, found) in observed {
        let symptoms = &found.symptoms;
        let weight = if has_failed && !found.has_failed() {
            OF_WARNING
        } else {
            1.0
        };
        match (pattern.get(*scenario), symptoms.is_empty()) {
            (Some(expected), false) => {
                let overlap = overlap(expected, symptoms);
                fitting += weight * (OF_FAILING + (1.0 - OF_FAILING) * overlap);
                all += weight;
            }
            (None, false) => all += weight * unexplained,
            // A flaw that shows only sometimes may have not shown.
            (Some(expected), true) => {
                all += expected.values().copied().fold(0.0, f64::max).powi(2);
            }
            (None, true) => {}
        }
    }
    if all > 0.0 { fitting / all } else { 0.0 }
}

/// How many of the scenarios in which a flaw shows were run, from 0 to 1. Few say little about it, because
/// it might not have shown in the others.
fn part_run(pattern: &Pattern, all: &Observed<'_>) -> f64 {
    let run = pattern
        .keys()
        .filter(|scenario| all.contains_key(scenario.as_str()));
    #[expect(clippy::cast_precision_loss, reason = "a few scenarios")]
    let (run, in_all) = (run.count() as f64, pattern.len() as f64);
    if in_all > 0.0 { run / in_all } else { 0.0 }
}

/// How much of the expected and the observed symptoms are the same, from 0 to 1.
fn overlap(expected: &BTreeMap<String, f64>, observed: &BTreeSet<String>) -> f64 {
    let same = observed.iter();
    let same = same.filter(|symptom| expected.contains_key(*symptom));
    let absent = expected.iter();
    let absent = absent.filter(|(symptom, _)| !observed.contains(*symptom));
    let absent: f64 = absent.map(|(_, frequency)| frequency).sum();
    #[expect(clippy::cast_precision_loss, reason = "a few symptoms")]
    let (same, observed) = (same.count() as f64, observed.len() as f64);
    same / (observed + absent)
}

fn explains(pattern: &Pattern, scenario: &str, found: &ScenarioSymptoms) -> bool {
    let expected = pattern.get(scenario);
    expected.is_some_and(|expected| {
        let mut symptoms = found.symptoms.iter();
        symptoms.any(|symptom| expected.contains_key(symptom))
    })
}

fn count_failing(observed: &Observed<'_>) -> usize {
    let found = observed.values();
    found.filter(|found| !found.symptoms.is_empty()).count()
}

/// The flaw in a report about another receiver: its description without the cost.
fn known_bug(flaw: Flaw) -> KnownBug {
    let (what, _) = flaw.about().split_once(": ").unwrap_or((flaw.about(), ""));
    let what = what.strip_prefix("The ").map(|rest| format!("the {rest}"));
    KnownBug {
        flaw: flaw.name().to_owned(),
        about: what.unwrap_or_else(|| flaw.about().to_owned()),
        remedy: flaw.remedy().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run in which these scenarios have these symptoms.
    fn symptoms(scenarios: &[(&str, &[&str])]) -> Symptoms {
        let scenarios = (1..).zip(scenarios).map(|(number, (name, symptoms))| {
            let symptoms = symptoms.iter().map(|symptom| (*symptom).to_owned());
            let symptoms = symptoms.collect();
            let found = ScenarioSymptoms {
                number,
                symptoms,
                // As in a name of a scenario of these tests.
                only_warns: name.contains("warned"),
            };
            ((*name).to_owned(), found)
        });
        Symptoms::of(scenarios.collect())
    }

    fn dictionary() -> FaultDictionary {
        let run = |flaw, of_redelivery: &[&str], of_layout: &[&str]| {
            let scenarios = [("a/redelivery", of_redelivery), ("a/layout", of_layout)];
            (
                flaw,
                symptoms(&[&scenarios[..], &[("a/plain", &[])]].concat()),
            )
        };
        let repeated = &["granted twice"][..];
        let text = FaultDictionary::text_of(
            "",
            &[
                run(Flaw::DedupeMissing, repeated, &[]),
                run(Flaw::DedupeBySignature, repeated, &[]),
                run(Flaw::RedeliveryAnswered409, &["2 status 4xx"], &[]),
                run(Flaw::BodyTrimmed, &[], &["1 status 4xx"]),
            ],
        );
        FaultDictionary::from_file(&serde_json::from_str(&text).expect("a dictionary"))
    }

    fn causes(scenarios: &[(&str, &[&str])]) -> Vec<(Certainty, Vec<String>, Vec<usize>)> {
        let causes = dictionary().likely_causes(&symptoms(scenarios));
        let causes = causes.into_iter().map(|cause| {
            let flaws = std::iter::once(cause.bug).chain(cause.or);
            let flaws = flaws.map(|bug| bug.flaw).collect();
            (cause.certainty, flaws, cause.scenarios)
        });
        causes.collect()
    }

    #[test]
    fn what_fails_in_the_same_way_is_the_likely_cause() {
        let passed = ("a/plain", &[][..]);
        assert_eq!(causes(&[passed, ("a/redelivery", &[])]), []);
        assert_eq!(
            causes(&[
                passed,
                ("a/redelivery", &["2 status 4xx"]),
                ("a/layout", &[])
            ]),
            [(
                Certainty::Likely,
                vec!["redelivery_answered_409".to_owned()],
                vec![2]
            )]
        );
        // What can't be told apart is said together.
        let both = ["dedupe_missing", "dedupe_by_signature"].map(str::to_owned);
        let (certainty, mut flaws, _) = causes(&[passed, ("a/redelivery", &["granted twice"])])
            .pop()
            .expect("a cause");
        flaws.sort_by_key(|flaw| both.iter().position(|one| one == flaw));
        assert_eq!((certainty, &*flaws), (Certainty::Likely, &both[..]));
    }

    #[test]
    fn two_bugs_are_two_causes_and_what_fits_nothing_is_none() {
        let scenarios = [
            ("a/redelivery", &["2 status 4xx"][..]),
            ("a/layout", &["1 status 4xx"][..]),
        ];
        let flaws: Vec<Vec<String>> = causes(&scenarios)
            .into_iter()
            .map(|(_, flaws, _)| flaws)
            .collect();
        assert_eq!(
            flaws,
            [
                vec![
                    "body_trimmed".to_owned(),
                    "redelivery_answered_409".to_owned()
                ],
                vec!["redelivery_answered_409".to_owned()]
            ]
        );
        assert_eq!(causes(&[("a/plain", &["1 status 5xx"])]), []);
    }

    #[test]
    fn a_bug_that_would_show_elsewhere_too_is_only_possible() {
        let [one, two, three] = ["a/one", "a/two", "a/three"].map(|name| (name, &["lost"][..]));
        let text =
            FaultDictionary::text_of("", &[(Flaw::QuantityFloat, symptoms(&[one, two, three]))]);
        let file: DictionaryFile = serde_json::from_str(&text).expect("a dictionary");
        let dictionary = FaultDictionary::from_file(&file);
        for (run, certainty) in [
            (&[one][..], Certainty::Possible),
            (&[one, two], Certainty::Likely),
        ] {
            let causes = dictionary.likely_causes(&symptoms(run));
            let certainties = causes.into_iter().map(|cause| cause.certainty);
            assert_eq!(certainties.collect::<Vec<_>>(), [certainty]);
        }
    }

    #[test]
    fn what_failed_says_more_than_what_only_warns() {
        let run =
            |flaw, scenario: &str, symptom: &str| (flaw, symptoms(&[(scenario, &[symptom][..])]));
        let text = FaultDictionary::text_of(
            "",
            &[
                run(Flaw::RedeliveryAnsweredOtherwise, "a/warned", "2 body"),
                run(Flaw::QuantityFloat, "a/quantity", "too little"),
            ],
        );
        let file: DictionaryFile = serde_json::from_str(&text).expect("a dictionary");
        let observed = symptoms(&[("a/warned", &["2 body"]), ("a/quantity", &["too little"])]);
        let causes = FaultDictionary::from_file(&file).likely_causes(&observed);
        let flaws = causes.iter().map(|cause| cause.bug.flaw.as_str());
        let flaws: Vec<&str> = flaws.collect();
        assert_eq!(flaws, ["quantity_float", "redelivery_answered_otherwise"]);
    }

    #[test]
    fn the_bundled_dictionary_has_every_flaw() {
        let text = include_str!("fault_dictionary.json");
        serde_json::from_str::<DictionaryFile>(text).expect("a dictionary");
        let known: Vec<Flaw> = FaultDictionary::bundled().0.keys().copied().collect();
        assert_eq!(known, Flaw::ALL);
    }
}
