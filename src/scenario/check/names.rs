//! Checks that the events a scenario refers to exist.

use super::Checker;
use crate::scenario::document::{Diagnostics, Node, SourceFile, Spanned, did_you_mean};
use crate::scenario::effect::EffectKeys;
use crate::scenario::event_spec::EventSpec;
use crate::scenario::scenario_model::ScenarioKeys;
use crate::scenario::step::{EventRef, StepKeys};
use crate::scenario::{Shareable, SharedId};

/// Finds references to unknown events in a partly decoded scenario. `tree` is the complete file.
pub(in crate::scenario) fn check_names(
    source: &SourceFile,
    tree: &Node,
    part: &ScenarioKeys,
) -> Diagnostics {
    let mut checker = Checker::new(source, tree, part);
    for event in part.events.values() {
        checker.check_shared_events(&event.value);
    }
    for step in &part.steps {
        checker.events_of_step(&step.value);
    }
    for effect in &part.effects {
        checker.events_of_effect(&effect.value);
    }
    checker.found
}

/// The events that a step refers to; `None` for those that are unknown or not given.
pub(super) struct EventsOfStep {
    /// The events to deliver, if all of them are known.
    pub(super) delivered: Option<Vec<EventRef>>,
    pub(super) requested: Option<EventRef>,
    pub(super) scripted: Option<EventRef>,
    pub(super) hooked: Option<EventRef>,
}

impl Checker<'_> {
    pub(super) fn check_shared_events(&mut self, event: &EventSpec) {
        let ids = SharedId::ALL.iter().filter_map(|id| id.of(event));
        for other in ids.filter_map(Shareable::other_event) {
            self.event(other);
        }
        if let Some(coupon_event) = &event.coupon_event {
            self.event(coupon_event);
        }
    }

    pub(super) fn events_of_step(&mut self, step: &StepKeys) -> EventsOfStep {
        let request = step.request.as_ref();
        let requested = request.and_then(|request| request.of.as_ref());
        let scripted = step.script.as_ref().map(|script| &script.of);
        let delivered: Vec<_> = step.deliver.0.iter().map(|name| self.event(name)).collect();
        EventsOfStep {
            delivered: delivered.into_iter().collect(),
            requested: requested.and_then(|name| self.event(name)),
            scripted: scripted.and_then(|name| self.event(name)),
            hooked: step.of.as_ref().and_then(|name| self.event(name)),
        }
    }

    pub(super) fn events_of_effect(&mut self, effect: &EffectKeys) -> [Option<EventRef>; 4] {
        let names = [
            &effect.granted,
            &effect.not_granted,
            &effect.removed,
            &effect.of,
        ];
        names.map(|name| name.as_ref().and_then(|name| self.event(name)))
    }

    pub(super) fn event(&mut self, name: &Spanned<String>) -> Option<EventRef> {
        let known = &self.events;
        if known.contains(&name.value.as_str()) {
            // The events of a partly decoded scenario lack those with mistakes.
            return Some(EventRef {
                index: self.scenario.events.get_index_of(&name.value)?,
                name: name.value.clone(),
                span: name.span,
            });
        }
        let help = if known.is_empty() {
            "define it under `events`".to_owned()
        } else {
            let question = did_you_mean(name, known.iter().copied());
            format!("{question}known events: {}", known.join(", "))
        };
        self.problem(name.span, format!("unknown event `{}`", name.value), &help);
        None
    }
}
