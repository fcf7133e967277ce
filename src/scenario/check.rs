//! What decoding can't see: names that lead nowhere, and keys that don't go together.

mod fault;
mod names;

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::document::{Diagnostic, Diagnostics, Located, Node, SourceFile, Span};
use super::event_spec::Shareable;
use super::{Effect, Scenario, Step};
pub(super) use names::check_names;

/// The most deliveries of one step.
const DELIVERY_LIMIT: u64 = 10_000;

/// Finds what is wrong in a scenario beyond its types. `tree` is the scenario as it was decoded.
pub(super) fn check(
    source: &SourceFile,
    tree: &Node,
    scenario: &Scenario,
) -> Result<(), Diagnostics> {
    let mut checker = Checker::new(source, tree, scenario);
    checker.scenario_itself();
    for (name, event) in &scenario.events {
        checker.event(name, event.span, &event.value);
        let item = tree
            .get("events")
            .and_then(|events| events.get(name)?.get("item"));
        checker.item(item, &mut Vec::new());
    }
    for step in &scenario.steps {
        checker.step(step.span, &step.value);
    }
    for effect in &scenario.effects {
        checker.effect(effect.span, &effect.value);
    }
    checker.grants_stand_once();
    checker.found.into_result()
}

struct Checker<'scenario> {
    source: &'scenario SourceFile,
    scenario: &'scenario Scenario,
    /// The names of all events that the file has.
    events: Vec<&'scenario str>,
    found: Diagnostics,
}

impl<'scenario> Checker<'scenario> {
    fn new(
        source: &'scenario SourceFile,
        tree: &'scenario Node,
        scenario: &'scenario Scenario,
    ) -> Self {
        let events = tree.get("events").map_or(&[][..], Node::entries);
        Self {
            source,
            scenario,
            events: events.iter().map(|(name, _)| name.text.as_str()).collect(),
            found: Diagnostics::default(),
        }
    }

    fn problem(&mut self, span: Span, message: impl Into<String>, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.found
            .0
            .push(Diagnostic::at(self.source, span, message, help));
    }

    fn scenario_itself(&mut self) {
        let name = &self.scenario.name;
        if name.trim().is_empty() {
            self.problem(
                name.span,
                "the name is empty",
                "say what holds if the scenario passes",
            );
        }
        if self.scenario.steps.is_empty() {
            self.problem(
                name.span,
                "this scenario has no step",
                "add one that delivers",
            );
            return;
        }
        let expects = |step: &Located<Step>| step.expect.0.iter().any(|expect| !expect.is_empty());
        if self.scenario.effects.is_empty() && !self.scenario.steps.iter().any(expects) {
            let help = "add `expect` to a step, or `effects`";
            self.problem(name.span, "this scenario checks nothing", help);
        }
    }

    fn event(&mut self, name: &str, span: Span, event: &super::EventSpec) {
        if event.raw.is_some() && (!event.set.is_empty() || !event.unset.is_empty()) {
            let message = format!(
                "event `{name}`: `raw` is the exact body, so `set` and `unset` can't change it"
            );
            self.problem(span, message, "leave one of them out");
        }
        self.shared_events_exist(event);
        if shares_in_a_circle(&self.scenario.events, name) {
            let message = format!("event `{name}`: `same_as` leads back to itself");
            self.problem(
                span,
                message,
                "one of the events must have a value of its own",
            );
        }
    }

    /// Refuses a bundle that stands inside itself. `outer` has the SKUs of the bundles around.
    fn item(&mut self, item: Option<&Node>, outer: &mut Vec<String>) {
        let Some(bundle) = item.and_then(|item| item.get("bundle")) else {
            return;
        };
        let sku = item
            .and_then(|item| item.get("sku"))
            .and_then(Node::as_text);
        if let Some(sku) = sku {
            outer.push(sku.to_owned());
        }
        for nested in bundle.items() {
            if let Some((node, sku)) = nested
                .get("sku")
                .and_then(|node| Some((node, node.as_text()?)))
                && outer.iter().any(|around| around == sku)
            {
                let message = format!("the bundle `{sku}` contains itself");
                self.problem(node.span, message, "give the nested item another SKU");
            }
            self.item(Some(nested), outer);
        }
        if sku.is_some() {
            outer.pop();
        }
    }

