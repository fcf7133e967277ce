//! Describes what a plan would do without sending anything.

use super::delivery_order::delivery_order;
use super::missing_capability::MissingCapability;
use super::plan::{Plan, PlannedEvent};
use super::step_description::describe;
use crate::policy::Forgery;
use crate::policy::HttpVersion;
use crate::protocol::{Event, Field};
use crate::scenario::{Policy, Step};
use crate::verify::EffectProbe;
use crate::verify::describe_expectations;

/// What the profile and the options make it possible to check.
#[derive(Debug, Clone)]
pub struct Capabilities {
    /// The names of the profile's probes.
    pub probes: Vec<String>,
    /// Whether the receiver's responses can be scripted.
    pub script: bool,
    /// Whether the receiver can be restarted.
    pub restart: bool,
    /// Whether the expired secret is known.
    pub expired_secret: bool,
    /// The HTTP versions in use.
    pub http_version: HttpVersion,
    /// The game's choices where Aghanim leaves one to the game.
    pub policy: Policy,
}

/// What a scenario would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRun {
    /// Its name, including the choice of its matrix.
    pub name: String,
    /// Its file.
    pub file: String,
    /// The line of its name in the file, from 1.
    pub line: usize,
    /// Its events: name and description.
    pub events: Vec<(String, String)>,
    /// Its steps, in order.
    pub steps: Vec<DryRunItem>,
    /// Its effects.
    pub effects: Vec<DryRunItem>,
}

/// A step or an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRunItem {
    /// What it does or expects.
    pub text: String,
    /// Why it would not be checked, and what to do about it.
    pub not_checked: Option<(String, String)>,
    /// The expectations of each response, one line each.
    pub expectations: Vec<String>,
}

impl Plan {
    /// Describes what this plan would do.
    pub fn dry_run(&self, capabilities: &Capabilities) -> DryRun {
        let events = self.events.iter();
        let mut steps = Vec::new();
        // A step that can't run ends the scenario, and nothing after it is checked.
        let mut missing: Option<MissingCapability> = self.missing.clone();
        for (index, step) in self.case.scenario.steps.iter().enumerate() {
            missing = missing.or_else(|| capabilities.missing(step));
            let expectations = self.expectations.get(index).into_iter().flatten();
            let expectations = expectations.flat_map(describe_expectations).collect();
            steps.push(DryRunItem {
                expectations,
                ..DryRunItem::new(self.step_text(index + 1, step), missing.as_ref())
            });
        }
        DryRun {
            name: self.case.title(),
            file: self.case.source.name.to_string(),
            line: self.case.line,
            events: events
                .map(|(name, event)| (name.clone(), describe_event(event)))
                .collect(),
            steps,
            effects: self.dry_run_effects(capabilities, missing.as_ref()),
        }
    }

    fn step_text(&self, number: usize, step: &Step) -> String {
        let deliveries = delivery_order(self, number, step).len();
        let text = describe(step);
        if deliveries > 1 {
            return format!("{text}, {deliveries} deliveries");
        }
        text
    }

    fn dry_run_effects(
        &self,
        capabilities: &Capabilities,
        missing_before: Option<&MissingCapability>,
    ) -> Vec<DryRunItem> {
        let effects = self
            .case
            .scenario
            .effects
            .iter()
            .zip(&self.effect_requirements);
        let effects = effects.filter_map(|(effect, requirement)| {
            EffectProbe::new(
                |name| self.event(name),
                effect,
                requirement,
                capabilities.policy,
                None,
            )
        });
        effects
            .map(|effect| {
                let mut probes: Vec<&str> = effect
                    .queries
                    .iter()
                    .map(|(probe, ..)| probe.as_str())
                    .collect();
                probes.dedup();
                let missing = probes.iter().find(|probe| !capabilities.has_probe(probe));
                let missing = missing.map(|probe| MissingCapability::Probe((*probe).to_owned()));
                let probes: Vec<String> = probes.iter().map(|probe| format!("`{probe}`")).collect();
                let text = format!(
                    "{}: {} (probe {})",
                    effect.subject,
                    effect.expected(),
                    probes.join(", ")
                );
                DryRunItem::new(text, missing_before.or(missing.as_ref()))
            })
            .collect()
    }
}

impl Capabilities {
    fn has_probe(&self, name: &str) -> bool {
        self.probes.iter().any(|probe| probe == name)
    }

    /// What a step needs and the profile lacks.
    fn missing(&self, step: &Step) -> Option<MissingCapability> {
        if step.script.is_some() && !self.script {
            return Some(MissingCapability::Script);
        }
        if step.restart && !self.restart {
            return Some(MissingCapability::Restart);
        }
        let forgery = step.forge.map(|forgery| forgery.value);
        if forgery == Some(Forgery::ExpiredSecret) && !self.expired_secret {
            return Some(MissingCapability::ExpiredSecret);
        }
        let fault = step.fault.map(|fault| fault.value);
        let http2_only = self.http_version == HttpVersion::Http2;
        let unsupported = fault.filter(|fault| http2_only && fault.needs_http1());
        unsupported.map(MissingCapability::Http1)
    }
}

impl DryRunItem {
    fn new(text: String, missing: Option<&MissingCapability>) -> Self {
        let not_checked = missing.map(|missing| (missing.reason(), missing.hint()));
        Self {
            text,
            not_checked,
            expectations: Vec::new(),
        }
    }
}

/// Describes an event in one line.
fn describe_event(planned: &PlannedEvent) -> String {
    let bytes = planned.body.len();
    let Some(event) = &planned.event else {
        return format!("invalid event, {bytes} bytes");
    };
    let data = &event.event_data;
    let item = &data.item;
    let mut text = format!(
        "{} {} for player {}, coupon {}",
        item.quantity, item.sku, data.player_id, data.coupon.code
    );
    if let Field::Value(nested) = &item.nested_items {
        let nested: Vec<String> = nested
            .iter()
            .map(|item| format!("{} {}", item.quantity, item.sku))
            .collect();
        text = format!("{text}, a bundle of {}", nested.join(" and "));
    }
    if let Field::Value(fallback) = &item.fallback_item {
        text = format!("{text}, fallback {} {}", fallback.quantity, fallback.sku);
    }
    for (marked, word) in [(event.sandbox, "sandbox"), (is_test(event), "test")] {
        if marked {
            text = format!("{text}, {word}");
        }
    }
    format!("{text}, {bytes} bytes")
}

fn is_test(event: &Event) -> bool {
    matches!(&event.trigger, Field::Value(trigger) if trigger.as_ref() == Event::TRIGGER_TEST)
}
