//! What is wrong in a scenario once its events are made and the profile is known: events that have
//! no player, URLs that can't be filled in, faults that can't be played, probes that are not there.

use http::Method;
use indexmap::IndexMap;

use super::{HTTP1_HELP, PlannedEvent, Planner, QUANTITY_PROBE, needs_http1};
use crate::scenario::document::{Diagnostics, Spanned, nearest};

impl Planner<'_> {
    /// What is wrong in requests and scripts now that the events are known.
    pub(super) fn requests(&self, events: &IndexMap<String, PlannedEvent>) -> Diagnostics {
        let mut problems = Diagnostics::default();
        let mut needs_values = |name: &Spanned<String>| {
            if events
                .get(&name.value)
                .is_some_and(|event| event.event.is_none())
            {
                let message = format!(
                    "`{}` is no valid event, so its player is unknown",
                    name.value
                );
                let help = "name an event with a player".to_owned();
                problems.extend(self.problem(name.span, message, Some(help)).0);
            }
        };
        for step in &self.case.scenario.steps {
            if let Some(script) = &step.script {
                needs_values(&script.of);
            }
            if let Some(name) = step
                .request
                .as_ref()
                .and_then(|request| request.of.as_ref())
            {
                needs_values(name);
            }
        }
        for request in self
            .case
            .scenario
            .steps
            .iter()
            .filter_map(|step| step.request.as_ref())
        {
            let holds_places = PlannedEvent::PLACES
                .iter()
                .any(|place| request.url.contains(place));
            if request.of.is_none() && holds_places {
                let message = "the URL has a place for an event's value, and `of` names no event";
                let help = "add `of: EVENT`".to_owned();
                problems.extend(
                    self.problem(request.url.span, message.to_owned(), Some(help))
                        .0,
                );
            }
            if let Some(method) = &request.method
                && Method::from_bytes(method.as_bytes()).is_err()
            {
                let message = format!("`{}` is not an HTTP method", method.value);
                let help = "such as GET, POST or PUT".to_owned();
                problems.extend(self.problem(method.span, message, Some(help)).0);
            }
        }
        problems
    }

    /// The faults that can't be played over the only HTTP version that is spoken.
    pub(super) fn faults(&self) -> Diagnostics {
        let mut problems = Diagnostics::default();
        let steps = self.case.scenario.steps.iter();
        for fault in steps.filter_map(|step| step.fault.as_ref()) {
            if self.settings.http2_only && fault.needs_http1() {
                let message = needs_http1(fault.value);
                let help = Some(HTTP1_HELP.to_owned());
                problems.extend(self.problem(fault.span, message, help).0);
            }
        }
        problems
    }

    /// What is wrong in the effects now that the events and the profile are known.
    pub(super) fn effects(&self, events: &IndexMap<String, PlannedEvent>) -> Diagnostics {
        let mut problems = Diagnostics::default();
        for effect in &self.case.scenario.effects {
            let events_of_effect = [&effect.granted, &effect.not_granted, &effect.of];
            for name in events_of_effect.into_iter().flatten() {
                if events
                    .get(&name.value)
                    .is_some_and(|event| event.event.is_none())
                {
                    let message = format!(
                        "`{}` is no valid event, so its effect is unknown",
                        name.value
                    );
                    let help = "give the effect an event with a player and an item".to_owned();
                    problems.extend(self.problem(name.span, message, Some(help)).0);
                }
            }
            let known = &self.settings.probes;
            if let Some(probe) = &effect.probe
                && probe.value != QUANTITY_PROBE
                && !known.contains(&probe.value)
            {
                let standard = std::iter::once(QUANTITY_PROBE);
                let names = known.iter().map(String::as_str).chain(standard);
                let help = match nearest(probe, names) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None if known.is_empty() => "name it under `probes` in the profile".to_owned(),
                    None => format!(
                        "name it under `probes` in the profile; known: {}",
                        known.join(", ")
                    ),
                };
                let message = format!("there is no probe `{}`", probe.value);
                problems.extend(self.problem(probe.span, message, Some(help)).0);
            }
        }
        problems
    }
}
