//! A scenario in the list: what is told of it before it is opened, and without a script.

use super::Finished;
use super::latency::in_words;
use crate::harness::{Check, Verdict};
use crate::report::counts::counted;
use crate::report::printable::printable;
use crate::report::scenario_story::{ScenarioStory, in_one_line};

/// The most checks of a scenario that are told without a script.
const TROUBLE_LIMIT: usize = 20;

/// What the template shows of a scenario. The template escapes all of it.
pub(super) struct Row {
    pub(super) number: usize,
    pub(super) verdict: Shown,
    pub(super) name: String,
    pub(super) about: String,
    pub(super) tags: Vec<String>,
    pub(super) place: String,
    /// How many checks, attempts and milliseconds.
    pub(super) facts: String,
    pub(super) attempts: usize,
    pub(super) took_seconds: f64,
    /// The gravest check in a line.
    pub(super) first_trouble: Option<String>,
    pub(super) troubles: Vec<Trouble>,
    /// The events for the script; none where there was no room.
    pub(super) data: Option<String>,
}

/// A check that does not hold.
pub(super) struct Trouble {
    pub(super) verdict: Shown,
    pub(super) subject: String,
    pub(super) expected: String,
    pub(super) observed: String,
    pub(super) hint: Option<String>,
}

/// A verdict on the page: a word, a mark of its own shape, and the class that colours it.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Shown {
    pub(in crate::report) word: &'static str,
    pub(in crate::report) mark: &'static str,
    pub(in crate::report) class: &'static str,
}

impl Shown {
    pub(in crate::report) fn new(verdict: Verdict) -> Self {
        let (word, mark, class) = match verdict {
            Verdict::Passed => ("passed", "✓", "passed"),
            Verdict::NotChecked => ("not checked", "?", "not_checked"),
            Verdict::Warned => ("warned", "!", "warned"),
            Verdict::Broken => ("broken", "‼", "broken"),
            Verdict::Failed => ("failed", "✗", "failed"),
        };
        Self { word, mark, class }
    }
}

impl Row {
    pub(super) fn new(finished: &Finished, data: Option<String>) -> Self {
        let (story, ended) = (&finished.story, &finished.ended);
        let started = &story.started;
        let about = started.about.as_deref().unwrap_or_default();
        let skipped = match (ended.verdict, ended.checks.not_checked) {
            (Verdict::NotChecked, _) | (_, 0) => String::new(),
            (_, count) => format!(" ({count} not checked)"),
        };
        Self {
            number: ended.scenario,
            verdict: Shown::new(ended.verdict),
            name: printable(&started.name),
            about: about.split_whitespace().collect::<Vec<_>>().join(" "),
            tags: started.tags.clone(),
            place: format!("{}:{}", started.file, started.line),
            facts: format!(
                "{}{skipped} · {} · {}",
                counted(ended.checks.total(), "check"),
                counted(finished.attempts, "attempt"),
                in_words(ended.took.as_secs_f64())
            ),
            attempts: finished.attempts,
            took_seconds: ended.took.as_secs_f64(),
            first_trouble: first_trouble(story, ended.verdict),
            troubles: story
                .troubles()
                .take(TROUBLE_LIMIT)
                .map(Trouble::new)
                .collect(),
            data,
        }
    }
}

fn first_trouble(story: &ScenarioStory, verdict: Verdict) -> Option<String> {
    let of_verdict = |check: &&Check| check.verdict == verdict;
    let mut gravest = story.troubles().filter(of_verdict);
    let first = in_one_line(gravest.next()?);
    Some(match gravest.count() {
        0 => first,
        more => format!("{first} (and {more} more)"),
    })
}

impl Trouble {
    fn new(check: &Check) -> Self {
        Self {
            verdict: Shown::new(check.verdict),
            subject: printable(&check.subject),
            expected: printable(&check.expected),
            observed: printable(&check.observed),
            hint: check.hint.as_deref().map(printable),
        }
    }
}
