//! Checks beyond types: references to unknown events, and keys that can't be combined. A scenario that
//! passes has its references to events resolved, and each step and effect is one of its kinds.

mod capture;
mod event;
mod fault;
mod hook;
mod items;
mod names;
mod redemption;
mod wire;

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::Expectation;
use super::HookStep;
use super::document::{Diagnostic, Diagnostics, Node, SourceFile, Span, Spanned};
use super::effect::{Effect, EffectKeys, ExpectedEffect};
use super::scenario_model::{Scenario, ScenarioKeys};
use super::step::{Action, Deliver, InstanceChoice, RequestStep, Script, Step, StepKeys};
pub(super) use names::check_names;

const DELIVERY_LIMIT: u64 = 10_000;
/// Events can refer to each other, so the time to check them can grow with the square of their number.
const EVENT_LIMIT: usize = 2_000;

/// Finds mistakes in a decoded scenario. `tree` is the tree that it was decoded from.
pub(super) fn check(
    source: &SourceFile,
    tree: &Node,
    keys: &ScenarioKeys,
) -> Result<Scenario, Diagnostics> {
    if let Some((_, event)) = keys.events.get_index(EVENT_LIMIT) {
        let message = format!("a scenario can have at most {EVENT_LIMIT} events");
        let problem = Diagnostic::at(source, event.span, message);
        return Err(problem
            .with_help("use `aghook load` for more events")
            .into());
    }
    let mut checker = Checker::new(source, tree, keys);
    checker.check_scenario();
    for (name, event) in &keys.events {
        checker.check_event(name, event.span, &event.value);
        if let Some(node) = tree.get("events").and_then(|events| events.get(name)) {
            checker.check_items(node);
        }
    }
    // Every event of a circle is reported already.
    if checker.found.0.is_empty() {
        checker.check_sku_chains();
    }
    let steps = keys.steps.iter();
    let steps = steps.filter_map(|step| checker.check_step(step.span, &step.value));
    let steps = steps.collect();
    let effects = keys.effects.iter();
    let effects = effects.filter_map(|effect| checker.check_effect(effect.span, &effect.value));
    let effects = effects.collect();
    checker.check_unique_grants();
    checker.check_captured(tree);
    // A step or an effect is only missing if it has a mistake.
    checker.found.into_result()?;
    Ok(Scenario {
        name: keys.name.clone(),
        about: keys.about.clone(),
        tags: keys.tags.clone(),
        level: keys.level,
        source: keys.source.clone(),
        alone: keys.alone,
        seed: keys.seed,
        // The events, steps and effects have their values.
        vars: IndexMap::new(),
        matrix: IndexMap::new(),
        events: keys.events.clone(),
        steps,
        effects,
    })
}

struct Checker<'scenario> {
    source: &'scenario SourceFile,
    scenario: &'scenario ScenarioKeys,
    events: Vec<&'scenario str>,
    found: Diagnostics,
}

impl<'scenario> Checker<'scenario> {
    fn new(
        source: &'scenario SourceFile,
        tree: &'scenario Node,
        scenario: &'scenario ScenarioKeys,
    ) -> Self {
        let events = tree.get("events").map_or(&[][..], Node::entries);
        Self {
            source,
            scenario,
            events: events.iter().map(|(name, _)| name.as_str()).collect(),
            found: Diagnostics::default(),
        }
    }

    fn problem(&mut self, span: Span, message: impl Into<String>, help: &str) {
        let problem = Diagnostic::at(self.source, span, message);
        self.found.0.push(problem.with_help(help));
    }

    /// Reports the keys that are given without the key that they belong to.
    fn report_misplaced(&mut self, span: Span, keys: &[(&str, bool)], owner: &str) {
        for (key, _) in keys.iter().filter(|(_, is_misplaced)| *is_misplaced) {
            let message = format!("`{key}` is only allowed with {owner}");
            let problem = Diagnostic::at(self.source, span, message);
            self.found.0.push(problem);
        }
    }

