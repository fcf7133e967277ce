//! One effect: the probes that it reads, the numbers that it expects, and its checks.

use std::collections::BTreeSet;
use std::iter;
use std::time::Duration;

use super::event_outcomes::{EventOutcome, EventOutcomes};
use super::expectation::NOT_RUNNING;
use super::expected_grant::{AcceptableGrants, ExpectedGrant, acceptable_grants, named_skus};
use super::grant_check::{GrantCheck, GrantExpectation, HeldOnce};
use super::grant_failure::GrantFailure;
use super::held_items::HeldItems;
use super::redemption::{Duty, Redemption};
use super::verdict::{Check, Requirement};
use super::wrong_changes::{describe_difference, describe_wrong_changes, grant_text};
use crate::probe::QUANTITY_PROBE;
use crate::protocol::{Event, Item, ItemKind};
use crate::scenario::{Effect, ExpectedEffect, ExpectedValue, Policy, shortened};

/// What a probe reads: the name of the probe, the player and the SKU.
pub(crate) type ProbeQuery = (String, String, String);

pub(crate) struct EffectProbe<'run> {
    pub(crate) subject: String,
    pub(crate) requirement: &'run Requirement,
    /// The grace period that the effect or the profile sets.
    pub(crate) settle: Option<Duration>,
    pub(crate) queries: Vec<ProbeQuery>,
    expected: ExpectedReadings,
    policy: Policy,
    redemption: &'run Redemption,
    change: Change<'run>,
    /// The SKUs of the event's own bundles, those of fallbacks included.
    bundles: Vec<String>,
    /// Whether two acceptable grants at once are an item and its fallback. Without it, they may be a
    /// bundle and its contents.
    has_only_fallbacks: bool,
    /// Whether the responses to the event decide whether it must have been granted.
    if_delivered: bool,
    /// What is expected if all events are accepted, until their responses are known.
    assumed: Option<Duty>,
    outcome: EventOutcome,
}

/// The change of an inventory that an effect is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change<'run> {
    Granted,
    /// The event that takes something away.
    Removed(&'run str),
    /// Nothing, or a number that does not depend on responses.
    Fixed,
}

pub(crate) const TOO_MANY_GRANTS: &str = "there are too many correct ways to grant this event; \
    choose one in the profile's `policy`";

enum ExpectedReadings {
    Grant(GrantExpectation),
    Of(ExpectedValue),
}

fn fallback(item: &Item) -> Option<&Item> {
    item.fallback_item.value().map(AsRef::as_ref)
}

impl<'run> EffectProbe<'run> {
    pub(crate) fn new(
        effect: &'run Effect,
        event: &Event,
        redemption: &'run Redemption,
        requirement: &'run Requirement,
        policy: Policy,
        settle: Option<Duration>,
    ) -> Self {
        let name = &effect.expected.event().name;
        let data = &event.event_data;
        let query = |probe: &str, sku: &str| {
            let player_id = data.player_id.to_string();
            (probe.to_owned(), player_id, sku.to_owned())
        };
        let removes = matches!(effect.expected, ExpectedEffect::Removed(_));
        let grant = |acceptable| {
            let mut grant = grant_expectation(event, acceptable);
            grant.removes = removes;
            let queries = grant.skus.iter().map(|sku| query(QUANTITY_PROBE, sku));
            let queries = queries.collect();
            (ExpectedReadings::Grant(grant), queries)
        };
        let (subject, (expected, queries)) = match &effect.expected {
            ExpectedEffect::Granted { times, .. } => {
                let often = match times {
                    1 => String::new(),
                    _ => format!(", {times} times"),
                };
                let acceptable = acceptable_grants(event, policy).times(*times);
                (format!("grant of `{name}`{often}"), grant(acceptable))
            }
            ExpectedEffect::NotGranted(_) => (
                format!("no grant of `{name}`"),
                grant(AcceptableGrants::nothing()),
            ),
            ExpectedEffect::Removed(_) => (
                format!("removal of `{name}`"),
                grant(acceptable_grants(event, policy)),
            ),
            ExpectedEffect::Probe {
                probe, sku, value, ..
            } => {
                let sku = sku.as_deref().unwrap_or_else(|| data.sku());
                let queries = vec![query(probe, sku)];
                let subject = format!("probe {} of {name}", probe.value);
                (subject, (ExpectedReadings::Of(value.clone()), queries))
            }
        };
        let (change, if_delivered) = match &effect.expected {
            ExpectedEffect::Granted { if_delivered, .. } => (Change::Granted, *if_delivered),
            ExpectedEffect::Removed(event) => (Change::Removed(&event.name), false),
            ExpectedEffect::NotGranted(_) | ExpectedEffect::Probe { .. } => (Change::Fixed, false),
        };
        let items = data.granted_items().iter();
        let items = items.flat_map(|item| iter::successors(Some(item), |item| fallback(item)));
        let bundles = items.filter(|item| item.kind == ItemKind::Bundle);
        let bundles: Vec<String> = bundles.map(|item| item.sku.to_string()).collect();
        let mut own = data.granted_items().iter();
        let has_fallback = own.any(|item| fallback(item).is_some());
        let mut probe = Self {
            has_only_fallbacks: has_fallback && (bundles.is_empty() || policy.bundles.is_some()),
            bundles,
            subject,
            requirement,
            settle: effect.settle.map(|settle| settle.0).or(settle),
            queries,
            expected,
            policy,
            redemption,
            change,
            if_delivered,
            assumed: None,
            outcome: EventOutcome::Unknown,
        };
        probe.assumed = probe.duty(&EventOutcomes::all_accepted(), true);
        probe
    }

