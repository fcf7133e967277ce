//! The effects of a plan, each with its event.

use std::time::Duration;

use super::{PlannedEvent, Planner};
use crate::probe::QUANTITY_PROBE;
use crate::protocol::Event;
use crate::scenario::document::{Diagnostics, Spanned, nearest};
use crate::scenario::{Effect, ExpectedEffect, Policy};
use crate::verify::{EffectProbe, Requirement};

#[derive(Debug)]
pub(crate) struct PlannedEffect {
    effect: Effect,
    event: Event,
    requirement: Requirement,
}

impl PlannedEffect {
    /// The probes that it reads, under a profile's policy and grace period.
    pub(crate) fn probe(&self, policy: Policy, settle: Option<Duration>) -> EffectProbe<'_> {
        EffectProbe::new(&self.effect, &self.event, &self.requirement, policy, settle)
    }
}

impl Planner<'_> {
    /// Prepares an effect. Adds its mistakes to `problems`, and returns `None` if it can't be checked
    /// because of one. In `events`, those with mistakes are missing.
    pub(super) fn effect(
        &self,
        effect: &Effect,
        events: &[Option<PlannedEvent>],
        problems: &mut Diagnostics,
    ) -> Option<PlannedEffect> {
        let help = "name an event with a player and an item";
        let event = self.valid_event(effect.expected.event(), events, "effect", help, problems);
        if let ExpectedEffect::Number { probe, .. } = &effect.expected {
            problems.extend(
                self.unknown_probe(probe)
                    .into_iter()
                    .flat_map(|found| found.0),
            );
        }
        Some(PlannedEffect {
            effect: effect.clone(),
            event: event?.clone(),
            requirement: self.requirement(effect.level, effect.source.as_ref()),
        })
    }

    fn unknown_probe(&self, probe: &Spanned<String>) -> Option<Diagnostics> {
        let known = &self.settings.probes;
        if probe.value == QUANTITY_PROBE || known.contains(&probe.value) {
            return None;
        }
        let names = known.iter().map(String::as_str).chain([QUANTITY_PROBE]);
        let help = match nearest(probe, names) {
            Some(name) => format!("did you mean `{name}`?"),
            None if known.is_empty() => "add it to `probes` in the profile".to_owned(),
            None => format!(
                "add it to `probes` in the profile; known probes: {}",
                known.join(", ")
            ),
        };
        let message = format!("unknown probe `{}`", probe.value);
        Some(self.problem(probe.span, message, Some(help)))
    }
}