    fn check_scenario(&mut self) {
        let name = &self.scenario.name;
        if name.trim().is_empty() {
            let help = "say what is true if the scenario passes";
            self.problem(name.span, "the name is empty", help);
        }
        let (steps, effects) = (&self.scenario.steps, &self.scenario.effects);
        if steps.is_empty() {
            let help = "add a step that delivers an event";
            self.problem(name.span, "this scenario has no steps", help);
            return;
        }
        let mut expectations = steps.iter().flat_map(|step| &step.expect.0);
        if effects.is_empty() && expectations.all(Expectation::is_empty) {
            let help = "add `expect` to a step, or `effects`";
            self.problem(name.span, "this scenario checks nothing", help);
        }
    }

    fn check_step(&mut self, span: Span, step: &StepKeys) -> Option<Step> {
        let delivers = !step.deliver.0.is_empty();
        let without_response = [
            step.script.is_some(),
            step.restart,
            step.hook.is_some(),
            step.pause.is_some(),
            step.after_others,
        ];
        let with_response = [delivers, step.request.is_some()];
        let kinds = with_response.iter().chain(&without_response);
        if kinds.filter(|given| **given).count() != 1 {
            let message = "a step needs exactly one of `deliver`, `request`, `script`, `restart: true`, \
                           `hook`, `pause` and `after_others: true`";
            self.problem(span, message, "split it into several steps");
        }
        if without_response.contains(&true) && !step.expect.0.is_empty() {
            let message = "`expect` needs a response, which only `deliver` and `request` have";
            self.problem(span, message, "move `expect` to the step that delivers");
        }
        if without_response.contains(&true) && !step.capture.is_empty() {
            let message = "`capture` needs a response, which only `deliver` and `request` have";
            self.problem(
                span,
                message,
                "move `capture` to the step that has the response",
            );
        }
        let action = self.action(step);
        let allowed = 200..=599;
        if let Some(script) = &step.script
            && !script.answers.iter().all(|status| allowed.contains(status))
        {
            let message = "`answers` allows only statuses from 200 to 599";
            let problem = Diagnostic::at(self.source, script.of.span, message);
            self.found.0.push(problem);
        }
        self.check_deliver_keys(span, step, delivers);
        self.check_hook(span, step);
        Some(Step {
            action: action?,
            expect: step.expect.0.clone(),
            capture: step.capture.clone(),
        })
    }

    /// What a step with exactly one kind does; `None` if it refers to an unknown event.
    fn action(&mut self, step: &StepKeys) -> Option<Action> {
        let events = self.events_of_step(step);
        if let Some(request) = &step.request {
            return Some(Action::Request(RequestStep {
                method: request.method.clone(),
                url: request.url.clone(),
                of: events.requested,
                headers: request.headers.clone(),
                body: request.body.clone(),
            }));
        }
        if let Some(script) = &step.script {
            return Some(Action::Script(Script {
                of: events.scripted?,
                answers: script.answers.clone(),
            }));
        }
        if step.restart {
            return Some(Action::Restart);
        }
        if step.after_others {
            return Some(Action::AfterOthers);
        }
        if let Some(name) = &step.hook {
            if step.of.is_some() && events.hooked.is_none() {
                return None;
            }
            return Some(Action::Hook(HookStep {
                name: name.clone(),
                of: events.hooked,
                with: step.with.clone(),
                advances: step.advances,
            }));
        }
        if let Some(pause) = step.pause {
            return Some(Action::Pause(pause));
        }
        Some(Action::Deliver(Deliver {
            events: events.delivered?,
            times: step.times.map(|times| times.value),
            together: step.together,
            apart: step.apart.map(|apart| apart.value),
            shuffle: step.shuffle,
            forge: step.forge.map(|forgery| forgery.value),
            fault: step.fault,
            wire: step.wire.clone(),
            signed_at: step.signed_at.map(|offset| offset.value),
            connection: step.connection,
            retry: step.retry.clone(),
            instances: match &step.target {
                Some(name) => InstanceChoice::Named(name.value.clone()),
                None if step.spread => InstanceChoice::Spread,
                None => InstanceChoice::Target,
            },
        }))
    }

