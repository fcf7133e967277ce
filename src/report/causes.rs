//! What several scenarios fail of alike: a wrong secret, a receiver that answers 500 to everything, a
//! probe that can't be read. Reports for people say such a cause once, with how many scenarios and
//! checks it concerns, and of each scenario only what differs. Reports for programs have no part in
//! this: they keep one entry for each check.

mod answered_bodies;
mod genuine;
mod key;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::printable::printable;
use super::scenario_story::{ScenarioStory, is_trouble};
use crate::harness::{
    AttemptEnded, Check, ResponseRecord, ScenarioStarted, Verdict, VerdictCounts,
};
use answered_bodies::AnsweredBodies;
use genuine::GenuineAnswers;
use key::{Demanded, Key, Placed};

/// The fewest scenarios that share what was only seen to be alike.
const ALIKE: usize = 3;
/// The fewest checks that come of what is known to be one thing.
const KNOWN: usize = 2;

/// Gathers what went wrong in the scenarios of a run.
#[derive(Debug, Default)]
pub(super) struct Causes {
    tallies: BTreeMap<Key, Tally>,
    /// How many checks there were of each kind, those that hold among them.
    made: BTreeMap<Demanded, usize>,
    genuine: GenuineAnswers,
}

/// What came together of one cause.
#[derive(Debug)]
struct Tally {
    checks: VerdictCounts,
    scenarios: Vec<Concerned>,
    example: Example,
    bodies: AnsweredBodies,
}

/// A scenario that a cause concerns.
#[derive(Debug, Clone)]
pub(super) struct Concerned {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) file: String,
    pub(super) line: usize,
}

/// One of the checks that a cause concerns: of the gravest, the first.
#[derive(Debug, Clone)]
pub(super) struct Example {
    pub(super) scenario: Concerned,
    pub(super) check: Check,
    /// The step it belongs to, in words; none for an effect.
    pub(super) step: Option<String>,
    /// The attempt that it is about, if it is about one.
    pub(super) attempt: Option<AttemptEnded>,
}

/// A cause that several scenarios share.
#[derive(Debug, Clone)]
pub(super) struct Cause {
    /// From 1, the gravest first.
    pub(super) number: usize,
    pub(super) verdict: Verdict,
    /// What is wrong, in a line.
    pub(super) title: String,
    pub(super) checks: VerdictCounts,
    /// In the order of their numbers.
    pub(super) scenarios: Vec<Concerned>,
    pub(super) example: Example,
    /// What was answered, where not all said the same: there may be more causes than one.
    pub(super) answers: Option<String>,
}

/// The causes that scenarios of a run share.
#[derive(Debug, Default)]
pub(super) struct SharedCauses {
    pub(super) causes: Vec<Cause>,
    numbers: BTreeMap<Key, usize>,
    /// What all genuine deliveries have in common, where that is wrong, and what to do about it.
    pub(super) advice: Option<String>,
}

impl Causes {
    /// Takes a scenario that is over.
    pub(super) fn observe(&mut self, story: &ScenarioStory) {
        self.genuine.observe(story);
        for placed in key::checks(story) {
            *self.made.entry(placed.demanded()).or_default() += 1;
            if !is_trouble(placed.check) {
                continue;
            }
            let concerned = Concerned::new(&story.started);
            match self.tallies.entry(placed.key()) {
                Entry::Occupied(known) => known.into_mut().add(&placed, story, concerned),
                Entry::Vacant(new) => _ = new.insert(Tally::new(&placed, story, concerned)),
            }
        }
    }

    /// The causes that scenarios share, once all are over.
    pub(super) fn shared(&self) -> SharedCauses {
        let shared = self.tallies.iter().filter(|(key, tally)| {
            let checks = tally.checks.total();
            if key.is_known() {
                return checks >= KNOWN;
            }
            let made = self.made.get(&key.demanded()).copied().unwrap_or_default();
            tally.scenarios.len() >= ALIKE && key.is_systemic(checks, made)
        });
        let mut shared: Vec<_> = shared.collect();
        shared.sort_by_key(|(_, tally)| {
            std::cmp::Reverse((tally.checks.verdict(), tally.scenarios.len()))
        });
        let numbers = shared.iter().enumerate();
        let numbers = numbers.map(|(index, (key, _))| ((*key).clone(), index + 1));
        let causes = shared.iter().enumerate();
        let causes: Vec<Cause> = causes
            .map(|(index, (key, tally))| Cause::new(index + 1, key, tally))
            .collect();
        SharedCauses {
            numbers: numbers.collect(),
            advice: self.genuine.advice(),
            causes,
        }
    }
}