    fn step(&mut self, span: Span, step: &Step) {
        let delivers = !step.deliver.0.is_empty();
        let kinds = [
            delivers,
            step.request.is_some(),
            step.script.is_some(),
            step.restart,
            step.pause.is_some(),
        ];
        if kinds.iter().filter(|given| **given).count() != 1 {
            let help = "give the others steps of their own";
            self.problem(
                span,
                "a step has exactly one of `deliver`, `request`, `script`, `restart: true` and `pause`",
                help,
            );
        }
        let has_no_answer = step.pause.is_some() || step.script.is_some() || step.restart;
        if has_no_answer && !step.expect.0.is_empty() {
            let message = "only `deliver` and `request` have an answer that `expect` can check";
            self.problem(span, message, "move it to the step that delivers");
        }
        self.events_of_step_exist(step);
        if let Some(script) = &step.script
            && script
                .answers
                .iter()
                .any(|status| !(200..=599).contains(status))
        {
            self.problem(script.of.span, "an answer is a status from 200 to 599", "");
        }
        self.counts(span, step, delivers);
    }

    fn counts(&mut self, span: Span, step: &Step, delivers: bool) {
        let times = step.times.map_or(1, |times| u64::from(times.value));
        let deliveries = times.saturating_mul(step.deliver.0.len() as u64);
        let times_span = step.times.map_or(span, |times| times.span);
        if times == 0 {
            self.problem(times_span, "`times: 0` delivers nothing", "remove the step");
        }
        if deliveries > DELIVERY_LIMIT {
            let message = format!(
                "one step makes at most {DELIVERY_LIMIT} deliveries, this one {deliveries}"
            );
            self.problem(times_span, message, "`aghook load` is made for more");
        }
        if let Some(fault) = &step.fault {
            self.fault(fault, step, deliveries);
        }
        if step.together && deliveries < 2 {
            let help = "add `times: 2` or more, or deliver a list";
            self.problem(span, "`together` needs more than one delivery", help);
        }
        let only_for_deliveries = [
            ("times", step.times.is_some()),
            ("together", step.together),
            ("shuffle", step.shuffle),
            ("forge", step.forge.is_some()),
            ("fault", step.fault.is_some()),
            ("connection", step.connection.is_some()),
            ("retry", step.retry.is_some()),
        ];
        for (key, given) in only_for_deliveries {
            if given && !delivers {
                self.problem(span, format!("`{key}` belongs to `deliver`"), "");
            }
        }
        for expect in &step.expect.0 {
            let keys = [
                ("attempts", expect.attempts.is_some()),
                ("outcome", expect.outcome.is_some()),
                ("same_response", expect.same_response.is_some()),
            ];
            for (key, given) in keys {
                if given && step.request.is_some() {
                    self.problem(
                        span,
                        format!("`{key}` belongs to `deliver`, not to `request`"),
                        "",
                    );
                }
            }
        }
    }

