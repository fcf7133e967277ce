//! What a plan would do, in words: for a look before anything is sent.

use super::description::describe;
use super::expectation::expected_in_words;
use super::lacking::Lacking;
use super::order::in_order;
use super::plan::{Plan, PlannedEvent};
use super::watched_effect::WatchedEffect;
use crate::delivery::HttpVersion;
use crate::protocol::{Event, Field};
use crate::scenario::{Forgery, Policy, Step};

/// What is known of the receiver, as far as it decides what can be checked.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The names of the profile's probes.
    pub probes: Vec<String>,
    /// Whether the receiver can be told how to answer.
    pub script: bool,
    /// Whether the receiver can be restarted.
    pub restart: bool,
    /// Whether the secret before the present one is known.
    pub expired_secret: bool,
    /// The versions of HTTP that are spoken.
    pub http_version: HttpVersion,
    /// What is right where Aghanim leaves the choice to the game.
    pub policy: Policy,
}

/// A scenario before it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Its name, with the choice of its matrix.
    pub name: String,
    /// The file.
    pub file: String,
    /// Where in the file its name stands, from 1.
    pub line: usize,
    /// Its events, by their names in the scenario.
    pub events: Vec<(String, String)>,
    /// Its steps in their order.
    pub steps: Vec<OutlinedPart>,
    /// Its effects.
    pub effects: Vec<OutlinedPart>,
}

/// A step or an effect before it is made or looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlinedPart {
    /// What it does, or what is demanded.
    pub text: String,
    /// Why it is not checked, if it is not, and what to do about it.
    pub not_checked: Option<(String, String)>,
    /// What is expected of each answer, in a line each.
    pub expectations: Vec<String>,
}

impl Plan {
    /// What this plan would do.
    pub fn outline(&self, surroundings: &Surroundings) -> Outline {
        let events = self.events.iter();
        let mut steps = Vec::new();
        // A step that can't be made ends the scenario, and nothing after it is looked at.
        let mut ends: Option<Lacking> = self.lacking.clone();
        for (index, step) in self.case.scenario.steps.iter().enumerate() {
            ends = ends.or_else(|| surroundings.lacking(step));
            let expectations = self.expectations.get(index).into_iter().flatten();
            let expectations = expectations.flat_map(expected_in_words).collect();
            steps.push(OutlinedPart {
                expectations,
                ..OutlinedPart::new(self.step(index + 1, step), ends.as_ref())
            });
        }
        Outline {
            name: self.case.title(),
            file: self.case.source.name.to_string(),
            line: self.case.line,
            events: events
                .map(|(name, event)| (name.clone(), in_words(event)))
                .collect(),
            steps,
            effects: self.outlined_effects(surroundings, ends.as_ref()),
        }
    }

    fn step(&self, number: usize, step: &Step) -> String {
        let deliveries = in_order(self, number, step).len();
        let text = describe(step);
        if deliveries > 1 {
            return format!("{text}, {deliveries} deliveries");
        }
        text
    }

    fn outlined_effects(
        &self,
        surroundings: &Surroundings,
        ends: Option<&Lacking>,
    ) -> Vec<OutlinedPart> {
        let effects = self.case.scenario.effects.iter().zip(&self.effect_demands);
        let watched = effects.filter_map(|(effect, demand)| {
            WatchedEffect::new(self, effect, demand, surroundings.policy, None)
        });
        watched
            .map(|effect| {
                let mut probes: Vec<&str> = effect
                    .questions
                    .iter()
                    .map(|(probe, ..)| probe.as_str())
                    .collect();
                probes.dedup();
                let missing = probes.iter().find(|probe| !surroundings.has_probe(probe));
                let missing = missing.map(|probe| Lacking::Probe((*probe).to_owned()));
                let probes: Vec<String> = probes.iter().map(|probe| format!("`{probe}`")).collect();
                let text = format!(
                    "{}: {}, by the probe {}",
                    effect.subject,
                    effect.expected(),
                    probes.join(", ")
                );
                OutlinedPart::new(text, ends.or(missing.as_ref()))
            })
            .collect()
    }
}

impl Surroundings {
    fn has_probe(&self, name: &str) -> bool {
        self.probes.iter().any(|probe| probe == name)
    }

    /// What a step needs and is not there.
    fn lacking(&self, step: &Step) -> Option<Lacking> {
        if step.script.is_some() && !self.script {
            return Some(Lacking::Script);
        }
        if step.restart && !self.restart {
            return Some(Lacking::Restart);
        }
        let forged = step.forge.map(|forgery| forgery.value);
        if forged == Some(Forgery::ExpiredSecret) && !self.expired_secret {
            return Some(Lacking::ExpiredSecret);
        }
        let fault = step.fault.map(|fault| fault.value);
        let http2_only = self.http_version == HttpVersion::Http2;
        let unplayable = fault.filter(|fault| http2_only && fault.needs_http1());
        unplayable.map(Lacking::Http1)
    }
}

impl OutlinedPart {
    fn new(text: String, lacking: Option<&Lacking>) -> Self {
        let not_checked = lacking.map(|lacking| (lacking.reason(), lacking.hint()));
        Self {
            text,
            not_checked,
            expectations: Vec::new(),
        }
    }
}

/// An event in a line.
fn in_words(planned: &PlannedEvent) -> String {
    let bytes = planned.body.len();
    let Some(event) = &planned.event else {
        return format!("no valid event, {bytes} bytes");
    };
    let data = &event.event_data;
    let item = &data.item;
    let mut text = format!(
        "{} {} for player {}, coupon {}",
        item.quantity, item.sku, data.player_id, data.coupon.code
    );
    if let Field::Value(nested) = &item.nested_items {
        let nested: Vec<String> = nested
            .iter()
            .map(|item| format!("{} {}", item.quantity, item.sku))
            .collect();
        text = format!("{text}, a bundle of {}", nested.join(" and "));
    }
    if let Field::Value(fallback) = &item.fallback_item {
        text = format!("{text}, or else {} {}", fallback.quantity, fallback.sku);
    }
    for (marked, word) in [(event.sandbox, "sandbox"), (is_test(event), "test")] {
        if marked {
            text = format!("{text}, {word}");
        }
    }
    format!("{text}, {bytes} bytes")
}

fn is_test(event: &Event) -> bool {
    matches!(&event.trigger, Field::Value(trigger) if trigger.as_ref() == Event::TRIGGER_TEST)
}
