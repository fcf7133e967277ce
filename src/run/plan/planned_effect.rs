//! The effects of a plan, each with its event.

use std::time::Duration;

use super::{PlannedEvent, Planner};
use crate::probe::QUANTITY_PROBE;
use crate::protocol::Event;
use crate::scenario::document::{Spanned, nearest};
use crate::scenario::{Effect, ExpectedEffect, Policy};
use crate::verify::{EffectProbe, Requirement};

#[derive(Debug)]
pub(crate) struct PlannedEffect {
    effect: Effect,
    event: Event,
    requirement: Requirement,
}

impl PlannedEffect {
    pub(crate) fn probe(&self, policy: Policy, settle: Option<Duration>) -> EffectProbe<'_> {
        EffectProbe::new(&self.effect, &self.event, &self.requirement, policy, settle)
    }

    /// Whether it expects that the event is granted.
    pub(crate) fn is_grant(&self) -> bool {
        matches!(self.effect.expected, ExpectedEffect::Granted { .. })
    }
}

impl Planner<'_> {
    /// Prepares an effect. Reports its mistakes, and returns `None` if it can't be checked because of
    /// one. In `events`, those with mistakes are missing.
    pub(super) fn effect(
        &mut self,
        effect: &Effect,
        events: &[Option<PlannedEvent>],
    ) -> Option<PlannedEffect> {
        let help = "name an event with a player and an item";
        let event = self.valid_event(effect.expected.event(), events, "effect", help);
        if let ExpectedEffect::Probe { probe, .. } = &effect.expected {
            self.check_probe(probe);
        }
        Some(PlannedEffect {
            effect: effect.clone(),
            event: event?.clone(),
            requirement: self.requirement(effect.level, effect.source.as_ref()),
        })
    }

    fn check_probe(&mut self, probe: &Spanned<String>) {
        let known = &self.settings.probes;
        if probe.value == QUANTITY_PROBE || known.contains(&probe.value) {
            return;
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
        self.report(probe.span, message, Some(help));
    }
}