    fn check_deliver_keys(&mut self, span: Span, step: &StepKeys, delivers: bool) {
        let times = step.times.map_or(1, |times| u64::from(times.value));
        let deliveries = times.saturating_mul(step.deliver.0.len() as u64);
        let times_span = step.times.map_or(span, |times| times.span);
        if times == 0 {
            self.problem(times_span, "`times: 0` delivers nothing", "remove the step");
        }
        if deliveries > DELIVERY_LIMIT {
            let message = format!(
                "a step can have at most {DELIVERY_LIMIT} deliveries, but this one has {deliveries}"
            );
            self.problem(times_span, message, "use `aghook load` for more deliveries");
        }
        if let Some(fault) = &step.fault {
            self.check_fault(fault, step, deliveries);
        }
        if let Some(wire) = &step.wire {
            self.check_wire(wire, step);
        }
        if let Some(offset) = step.signed_at {
            self.check_signed_at(offset.span, step);
        }
        if step.together && deliveries < 2 {
            let help = "add `times: 2` or more, or deliver a list of events";
            self.problem(span, "`together` needs more than one delivery", help);
        }
        if let (Some(apart), false) = (step.apart, step.together) {
            let help = "without `together`, each delivery begins when the one before it has ended";
            self.problem(apart.span, "`apart` needs `together: true`", help);
        }
        if let (Some(target), true) = (&step.target, step.spread) {
            let message = "`target` names one instance, and `spread` uses all of them";
            self.problem(target.span, message, "remove one of them");
        }
        if !delivers {
            let keys = [
                ("times", step.times.is_some()),
                ("together", step.together),
                ("apart", step.apart.is_some()),
                ("shuffle", step.shuffle),
                ("forge", step.forge.is_some()),
                ("fault", step.fault.is_some()),
                ("wire", step.wire.is_some()),
                ("signed_at", step.signed_at.is_some()),
                ("connection", step.connection.is_some()),
                ("retry", step.retry.is_some()),
                ("target", step.target.is_some()),
                ("spread", step.spread),
            ];
            self.report_misplaced(span, &keys, "`deliver`");
        }
        if step.request.is_some() {
            for expect in &step.expect.0 {
                let keys = [
                    ("attempts", expect.attempts.is_some()),
                    ("outcome", expect.outcome.is_some()),
                    ("same_response", expect.same_response.is_some()),
                ];
                self.report_misplaced(span, &keys, "`deliver`, not with `request`");
            }
        }
    }

