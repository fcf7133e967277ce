//! Mistakes in a scenario that are only found once its events and the profile are known: events
//! without a player, URLs with unknown placeholders, faults that need HTTP/1.1, unknown probes.

use http::Method;
use indexmap::IndexMap;

use super::{PlannedEvent, Planner};
use crate::probe::QUANTITY_PROBE;
use crate::run::missing_capability::MissingCapability;
use crate::scenario::document::{Diagnostics, Spanned, nearest};

impl Planner<'_> {
    /// Mistakes in requests and scripts.
    pub(super) fn requests(&self, events: &IndexMap<String, PlannedEvent>) -> Diagnostics {
        let mut problems = Diagnostics::default();
        let mut needs_values = |name: &Spanned<String>| {
            if events
                .get(&name.value)
                .is_some_and(|event| event.event.is_none())
            {
                let message = format!(
                    "`{}` is not a valid event, so its player is unknown",
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
            let has_placeholders = PlannedEvent::PLACEHOLDERS
                .iter()
                .any(|placeholder| request.url.contains(placeholder));
            if request.of.is_none() && has_placeholders {
                let message = "the URL has a placeholder for an event's value, but `of` is missing";
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
                let help = "use GET, POST, PUT or another method".to_owned();
                problems.extend(self.problem(method.span, message, Some(help)).0);
            }
        }
        problems
    }

    /// Faults that need HTTP/1.1 although only HTTP/2 is used.
    pub(super) fn faults(&self) -> Diagnostics {
        let mut problems = Diagnostics::default();
        let steps = self.case.scenario.steps.iter();
        for fault in steps.filter_map(|step| step.fault.as_ref()) {
            if self.settings.http2_only && fault.needs_http1() {
                let missing = MissingCapability::Http1(fault.value);
                let (message, help) = (missing.reason(), Some(missing.hint()));
                problems.extend(self.problem(fault.span, message, help).0);
            }
        }
        problems
    }

    /// Mistakes in effects.
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
                        "`{}` is not a valid event, so its effect is unknown",
                        name.value
                    );
                    let help = "name an event with a player and an item".to_owned();
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
                    None if known.is_empty() => "add it to `probes` in the profile".to_owned(),
                    None => format!(
                        "add it to `probes` in the profile; known probes: {}",
                        known.join(", ")
                    ),
                };
                let message = format!("unknown probe `{}`", probe.value);
                problems.extend(self.problem(probe.span, message, Some(help)).0);
            }
        }
        problems
    }
}