impl SharedCauses {
    /// The checks of a scenario that fail of something else than a shared cause, and the numbers of the
    /// causes that it shares.
    pub(super) fn besides<'story>(
        &self,
        story: &'story ScenarioStory,
    ) -> (Vec<&'story Check>, Vec<usize>) {
        let (mut checks, mut numbers) = (Vec::new(), Vec::new());
        for placed in key::checks(story).filter(|placed| is_trouble(placed.check)) {
            match self.numbers.get(&placed.key()) {
                Some(number) => numbers.push(*number),
                None => checks.push(placed.check),
            }
        }
        checks.extend(story.of_snapshot());
        numbers.sort_unstable();
        numbers.dedup();
        (checks, numbers)
    }

    /// What of a scenario has no part in a shared cause, and the numbers of those that it shares.
    pub(super) fn taken_from(&self, mut story: ScenarioStory) -> (ScenarioStory, Vec<usize>) {
        let mut numbers = Vec::new();
        let troubles = key::checks(&story).filter(|placed| is_trouble(placed.check));
        let shared: Vec<_> = troubles
            .filter_map(|placed| Some((placed.place, *self.numbers.get(&placed.key())?)))
            .collect();
        for (place, number) in shared {
            place.remove(&mut story);
            numbers.push(number);
        }
        numbers.sort_unstable();
        numbers.dedup();
        (story, numbers)
    }
}

/// `cause 1`, or `causes 1, 2`.
pub(super) fn causes_in_words(numbers: &[usize]) -> String {
    let noun = if numbers.len() == 1 {
        "cause"
    } else {
        "causes"
    };
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    format!("{noun} {}", numbers.join(", "))
}

impl Concerned {
    fn new(started: &ScenarioStarted) -> Self {
        Self {
            number: started.scenario,
            name: printable(&started.name),
            file: started.file.clone(),
            line: started.line,
        }
    }
}

impl Tally {
    fn new(placed: &Placed<'_>, story: &ScenarioStory, scenario: Concerned) -> Self {
        let mut checks = VerdictCounts::default();
        checks.add(placed.check.verdict);
        let mut bodies = AnsweredBodies::default();
        bodies.observe_attempt(placed.attempt(story));
        Self {
            checks,
            scenarios: vec![scenario.clone()],
            example: Example::new(placed, story, scenario),
            bodies,
        }
    }

    fn add(&mut self, placed: &Placed<'_>, story: &ScenarioStory, scenario: Concerned) {
        self.checks.add(placed.check.verdict);
        self.bodies.observe_attempt(placed.attempt(story));
        let rank = |verdict: Verdict, number: usize| (std::cmp::Reverse(verdict), number);
        let known = &self.example;
        if rank(placed.check.verdict, scenario.number)
            < rank(known.check.verdict, known.scenario.number)
        {
            self.example = Example::new(placed, story, scenario.clone());
        }
        // A scenario is told of once, all at a time.
        if self
            .scenarios
            .last()
            .is_none_or(|last| last.number != scenario.number)
        {
            self.scenarios.push(scenario);
        }
    }
}

impl Example {
    fn new(placed: &Placed<'_>, story: &ScenarioStory, scenario: Concerned) -> Self {
        let step = placed
            .step
            .map(|step| format!("step {}: {}", step.step, printable(&step.description)));
        Self {
            scenario,
            check: placed.check.clone(),
            step,
            attempt: placed.attempt(story).cloned(),
        }
    }
}

impl Cause {
    fn new(number: usize, key: &Key, tally: &Tally) -> Self {
        let mut scenarios = tally.scenarios.clone();
        scenarios.sort_by_key(|scenario| scenario.number);
        Self {
            number,
            verdict: tally.checks.verdict(),
            title: key.in_words(),
            checks: tally.checks,
            scenarios,
            example: tally.example.clone(),
            answers: tally.bodies.in_words(),
        }
    }

    /// The example in a line, where that says more than the title.
    pub(super) fn example_in_words(&self) -> Option<String> {
        let Example {
            scenario,
            check,
            step,
            ..
        } = &self.example;
        if let (Some(step), None) = (step, &check.cause) {
            return Some(format!("“{}”, {step}", scenario.name));
        }
        let says_more = check.cause.as_ref() != Some(&check.observed);
        says_more.then(|| {
            let (subject, observed) = (&check.subject, printable(&check.observed));
            format!("“{}”, {subject}: {observed}", scenario.name)
        })
    }

    /// What the example was answered: its status, or why there was no answer.
    pub(super) fn answer(&self) -> Option<String> {
        Some(match &self.example.attempt.as_ref()?.answer {
            ResponseRecord::Response { status, .. } => status.to_string(),
            ResponseRecord::Failure { name, .. } => name.to_string(),
        })
    }
}