    fn effect(&mut self, span: Span, effect: &Effect) {
        let kinds = [&effect.granted, &effect.not_granted, &effect.probe];
        if kinds.iter().filter(|given| given.is_some()).count() != 1 {
            let help = "give the others effects of their own";
            let message = "an effect has exactly one of `granted`, `not_granted` and `probe`";
            self.problem(span, message, help);
            return;
        }
        self.events_of_effect_exist(effect);
        if let Some(event) = &effect.granted {
            self.is_delivered(event);
        } else if let Some(event) = effect.not_granted.as_ref().or(effect.of.as_ref()) {
            self.is_sent(event);
        }
        if effect.probe.is_some() {
            if effect.of.is_none() {
                self.problem(
                    span,
                    "the key `of` is missing",
                    "name the event whose player is read",
                );
            }
            if effect.change.is_some() == effect.after.is_some() {
                let help = "`change` compares with before, `after` is the number itself";
                self.problem(
                    span,
                    "a probe needs exactly one of `change` and `after`",
                    help,
                );
            }
        }
        let misplaced = [
            ("of", effect.of.is_some() && effect.probe.is_none()),
            ("sku", effect.sku.is_some() && effect.probe.is_none()),
            ("change", effect.change.is_some() && effect.probe.is_none()),
            ("after", effect.after.is_some() && effect.probe.is_none()),
        ];
        for (key, wrong) in misplaced {
            if wrong {
                self.problem(span, format!("`{key}` belongs to `probe`"), "");
            }
        }
        if let Some(times) = effect.times
            && effect.granted.is_none()
        {
            self.problem(times.span, "`times` belongs to `granted`", "");
        }
        if effect.if_delivered && effect.granted.is_none() {
            let help = "`not_granted` and `probe` demand the same of every answer";
            self.problem(span, "`if_delivered` belongs to `granted`", help);
        }
    }

    /// Refuses a second `granted` or `not_granted` of an event: the two would contradict each other,
    /// or say the same.
    fn grants_stand_once(&mut self) {
        let mut judged = BTreeSet::new();
        let scenario = self.scenario;
        for effect in &scenario.effects {
            let ((Some(event), None) | (None, Some(event))) =
                (&effect.granted, &effect.not_granted)
            else {
                continue;
            };
            if !judged.insert(event.value.as_str()) {
                let message = format!("what `{}` grants is said twice", event.value);
                let help = "keep one effect; `times` says how often it was granted";
                self.problem(event.span, message, help);
            }
        }
    }

    fn is_delivered(&mut self, name: &Located<String>) {
        let help = "add a step that delivers it, or use `not_granted`";
        self.some_step(
            name,
            "be granted: no step delivers it unforged",
            help,
            |step| step.forge.is_none() && step.delivers(name),
        );
    }

    /// Refuses an effect of an event that never reaches the receiver: it would hold by itself.
    fn is_sent(&mut self, name: &Located<String>) {
        let help = "add a step that delivers it, or a `request` of it";
        self.some_step(name, "have an effect: no step delivers it", help, |step| {
            step.delivers(name)
                || step
                    .request
                    .as_ref()
                    .and_then(|request| request.of.as_ref())
                    .is_some_and(|of| of.value == name.value)
        });
    }

    fn some_step(
        &mut self,
        name: &Located<String>,
        otherwise: &str,
        help: &str,
        fits: impl Fn(&Step) -> bool,
    ) {
        // An event that does not exist is told as such.
        if self.scenario.events.contains_key(&name.value)
            && !self.scenario.steps.iter().any(|step| fits(step))
        {
            let message = format!("`{}` can't {otherwise}", name.value);
            self.problem(name.span, message, help);
        }
    }
}

impl Step {
    fn delivers(&self, name: &Located<String>) -> bool {
        self.deliver.0.iter().any(|event| event.value == name.value)
    }
}

/// Whether following `same_as` from an event comes back to it.
fn shares_in_a_circle(events: &IndexMap<String, Located<super::EventSpec>>, name: &str) -> bool {
    let player: fn(&super::EventSpec) -> Option<&Shareable> = |event| event.player_id.as_ref();
    let transaction: fn(&super::EventSpec) -> Option<&Shareable> =
        |event| event.transaction_id.as_ref();
    [player, transaction].into_iter().any(|shared| {
        let mut at = name;
        for _ in 0..=events.len() {
            match events.get(at).and_then(|event| shared(&event.value)) {
                Some(Shareable::SameAs(next)) => at = &next.value,
                _ => return false,
            }
        }
        true
    })
}
