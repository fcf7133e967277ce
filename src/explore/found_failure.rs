//! A failure that an exploration found, as a scenario.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::failure_class::FailureClass;
use super::history::History;
use super::kind::Kind;
use crate::generate::Seed;
use crate::run::RunEvent;
use crate::verify::Verdict;

/// Where the case that found a failure came from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// It was drawn from this seed, without these kinds.
    Drawn(Seed, BTreeSet<Kind>),
    /// It was in the corpus, or it needs what other cases did.
    Elsewhere,
}

/// A failure, shrunk to a small scenario that still shows it.
#[derive(Debug)]
pub(crate) struct FoundFailure {
    pub(super) class: FailureClass,
    pub(super) history: History,
    /// How often it failed, and how often it was tried.
    pub(super) seen: (u32, u32),
    /// Whether it failed again after the case that found it.
    pub(super) showed_again: bool,
    pub(super) origin: Origin,
    /// What happened in the last try that failed.
    pub(super) events: Vec<RunEvent>,
}

impl FoundFailure {
    /// The kinds that it needs.
    pub(super) fn kinds(&self) -> BTreeSet<Kind> {
        self.history.kinds()
    }

    /// How the last try that failed ended: failed, or warned if the game may mean it.
    pub(super) fn verdict(&self) -> Verdict {
        let ended = self.events.iter().find_map(|event| match event {
            RunEvent::ScenarioEnded(ended) => Some(ended.verdict),
            _ => None,
        });
        ended.unwrap_or(Verdict::Failed)
    }

    /// The file's name, without folder and extension.
    pub(crate) fn file_stem(&self) -> String {
        let kinds = self.history.main_kinds();
        let words = std::iter::once(self.class.slug()).chain(kinds.iter().map(|kind| kind.name()));
        words.take(5).collect::<Vec<_>>().join("_")
    }

    /// Whether it probably has the same reason as another: it differs only in numbers and names, or it
    /// does not show every time, so that what it needs is unknown.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let is_unstable = !self.showed_again || self.seen.0 < self.seen.1;
        self.class == other.class && (is_unstable || self.kinds() == other.kinds())
    }

    /// The events of a try that failed, with the name of the scenario's file.
    pub(crate) fn into_events(self, file: &str) -> Vec<RunEvent> {
        let (name, about) = (
            self.history.name(),
            about(self.class, self.seen, &self.origin),
        );
        let mut events = self.events;
        for event in &mut events {
            if let RunEvent::ScenarioStarted(started) = event {
                file.clone_into(&mut started.file);
                name.clone_into(&mut started.name);
                started.about = Some(about.clone());
            }
        }
        events
    }

    /// The text of its scenario file.
    pub(crate) fn scenario(&self) -> String {
        let about = about(self.class, self.seen, &self.origin);
        self.history.scenario_text(&about)
    }
}

fn about(class: FailureClass, (failed, tries): (u32, u32), origin: &Origin) -> String {
    let failed_if = if failed < tries {
        "It depends on timing, on chance or on earlier deliveries: it failed"
    } else {
        "It failed"
    };
    let mut about = format!(
        "Found by `aghook explore`: {class}. {failed_if} in {failed} of {tries} tries with new players and keys."
    );
    if let Origin::Drawn(seed, without) = origin {
        let _ = write!(
            about,
            " Find it again with: aghook explore --seed {seed} --cases 1"
        );
        if !without.is_empty() {
            let without: Vec<&str> = without.iter().map(|kind| kind.name()).collect();
            let _ = write!(about, " --without {}", without.join(","));
        }
    }
    about
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_shows_only_sometimes_says_so() {
        let text = |seen| about(FailureClass::TooMuch, seen, &Origin::Elsewhere);
        assert!(text((1, 9)).contains(
            "It depends on timing, on chance or on earlier deliveries: it failed in 1 of 9 tries"
        ));
        assert!(text((5, 5)).contains("It failed in 5 of 5 tries"));
    }
}
