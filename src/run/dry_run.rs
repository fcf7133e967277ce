//! Describes what a plan would do without sending anything.

use std::collections::BTreeSet;

use super::missing_capability::MissingCapability;
use super::plan::{Plan, PlannedAction, PlannedEvent, PlannedStep};
use crate::generate::BodyLayout;
use crate::policy::{Forgery, HttpVersion};
use crate::protocol::{Event, Field, NestedItem};
use crate::scenario::document::nearest;
use crate::scenario::{Hook, InstanceChoice, Policy};
use crate::verify::{HeldItems, describe_expectations};

#[derive(Debug, Clone)]
pub(crate) struct Capabilities {
    pub probes: Vec<String>,
    /// The names of the hooks that steps can run.
    pub hooks: Vec<String>,
    /// The names of the receiver's instances.
    pub targets: Vec<String>,
    pub expired_secret: bool,
    /// The forgery that guesses the webhook's secret.
    pub guessed_secret: Option<Forgery>,
    pub http_version: HttpVersion,
    pub policy: Policy,
    /// What the game holds for each SKU.
    pub(crate) held_items: HeldItems,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DryRun {
    pub name: String,
    pub file: String,
    pub line: usize,
    /// Its events: name and description.
    pub events: Vec<(String, String)>,
    pub steps: Vec<DryRunItem>,
    pub effects: Vec<DryRunItem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DryRunItem {
    pub text: String,
    /// Why it would not be checked, and what to do about it.
    pub not_checked: Option<(String, String)>,
    /// The expectations of each response, one line each.
    pub expectations: Vec<String>,
}

impl Plan {
    pub(crate) fn dry_run(&self, capabilities: &Capabilities) -> DryRun {
        let mut steps = Vec::new();
        // A step that can't run ends the scenario, and nothing after it is checked.
        let mut missing: Option<MissingCapability> = self.missing.clone();
        for step in &self.steps {
            missing = missing.or_else(|| capabilities.missing(&step.action));
            let expectations = step.expectations.iter().flat_map(describe_expectations);
            steps.push(DryRunItem {
                expectations: expectations.collect(),
                ..DryRunItem::new(step_text(step), missing.as_ref())
            });
        }
        DryRun {
            name: self.case.title(),
            file: self.case.source.name.to_string(),
            line: self.case.line,
            events: self
                .events
                .iter()
                .map(|(name, event)| (name.clone(), describe_event(event)))
                .collect(),
            steps,
            effects: self.dry_run_effects(capabilities, missing.as_ref()),
        }
    }

    fn dry_run_effects(
        &self,
        capabilities: &Capabilities,
        missing_before: Option<&MissingCapability>,
    ) -> Vec<DryRunItem> {
        let effects = self.effects.iter();
        let effects = effects.map(|effect| {
            let probe = effect.probe(capabilities.policy, None);
            probe.held_as(&capabilities.held_items)
        });
        effects
            .map(|effect| {
                let mut probes: Vec<_> = effect.queries.iter().map(|(probe, ..)| probe).collect();
                probes.dedup();
                let mut known = probes.iter();
                let missing = known.find(|probe| !capabilities.probes.contains(probe));
                let missing = missing.map(|probe| MissingCapability::Probe((*probe).clone()));
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
    /// What a step needs and the profile lacks.
    pub(super) fn missing(&self, action: &PlannedAction) -> Option<MissingCapability> {
        match action {
            PlannedAction::Script { .. } => self.missing_hook(Hook::SCRIPT),
            PlannedAction::Restart => self.missing_hook(Hook::RESTART),
            PlannedAction::Hook(hook) => self.missing_hooks(&hook.of_scenario),
            PlannedAction::Deliver(deliveries) => {
                let how = &deliveries.how;
                if how.forge == Some(Forgery::ExpiredSecret) && !self.expired_secret {
                    return Some(MissingCapability::ExpiredSecret);
                }
                if how.forge.is_some() && how.forge == self.guessed_secret {
                    return Some(MissingCapability::SecretBeyondGuessing);
                }
                if deliveries.restarts_receiver()
                    && let Some(missing) = self.missing_hook(Hook::RESTART)
                {
                    return Some(missing);
                }
                let missing_instance = match &how.instances {
                    InstanceChoice::Named(name) if !self.targets.contains(name) => {
                        Some(MissingCapability::Target(name.clone()))
                    }
                    InstanceChoice::Spread if self.targets.len() < 2 => {
                        let listed = self.targets.len();
                        Some(MissingCapability::SeveralTargets { listed })
                    }
                    _ => None,
                };
                if missing_instance.is_some() {
                    return missing_instance;
                }
                let http2_only = self.http_version == HttpVersion::Http2;
                let unsupported = how
                    .fault()
                    .filter(|fault| http2_only && fault.needs_http1());
                let wire = how.wire.as_ref().filter(|_| http2_only);
                let wire = wire.and_then(|wire| wire.http1_key());
                let unsupported = unsupported.map(MissingCapability::Http1);
                unsupported.or(wire.map(MissingCapability::Http1Wire))
            }
            PlannedAction::Request(_) | PlannedAction::Pause(_) | PlannedAction::AfterOthers => {
                None
            }
        }
    }

    /// The hooks that a scenario needs and the profile lacks.
    pub(super) fn missing_hooks(&self, needed: &BTreeSet<String>) -> Option<MissingCapability> {
        let missing = needed.iter().filter(|name| !self.hooks.contains(*name));
        let missing: Vec<String> = missing.cloned().collect();
        match missing.as_slice() {
            [] => None,
            [name] => self.missing_hook(name),
            _ => Some(MissingCapability::Hooks(missing)),
        }
    }

    pub(super) fn missing_hook(&self, name: &str) -> Option<MissingCapability> {
        let mut known = self.hooks.iter();
        // One hook of the bundled suite is not a misspelling of another.
        let is_bundled = |name: &str| Hook::OF_BUNDLED_SUITE.contains(&name);
        let similar = known.clone().map(String::as_str);
        let similar = similar.filter(|other| !(is_bundled(name) && is_bundled(other)));
        (!known.any(|known| known == name)).then(|| MissingCapability::Hook {
            name: name.to_owned(),
            similar: nearest(name, similar).map(str::to_owned),
        })
    }
}

fn step_text(step: &PlannedStep) -> String {
    match &step.action {
        PlannedAction::Deliver(deliveries) if deliveries.order.len() > 1 => {
            let count = deliveries.order.len();
            format!("{}, {count} deliveries", step.description)
        }
        _ => step.description.clone(),
    }
}

impl DryRunItem {
    fn new(text: String, missing: Option<&MissingCapability>) -> Self {
        Self {
            text,
            not_checked: missing.map(MissingCapability::reason_and_hint),
            expectations: Vec::new(),
        }
    }
}

fn counted(quantity: u64, sku: &str) -> String {
    format!("{quantity} {sku}")
}

/// The contents of a bundle, or the first ones of many.
fn contents(nested: &[NestedItem]) -> String {
    const SHOWN: usize = 12;
    let shown = nested.iter().take(SHOWN);
    let mut parts: Vec<String> = shown
        .map(|item| counted(item.quantity, &item.sku))
        .collect();
    if let Some(more @ 1..) = nested.len().checked_sub(SHOWN) {
        parts.push(format!("{more} more"));
    }
    parts.join(" and ")
}

fn describe_event(planned: &PlannedEvent) -> String {
    let bytes = planned.body.len();
    let Some(event) = &planned.event else {
        return format!("invalid event, {bytes} bytes");
    };
    let data = &event.event_data;
    let items = data.granted_items();
    let quantities = items.iter().map(|item| counted(item.quantity, &item.sku));
    let mut text = format!(
        "{} for player {}, coupon {}",
        quantities.collect::<Vec<_>>().join(" and "),
        data.player_id,
        data.coupon.code
    );
    for item in items {
        if let Field::Value(nested) = &item.nested_items {
            text = format!("{text}, a bundle of {}", contents(nested));
        }
        if let Field::Value(fallback) = &item.fallback_item {
            let fallback = counted(fallback.quantity, &fallback.sku);
            text = format!("{text}, fallback {fallback}");
        }
    }
    if event.event_type != Event::COUPON_REDEEMED {
        text = format!("{text}, {}", event.event_type);
    }
    for (marked, word) in [(event.sandbox, "sandbox"), (event.is_test(), "test")] {
        if marked {
            text = format!("{text}, {word}");
        }
    }
    if planned.layout != BodyLayout::default() {
        text = format!("{text}, layout {}", planned.layout);
    }
    format!("{text}, {bytes} bytes")
}