    /// Whether the change must happen, given the responses; `None` if it does not depend on them.
    fn duty(&self, outcomes: &EventOutcomes, held_before: bool) -> Option<Duty> {
        match self.change {
            Change::Granted => {
                let credit = self
                    .redemption
                    .credit(self.policy, self.if_delivered, outcomes);
                Some(credit)
            }
            Change::Removed(name) => {
                let redemption = self.redemption;
                let duty = Duty::of_removal(name, redemption, self.policy, outcomes, held_before);
                Some(duty)
            }
            Change::Fixed => None,
        }
    }

    /// Adjusts an expectation that depends on the responses to the events of the redemption. A refused
    /// event must not be granted; an unanswered one is undecided, so it may be granted or not.
    /// `held_before` is whether the player held one of the SKUs before the steps.
    pub(crate) fn apply_outcomes(&mut self, outcomes: &EventOutcomes, held_before: bool) {
        let Some(duty) = self.duty(outcomes, held_before) else {
            return;
        };
        (self.if_delivered, self.assumed) = (false, None);
        self.outcome = match self.change {
            Change::Removed(name) => outcomes.get(name),
            _ => self.redemption.outcome(outcomes),
        };
        let ExpectedReadings::Grant(grant) = &mut self.expected else {
            return;
        };
        match duty {
            Duty::Required => {}
            Duty::Never => {
                grant.acceptable = vec![ExpectedGrant::new()];
                grant.complete = true;
            }
            Duty::Optional => {
                grant.acceptable.push(ExpectedGrant::new());
                grant.acceptable.sort();
                grant.acceptable.dedup();
            }
        }
    }

    /// Also reads these SKUs, which a correct grant does not change.
    #[must_use]
    pub(crate) fn watching(mut self, skus: &BTreeSet<String>) -> Self {
        if let (ExpectedReadings::Grant(grant), Some((_, player_id, _))) =
            (&mut self.expected, self.queries.first().cloned())
        {
            let queries = skus
                .iter()
                .map(|sku| (QUANTITY_PROBE.to_owned(), player_id.clone(), sku.clone()));
            self.queries.extend(queries);
            grant.skus.extend(skus.iter().cloned());
        }
        self
    }

    /// Expects what the game holds for each SKU.
    #[must_use]
    pub(crate) fn held_as(mut self, held: &HeldItems) -> Self {
        for (probe, _, sku) in &mut self.queries {
            if probe == QUANTITY_PROBE {
                if let ExpectedReadings::Of(
                    ExpectedValue::Change(number) | ExpectedValue::After(number),
                ) = &mut self.expected
                {
                    *number = number.saturating_mul(held.times(sku).into());
                }
                *sku = held.sku(sku).to_owned();
            }
        }
        self.queries.sort();
        self.queries.dedup();
        if let ExpectedReadings::Grant(grant) = &mut self.expected {
            grant.hold_as(held);
        }
        self
    }

    /// Limits the expected quantity to one for SKUs that can be held only once.
    pub(crate) fn cap_held_once(&mut self, skus: &BTreeSet<String>) {
        if let ExpectedReadings::Grant(grant) = &mut self.expected {
            let grants = grant.acceptable.iter_mut().flatten();
            for (_, quantity) in grants.filter(|(sku, _)| skus.contains(*sku)) {
                *quantity = (*quantity).min(1);
            }
        }
    }

    /// An SKU that the player already held and can hold only once, if a correct grant consists only
    /// of such SKUs. The probes can't see such a grant.
    pub(crate) fn hidden_by_held_item(&self, held_once: &HeldOnce) -> Option<&str> {
        let grant = self.grant().filter(|grant| !grant.removes)?;
        let is_held = |sku: &String| {
            let key = (grant.player_id.clone(), sku.clone());
            held_once.get(&key) == Some(&true)
        };
        let mut grants = grant.acceptable.iter().filter(|grant| !grant.is_empty());
        let hidden = grants.find(|grant| grant.keys().all(is_held))?;
        hidden.keys().next().map(String::as_str)
    }

    pub(crate) fn grant(&self) -> Option<&GrantExpectation> {
        match &self.expected {
            ExpectedReadings::Grant(grant) => Some(grant),
            ExpectedReadings::Of(_) => None,
        }
    }

