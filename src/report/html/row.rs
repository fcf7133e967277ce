//! A scenario in the list: what is told of it before it is opened, and without a script.

use super::Finished;
use super::latency::in_words;
use crate::harness::{Check, Verdict};
use crate::report::causes::{SharedCauses, causes_in_words};
use crate::report::counts::counted;
use crate::report::printable::printable;
use crate::report::scenario_story::{ScenarioStory, in_one_line, is_trouble};

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
    /// The gravest check in a line, but for what is said of a shared cause.
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
    pub(super) fn new(finished: &Finished, data: Option<String>, shared: &SharedCauses) -> Self {
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
            first_trouble: first_trouble(story, shared),
            troubles: story
                .troubles()
                .take(TROUBLE_LIMIT)
                .map(Trouble::new)
                .collect(),
            data,
        }
    }
}

/// The gravest check that no shared cause explains, in a line, and the causes that are shared.
fn first_trouble(story: &ScenarioStory, shared: &SharedCauses) -> Option<String> {
    let (checks, numbers) = shared.besides(story);
    let wrong = checks.iter().filter(|check| is_trouble(check));
    let worst = wrong.clone().map(|check| check.verdict).max();
    let mut gravest = wrong.filter(|check| Some(check.verdict) == worst);
    let causes = (!numbers.is_empty()).then(|| causes_in_words(&numbers));
    let Some(first) = gravest.next().map(|check| in_one_line(check)) else {
        return causes;
    };
    let more = match gravest.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let besides = causes.map_or(String::new(), |causes| format!(", besides {causes}"));
    Some(format!("{first}{more}{besides}"))
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
