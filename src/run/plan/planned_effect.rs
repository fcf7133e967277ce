//! The effects of a plan, each with its event.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{PlannedEvent, Planner};
use crate::probe::QUANTITY_PROBE;
use crate::protocol::Event;
use crate::scenario::document::{Spanned, nearest};
use crate::scenario::{Action, Effect, EventRef, ExpectedEffect, Policy, Shareable};
use crate::verify::{EffectProbe, Redemption, RedemptionEvent, Requirement, named_skus};

#[derive(Debug)]
pub(crate) struct PlannedEffect {
    effect: Effect,
    event: Event,
    redemption: Redemption,
    /// The SKUs of events whose players are easily taken for this event's player.
    similar_players_skus: BTreeSet<String>,
    requirement: Requirement,
}

impl PlannedEffect {
    pub(crate) fn probe(&self, policy: Policy, settle: Option<Duration>) -> EffectProbe<'_> {
        EffectProbe::new(
            &self.effect,
            &self.event,
            &self.redemption,
            &self.requirement,
            policy,
            settle,
        )
        .watching(&self.similar_players_skus)
    }

    pub(crate) fn has_bundle(&self) -> bool {
        let mut items = self.event.event_data.named_items();
        items.any(|item| !item.nested_items.as_slice().is_empty())
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
        let name = &effect.expected.event().name;
        Some(PlannedEffect {
            effect: effect.clone(),
            event: event?.clone(),
            redemption: self.redemption(effect.expected.event(), events),
            similar_players_skus: self.similar_players_skus(name, events),
            requirement: self.requirement(effect.level, effect.source.as_ref()),
        })
    }

    /// The events of the redemption of an effect's event that the scenario delivers without forgery.
    fn redemption(&self, event: &EventRef, planned: &[Option<PlannedEvent>]) -> Redemption {
        let scenario = &self.case.scenario;
        let coupon_of = |name: &str| {
            let spec = scenario.events.get(name)?;
            let coupon_event = spec.coupon_event.as_ref()?;
            Some(coupon_event.value.clone())
        };
        let coupon = coupon_of(&event.name).unwrap_or_else(|| event.name.clone());
        let is_delivered = |name: &str| {
            scenario.steps.iter().any(|step| match &step.action {
                Action::Deliver(deliver) => {
                    deliver.forge.is_none() && deliver.events.iter().any(|event| event.name == name)
                }
                _ => false,
            })
        };
        let names = scenario.events.keys().zip(planned);
        let events = names.filter_map(|(name, planned)| {
            let made_for = coupon_of(name);
            let is_part = *name == coupon || made_for.as_ref() == Some(&coupon);
            let kind = planned.as_ref()?.event.as_ref()?.kind();
            (is_part && is_delivered(name)).then(|| RedemptionEvent {
                name: name.clone(),
                // An event whose type is `set` to another one is judged like a coupon.
                kind: kind.unwrap_or_default(),
                is_made_for_coupon: made_for.is_some(),
            })
        });
        Redemption {
            events: events.collect(),
        }
    }

    /// The SKUs of events whose players are easily taken for this event's player: it must not get them.
    fn similar_players_skus(
        &self,
        name: &str,
        events: &[Option<PlannedEvent>],
    ) -> BTreeSet<String> {
        let specs = &self.case.scenario.events;
        let is_like = |one: &str, other: &str| match specs.get(one).map(|spec| &spec.player_id) {
            Some(Some(Shareable::Like { event, .. })) => event.value == other,
            _ => false,
        };
        let similar = specs
            .keys()
            .zip(events)
            .filter(|(other, _)| is_like(name, other) || is_like(other, name));
        let events = similar.filter_map(|(_, planned)| planned.as_ref()?.event.as_ref());
        events.flat_map(named_skus).collect()
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