    pub(crate) fn check_grant(&self, grant_check: &GrantCheck) -> Check {
        let expected = self.expected();
        match grant_check {
            GrantCheck::Passed => {
                self.requirement
                    .checked(true, &self.subject, &expected, &expected)
            }
            GrantCheck::Failed(wrong) => {
                let removes = self.removes();
                let seen = if removes {
                    describe_wrong_changes(wrong, &[])
                } else {
                    describe_difference(wrong, self.acceptable())
                };
                let outcome = (self.change != Change::Fixed).then_some(self.outcome);
                let nothing = wrong.iter().all(|change| change.observed == 0);
                if nothing && outcome == Some(EventOutcome::Unreached) {
                    return self.broken(NOT_RUNNING).with_cause(NOT_RUNNING);
                }
                let is_accepted = outcome.map(|outcome| outcome == EventOutcome::Success);
                let two_kinds = self.redemption.has_two_kinds();
                let failure = if removes {
                    GrantFailure::of_removal(wrong, self.acceptable())
                } else {
                    let failure =
                        GrantFailure::of(wrong, self.acceptable(), is_accepted, two_kinds)
                            .unless_bundle_itself(wrong, &self.bundles);
                    if self.has_only_fallbacks {
                        failure.unless_item_and_fallback(wrong, self.acceptable())
                    } else {
                        failure
                    }
                };
                let requirement = self.requirement;
                let check = requirement.checked(false, &self.subject, expected, seen);
                check.with_cause(failure.text())
            }
            GrantCheck::Undecided => self.broken(TOO_MANY_GRANTS),
        }
    }

    /// Whether the effect is that items are taken away.
    pub(crate) fn removes(&self) -> bool {
        matches!(self.change, Change::Removed(_))
    }

    fn acceptable(&self) -> &[ExpectedGrant] {
        self.grant().map_or(&[], |grant| &grant.acceptable)
    }

    /// The check of an effect that could not be decided.
    pub(crate) fn broken(&self, reason: impl Into<String>) -> Check {
        let expected = self.expected();
        self.requirement.broken(&self.subject, expected, reason)
    }

    pub(crate) fn check_number(&self, before: i128, after: i128) -> Check {
        let passed = match &self.expected {
            ExpectedReadings::Of(ExpectedValue::Change(change)) => {
                after.checked_sub(before) == Some(*change)
            }
            ExpectedReadings::Of(ExpectedValue::After(expected)) => after == *expected,
            _ => false,
        };
        let seen = format!("{before} before, {after} after");
        self.requirement
            .checked(passed, &self.subject, self.expected(), seen)
    }

    /// Whether its probe reads a text instead of a number.
    pub(crate) fn is_text(&self) -> bool {
        matches!(
            self.expected,
            ExpectedReadings::Of(ExpectedValue::Equals(_) | ExpectedValue::Matches(_))
        )
    }

    pub(crate) fn check_text(&self, after: &str) -> Check {
        let passed = match &self.expected {
            ExpectedReadings::Of(ExpectedValue::Equals(text)) => after == text,
            ExpectedReadings::Of(ExpectedValue::Matches(pattern)) => pattern.is_match(after),
            _ => false,
        };
        let seen = shortened(&after.into());
        self.requirement
            .checked(passed, &self.subject, self.expected(), seen)
    }

    pub(crate) fn expected(&self) -> String {
        /// The maximum number of alternatives that are listed.
        const SHOWN: usize = 4;
        match &self.expected {
            ExpectedReadings::Of(value) => match value {
                ExpectedValue::Change(change) => format!("a change of {change}"),
                ExpectedValue::After(after) => format!("{after} after"),
                ExpectedValue::Equals(text) => shortened(&text.as_str().into()),
                ExpectedValue::Matches(pattern) => format!("matches /{pattern}/"),
            },
            ExpectedReadings::Grant(_) if self.assumed == Some(Duty::Never) => "nothing".to_owned(),
            ExpectedReadings::Grant(grant) => {
                let shown = grant.acceptable.iter().take(SHOWN);
                let mut alternatives: Vec<String> = shown
                    .map(|items| match (grant_text(items), grant.removes) {
                        (text, true) if !items.is_empty() => format!("{text} less"),
                        (text, _) => text,
                    })
                    .collect();
                if self.assumed == Some(Duty::Optional) {
                    alternatives.push("nothing".to_owned());
                }
                if let Some(others @ 1..) = grant.acceptable.len().checked_sub(SHOWN) {
                    alternatives.push(format!("{others} other combinations"));
                }
                if self.if_delivered {
                    alternatives.push("nothing if the event is refused".to_owned());
                }
                alternatives.join("; or ")
            }
        }
    }
}

pub(crate) fn grant_expectation(
    event: &Event,
    AcceptableGrants { grants, complete }: AcceptableGrants,
) -> GrantExpectation {
    GrantExpectation {
        player_id: event.event_data.player_id.to_string(),
        skus: named_skus(event),
        acceptable: grants,
        complete,
        removes: false,
    }
}