    fn check_effect(&mut self, span: Span, effect: &EffectKeys) -> Option<Effect> {
        let kinds = [
            &effect.granted,
            &effect.not_granted,
            &effect.removed,
            &effect.probe,
        ];
        if kinds.iter().filter(|given| given.is_some()).count() != 1 {
            let help = "split it into several effects";
            let message =
                "an effect needs exactly one of `granted`, `not_granted`, `removed` and `probe`";
            self.problem(span, message, help);
            return None;
        }
        let [granted, not_granted, removed, of] = self.events_of_effect(effect);
        if let Some(event) = &effect.granted {
            self.require_coupon("granted", event);
            self.require_delivered(event);
        } else if let Some(event) = &effect.removed {
            self.require_removal(event);
            self.require_sent(event);
        } else if let Some(event) = effect.not_granted.as_ref().or(effect.of.as_ref()) {
            if effect.not_granted.is_some() {
                self.require_coupon("not_granted", event);
            }
            self.require_sent(event);
        }
        if effect.probe.is_some() {
            if effect.of.is_none() {
                let help = "add the event whose player and SKU the probe reads";
                self.problem(span, "missing key `of`", help);
            }
            let values = effect.expected_values();
            if values.iter().filter(|(_, given)| *given).count() != 1 {
                let message =
                    "a probe needs exactly one of `change`, `after`, `equals` and `matches`";
                let help = "`change` is the difference to the number before the steps, `after` the \
                            number itself; a text `equals` another one, or `matches` a regular \
                            expression";
                self.problem(span, message, help);
            }
        } else {
            let of_probe = [("of", effect.of.is_some()), ("sku", effect.sku.is_some())];
            let keys = [&of_probe[..], &effect.expected_values()].concat();
            self.report_misplaced(span, &keys, "`probe`");
        }
        if effect.granted.is_none() {
            if let Some(times) = effect.times {
                self.report_misplaced(times.span, &[("times", true)], "`granted`");
            }
            if effect.if_delivered {
                let help = "`not_granted` and `probe` don't depend on the response";
                self.problem(span, "`if_delivered` is only allowed with `granted`", help);
            }
        }
        let expected = if let Some(probe) = &effect.probe {
            ExpectedEffect::Probe {
                probe: probe.clone(),
                event: of?,
                sku: effect.sku.clone(),
                value: effect.expected_value()?,
            }
        } else if effect.granted.is_some() {
            ExpectedEffect::Granted {
                event: granted?,
                times: effect.times.map_or(1, |times| times.value),
                if_delivered: effect.if_delivered,
            }
        } else if effect.removed.is_some() {
            ExpectedEffect::Removed(removed?)
        } else {
            ExpectedEffect::NotGranted(not_granted?)
        };
        Some(Effect {
            expected,
            settle: effect.settle,
            level: effect.level,
            source: effect.source.clone(),
        })
    }

    /// Rejects a second `granted` or `not_granted` for an event: the two would contradict or repeat
    /// each other.
    fn check_unique_grants(&mut self) {
        let mut seen = BTreeSet::new();
        let scenario = self.scenario;
        for effect in &scenario.effects {
            let mut given = [&effect.granted, &effect.not_granted, &effect.removed]
                .into_iter()
                .flatten();
            let (Some(event), None) = (given.next(), given.next()) else {
                continue;
            };
            if !seen.insert(event.value.as_str()) {
                let name = &event.value;
                let message =
                    format!("`{name}` has more than one `granted`, `not_granted` or `removed`");
                let help = "keep one of them; use `times` for the number of grants";
                self.problem(event.span, message, help);
            }
        }
    }

    fn require_delivered(&mut self, name: &Spanned<String>) {
        let help = "add a step that delivers it, or use `not_granted`";
        let impossible = "be granted: no step delivers it without `forge`";
        self.require_step(name, impossible, help, |checker, step| {
            step.forge.is_none() && checker.delivers_redemption(step, name)
        });
    }

    /// Rejects an effect of an event that is never sent, since it could not fail.
    fn require_sent(&mut self, name: &Spanned<String>) {
        let help = "add a step that delivers it, or a `request` with `of`";
        let impossible = "have an effect: no step delivers it";
        self.require_step(name, impossible, help, |checker, step| {
            let request = step.request.as_ref();
            let of = request.and_then(|request| request.of.as_ref());
            checker.delivers_redemption(step, name) || of.is_some_and(|of| of.value == name.value)
        });
    }

    fn require_step(
        &mut self,
        name: &Spanned<String>,
        impossible: &str,
        help: &str,
        is_suitable: impl Fn(&Self, &StepKeys) -> bool,
    ) {
        // An unknown event is already reported.
        if self.scenario.events.contains_key(&name.value)
            && !self
                .scenario
                .steps
                .iter()
                .any(|step| is_suitable(self, step))
        {
            let message = format!("`{}` can't {impossible}", name.value);
            self.problem(name.span, message, help);
        }
    }
}
