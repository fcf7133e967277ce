//! A step that runs a hook of the profile, with the values of its placeholders.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{PlannedEvent, Planner};
use crate::protocol::Event;
use crate::scenario::document::{Span, Spanned};
use crate::scenario::{Action, EVENT_PLACEHOLDERS, Hook, HookStep, HookValue, JsonPointer};

/// A hook that steps can run: its name and its placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownHook {
    /// Its name in the profile.
    pub name: String,
    /// The names of its placeholders.
    pub placeholders: Vec<String>,
}

impl KnownHook {
    pub(crate) fn new(name: &str, hook: &Hook) -> Self {
        Self {
            name: name.to_owned(),
            placeholders: hook.placeholders().into_iter().map(str::to_owned).collect(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct PlannedHook {
    pub(crate) name: String,
    /// The names of all hooks that the scenario runs.
    pub(crate) of_scenario: BTreeSet<String>,
    /// The names of placeholders without braces, and their values.
    pub(crate) values: Vec<(String, String)>,
    /// By how much it moves the receiver's clock ahead.
    pub(crate) advances: Option<Duration>,
}

/// The values that an event provides, by the names of their placeholders.
pub(crate) fn event_values(event: &Event) -> [(&'static str, &str); 3] {
    let [player_id, sku, event_id] = EVENT_PLACEHOLDERS;
    [
        (player_id, event.event_data.player_id.as_ref()),
        (sku, event.event_data.sku()),
        (event_id, event.event_id.as_ref()),
    ]
}

impl Planner<'_> {
    pub(super) fn hook(
        &mut self,
        step: &HookStep,
        events: &[Option<PlannedEvent>],
    ) -> Option<PlannedHook> {
        let mut values = Vec::new();
        for (name, value) in &step.with {
            let text = match &value.value {
                HookValue::Text(text) => text.clone(),
                HookValue::At(pointer) => self.value_at(pointer, value.span, step, events)?,
            };
            values.push((name.clone(), text));
        }
        if let Some(of) = &step.of {
            let event = self.event_with_player(of, events)?;
            let own = event_values(event).map(|(name, text)| (name.to_owned(), text.to_owned()));
            // The step's own values take precedence.
            values.extend(
                own.into_iter()
                    .filter(|(name, _)| !step.with.contains_key(name)),
            );
        }
        self.check_placeholders(&step.name, &values, step.advances.is_some());
        let steps = self.case.scenario.steps.iter();
        let of_scenario = steps.filter_map(|step| match &step.action {
            Action::Hook(hook) => Some(hook.name.value.clone()),
            _ => None,
        });
        Some(PlannedHook {
            name: step.name.value.clone(),
            of_scenario: of_scenario.collect(),
            values,
            advances: step.advances.map(|advances| advances.0),
        })
    }

    /// The value of the step's event at `pointer`: in the event as it is sent, or in the form of
    /// `coupon.redeemed`, from which the policy may have made another kind.
    fn value_at(
        &mut self,
        pointer: &JsonPointer,
        span: Span,
        step: &HookStep,
        events: &[Option<PlannedEvent>],
    ) -> Option<String> {
        let of = step.of.as_ref()?;
        let planned = events.get(of.index)?.as_ref()?;
        let sent = serde_json::from_slice(&planned.body).ok();
        let found = sent.and_then(|json| pointer.text_in(&json)).or_else(|| {
            let event = serde_json::to_value(planned.event.as_ref()?).ok()?;
            pointer.text_in(&event)
        });
        if found.is_none() {
            let message = format!("`{}` has no text or number at `{pointer}`", of.name);
            let help = "`aghook fire --dry-run` prints such an event".to_owned();
            self.report(span, message, Some(help));
        }
        found
    }

    /// Reports placeholders of the hook that get no value. A hook that no profile has is not a mistake
    /// of the scenario.
    fn check_placeholders(
        &mut self,
        name: &Spanned<String>,
        values: &[(String, String)],
        advances: bool,
    ) {
        let settings = self.settings;
        let hooks = settings.hooks.iter();
        for hook in hooks.filter(|hook| hook.name == name.value) {
            let is_known = |wanted: &str| {
                values.iter().any(|(known, _)| known == wanted)
                    || (advances && wanted == Hook::SECONDS)
            };
            for wanted in hook.placeholders.iter().filter(|wanted| !is_known(wanted)) {
                let help = if EVENT_PLACEHOLDERS.contains(&wanted.as_str()) {
                    "add `of: EVENT`".to_owned()
                } else if wanted == Hook::SECONDS {
                    "add `advances: DURATION`, or `with: { seconds: … }`".to_owned()
                } else {
                    format!("add `with: {{ {wanted}: … }}`")
                };
                let message = format!(
                    "the hook `{}` of the profile has the placeholder `{{{wanted}}}`, which gets no \
                     value here",
                    hook.name
                );
                self.report(name.span, message, Some(help));
            }
            let uses_seconds = hook.placeholders.iter().any(|one| one == Hook::SECONDS);
            if advances && !uses_seconds {
                let message = format!(
                    "the hook `{}` of the profile does not use `{{seconds}}`, so it can't move the \
                     receiver's clock by `advances`",
                    hook.name
                );
                let help = "use `{seconds}` in the hook, or remove `advances`".to_owned();
                self.report(name.span, message, Some(help));
            }
        }
    }
}
