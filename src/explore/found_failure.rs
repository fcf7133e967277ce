//! A failure that an exploration found, as a scenario.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::failure_class::FailureClass;
use super::history::History;
use super::kind::Kind;
use crate::generate::Seed;
use crate::run::RunEvent;

/// A failure, shrunk to a small scenario that still shows it.
#[derive(Debug)]
pub(crate) struct FoundFailure {
    pub(super) class: FailureClass,
    pub(super) history: History,
    /// How often it failed, and how often it was tried.
    pub(super) seen: (u32, u32),
    /// The seed and the left-out kinds of the case that found it.
    pub(super) origin: (Seed, BTreeSet<Kind>),
    /// What happened in the last try that failed.
    pub(super) events: Vec<RunEvent>,
}

impl FoundFailure {
    /// The kinds that it needs.
    pub(super) fn kinds(&self) -> BTreeSet<Kind> {
        self.history.kinds()
    }

    /// The file's name, without folder and extension.
    pub(crate) fn file_stem(&self) -> String {
        let kinds = self.kinds();
        let words = std::iter::once(self.class.slug()).chain(kinds.iter().map(|kind| kind.name()));
        words.take(5).collect::<Vec<_>>().join("_")
    }

    /// Whether it probably has the same reason as another: it differs only in numbers and names, or it
    /// does not show every time, so that what it needs is unknown.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let is_unstable = self.seen.0 < self.seen.1;
        self.class == other.class && (is_unstable || self.kinds() == other.kinds())
    }

    /// The events of a try that failed, with the name of the scenario's file.
    pub(crate) fn into_events(self, file: &str) -> Vec<RunEvent> {
        let (name, about) = (
            name(&self.history),
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
        self.history.scenario_text(&name(&self.history), &about)
    }
}

fn name(history: &History) -> String {
    let kinds = history.kinds();
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.about()).collect();
    let with = if kinds.is_empty() { "" } else { " with " };
    format!(
        "each coupon is granted exactly once{with}{}",
        kinds.join(", ")
    )
}

fn about(
    class: FailureClass,
    (failed, tries): (u32, u32),
    (seed, without): &(Seed, BTreeSet<Kind>),
) -> String {
    let mut about = format!(
        "Found by `aghook explore`: {class}. It failed in {failed} of {tries} tries with new players and \
         keys. Find it again with: aghook explore --seed {seed} --cases 1"
    );
    if !without.is_empty() {
        let without: Vec<&str> = without.iter().map(|kind| kind.name()).collect();
        let _ = write!(about, " --without {}", without.join(","));
    }
    about
}

impl History {
    /// The same history with short names for its events.
    pub(super) fn renamed(&self) -> Self {
        let names: Map<String, Value> = match self.events.len() {
            1 => self
                .events
                .keys()
                .map(|name| (name.clone(), "coupon".into()))
                .collect(),
            _ => (1..)
                .zip(self.events.keys())
                .map(|(number, name)| (name.clone(), format!("coupon_{number}").into()))
                .collect(),
        };
        let new = |name: &str| {
            names
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or(name)
                .to_owned()
        };
        let mut renamed = Self::default();
        for (name, event) in &self.events {
            renamed.events.insert(new(name), with_names(event, &new));
        }
        renamed.steps = self
            .steps
            .iter()
            .map(|step| with_names(step, &new))
            .collect();
        renamed
    }
}

/// Replaces the names of events in an event or a step.
fn with_names(value: &Value, new: &impl Fn(&str) -> String) -> Value {
    let Value::Object(keys) = value else {
        return value.clone();
    };
    let replaced = keys.iter().map(|(key, value)| {
        let value = match (key.as_str(), value) {
            ("deliver" | "of" | "for" | "same_as" | "like", Value::String(name)) => {
                new(name).into()
            }
            ("deliver", Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .map(new)
                .collect::<Vec<_>>()
                .into(),
            _ => with_names(value, new),
        };
        (key.clone(), value)
    });
    Value::Object(replaced.collect())
}
