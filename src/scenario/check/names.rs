//! Checks that the events a scenario refers to exist.

use super::Checker;
use crate::scenario::document::{Diagnostics, Node, SourceFile, Spanned, nearest};
use crate::scenario::event_spec::Shareable;
use crate::scenario::{Effect, EventSpec, Scenario, Step};

/// Finds references to unknown events in a partly decoded scenario. `tree` is the complete file.
pub(in crate::scenario) fn check_names(
    source: &SourceFile,
    tree: &Node,
    part: &Scenario,
) -> Diagnostics {
    let mut checker = Checker::new(source, tree, part);
    for event in part.events.values() {
        checker.check_shared_events(&event.value);
    }
    for step in &part.steps {
        checker.check_events_of_step(&step.value);
    }
    for effect in &part.effects {
        checker.check_events_of_effect(&effect.value);
    }
    checker.found
}

impl Checker<'_> {
    pub(super) fn check_shared_events(&mut self, event: &EventSpec) {
        for shared in [&event.player_id, &event.transaction_id] {
            if let Some(Shareable::SameAs(other)) = shared {
                self.check_event_exists(other);
            }
        }
    }

    pub(super) fn check_events_of_step(&mut self, step: &Step) {
        let requested = step
            .request
            .as_ref()
            .and_then(|request| request.of.as_ref());
        let scripted = step.script.as_ref().map(|script| &script.of);
        for event in step.deliver.0.iter().chain(requested).chain(scripted) {
            self.check_event_exists(event);
        }
    }

    pub(super) fn check_events_of_effect(&mut self, effect: &Effect) {
        let references = [&effect.granted, &effect.not_granted, &effect.of];
        for event in references.into_iter().flatten() {
            self.check_event_exists(event);
        }
    }

    fn check_event_exists(&mut self, name: &Spanned<String>) {
        let known = &self.events;
        if known.contains(&name.value.as_str()) {
            return;
        }
        let help = match nearest(name, known.iter().copied()) {
            Some(nearest) => format!(
                "did you mean `{nearest}`? known events: {}",
                known.join(", ")
            ),
            None if known.is_empty() => "define it under `events`".to_owned(),
            None => format!("known events: {}", known.join(", ")),
        };
        self.problem(name.span, format!("unknown event `{}`", name.value), &help);
    }
}
