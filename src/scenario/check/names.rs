//! Whether the events that a scenario names are there.

use super::Checker;
use crate::scenario::document::{Diagnostics, Located, Node, SourceFile, nearest};
use crate::scenario::event_spec::Shareable;
use crate::scenario::{Effect, EventSpec, Scenario, Step};

/// Finds events that are named and not there, in a scenario of which a part could not be decoded.
/// `tree` has all of it.
pub(in crate::scenario) fn check_names(
    source: &SourceFile,
    tree: &Node,
    part: &Scenario,
) -> Diagnostics {
    let mut checker = Checker::new(source, tree, part);
    for event in part.events.values() {
        checker.shared_events_exist(&event.value);
    }
    for step in &part.steps {
        checker.events_of_step_exist(&step.value);
    }
    for effect in &part.effects {
        checker.events_of_effect_exist(&effect.value);
    }
    checker.found
}

impl Checker<'_> {
    pub(super) fn shared_events_exist(&mut self, event: &EventSpec) {
        for shared in [&event.player_id, &event.transaction_id] {
            if let Some(Shareable::SameAs(other)) = shared {
                self.event_exists(other);
            }
        }
    }

    pub(super) fn events_of_step_exist(&mut self, step: &Step) {
        let requested = step
            .request
            .as_ref()
            .and_then(|request| request.of.as_ref());
        let scripted = step.script.as_ref().map(|script| &script.of);
        for event in step.deliver.0.iter().chain(requested).chain(scripted) {
            self.event_exists(event);
        }
    }

    pub(super) fn events_of_effect_exist(&mut self, effect: &Effect) {
        let named = [&effect.granted, &effect.not_granted, &effect.of];
        for event in named.into_iter().flatten() {
            self.event_exists(event);
        }
    }

    fn event_exists(&mut self, name: &Located<String>) {
        let known = &self.events;
        if known.contains(&name.value.as_str()) {
            return;
        }
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? events here: {}", known.join(", ")),
            None if known.is_empty() => "name it under `events`".to_owned(),
            None => format!("events here: {}", known.join(", ")),
        };
        self.problem(
            name.span,
            format!("there is no event `{}`", name.value),
            &help,
        );
    }
}
