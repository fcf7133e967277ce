//! One effect: the probes that it reads, the numbers that it expects, and its checks.

use std::collections::BTreeSet;
use std::time::Duration;

use super::event_outcomes::{EventOutcome, EventOutcomes};
use super::expectation::NOT_RUNNING;
use super::expected_grant::{AcceptableGrants, ExpectedGrant, acceptable_grants, named_skus};
use super::grant_check::{GrantCheck, GrantExpectation, HeldOnce, WrongChange};
use super::held_items::HeldItems;
use super::verdict::{Check, Requirement};
use crate::probe::QUANTITY_PROBE;
use crate::protocol::Event;
use crate::scenario::{Effect, ExpectedEffect, ExpectedNumber, Policy};

/// What a probe reads: the name of the probe, the player and the SKU.
pub(crate) type ProbeQuery = (String, String, String);

pub(crate) struct EffectProbe<'run> {
    pub(crate) subject: String,
    pub(crate) requirement: &'run Requirement,
    /// The grace period that the effect or the profile sets.
    pub(crate) settle: Option<Duration>,
    pub(crate) queries: Vec<ProbeQuery>,
    expected: ExpectedNumbers,
    granted: Option<&'run str>,
    /// Whether the responses to the event decide whether it must have been granted.
    if_delivered: bool,
    outcome: EventOutcome,
}

pub(crate) const TOO_MANY_GRANTS: &str = "there are too many correct ways to grant this event; \
    choose one in the profile's `policy`";
/// Common causes if nothing was granted.
const NEVER_ACCEPTED: &str = "no delivery of the event was accepted, and nothing was granted";
const ACCEPTED_NOT_GRANTED: &str = "the event was accepted, but its probe shows no grant; if the \
    game did grant it, check the probe's URL and `read`";

enum ExpectedNumbers {
    Grant(GrantExpectation),
    Of(ExpectedNumber),
}

impl<'run> EffectProbe<'run> {
    pub(crate) fn new(
        effect: &'run Effect,
        event: &Event,
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
        let grant = |acceptable| {
            let grant = grant_expectation(event, acceptable);
            let queries = grant.skus.iter().map(|sku| query(QUANTITY_PROBE, sku));
            let queries = queries.collect();
            (ExpectedNumbers::Grant(grant), queries)
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
            ExpectedEffect::Number {
                probe, sku, number, ..
            } => {
                let sku = sku.as_deref().unwrap_or(&data.item.sku);
                let queries = vec![query(probe, sku)];
                let subject = format!("probe {} of {name}", probe.value);
                (subject, (ExpectedNumbers::Of(*number), queries))
            }
        };
        let (granted, if_delivered) = match &effect.expected {
            ExpectedEffect::Granted {
                event,
                if_delivered,
                ..
            } => (Some(event.name.as_str()), *if_delivered),
            _ => (None, false),
        };
        Self {
            subject,
            requirement,
            settle: effect.settle.map(|settle| settle.0).or(settle),
            queries,
            expected,
            granted,
            if_delivered,
            outcome: EventOutcome::Unknown,
        }
    }

    /// Adjusts an expectation that depends on the responses to the event. A refused event must not
    /// be granted; an unanswered one is undecided, so it may be granted or not.
    pub(crate) fn apply_outcomes(&mut self, outcomes: &EventOutcomes) {
        let (Some(event), ExpectedNumbers::Grant(grant)) = (self.granted, &mut self.expected)
        else {
            return;
        };
        let outcome = outcomes.get(event);
        self.outcome = outcome;
        if !std::mem::take(&mut self.if_delivered) {
            return;
        }
        match outcome {
            EventOutcome::Success => {}
            EventOutcome::Refused | EventOutcome::Unreached => {
                grant.acceptable = vec![ExpectedGrant::new()];
                grant.complete = true;
            }
            EventOutcome::Unknown => {
                grant.acceptable.push(ExpectedGrant::new());
                grant.acceptable.sort();
                grant.acceptable.dedup();
            }
        }
    }

    /// Expects what the game holds for each SKU.
    #[must_use]
    pub(crate) fn held_as(mut self, held: &HeldItems) -> Self {
        for (probe, _, sku) in &mut self.queries {
            if probe == QUANTITY_PROBE {
                if let ExpectedNumbers::Of(number) = &mut self.expected {
                    *number = match *number {
                        ExpectedNumber::Change(change) => {
                            ExpectedNumber::Change(change.saturating_mul(held.times(sku).into()))
                        }
                        ExpectedNumber::After(after) => {
                            ExpectedNumber::After(after.saturating_mul(held.times(sku).into()))
                        }
                    };
                }
                *sku = held.sku(sku).to_owned();
            }
        }
        self.queries.sort();
        self.queries.dedup();
        if let ExpectedNumbers::Grant(grant) = &mut self.expected {
            grant.hold_as(held);
        }
        self
    }

    /// Limits the expected quantity to one for SKUs that can be held only once.
    pub(crate) fn cap_held_once(&mut self, skus: &BTreeSet<String>) {
        if let ExpectedNumbers::Grant(grant) = &mut self.expected {
            let grants = grant.acceptable.iter_mut().flatten();
            for (_, quantity) in grants.filter(|(sku, _)| skus.contains(*sku)) {
                *quantity = (*quantity).min(1);
            }
        }
    }

    /// An SKU that the player already held and can hold only once, if a correct grant consists only
    /// of such SKUs. The probes can't see such a grant.
    pub(crate) fn hidden_by_held_item(&self, held_once: &HeldOnce) -> Option<&str> {
        let grant = self.grant()?;
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
            ExpectedNumbers::Grant(grant) => Some(grant),
            ExpectedNumbers::Of(_) => None,
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
                let mut seen = describe_wrong_changes(wrong);
                if let Some(grant) = self.closest(wrong) {
                    seen = format!("closest to {}, but {seen}", grant_text(grant));
                }
                let requirement = self.requirement;
                let check = requirement.checked(false, &self.subject, expected, seen);
                let nothing = wrong.iter().all(|change| change.observed == 0);
                match (self.granted, self.outcome) {
                    (Some(_), EventOutcome::Success) if nothing => {
                        check.with_cause(ACCEPTED_NOT_GRANTED)
                    }
                    (Some(_), EventOutcome::Unreached) if nothing => {
                        self.broken(NOT_RUNNING).with_cause(NOT_RUNNING)
                    }
                    (Some(_), _) if nothing => check.with_cause(NEVER_ACCEPTED),
                    _ => check,
                }
            }
            GrantCheck::Undecided => self.broken(TOO_MANY_GRANTS),
        }
    }

    /// The check of an effect that could not be decided.
    pub(crate) fn broken(&self, reason: impl Into<String>) -> Check {
        let expected = self.expected();
        self.requirement.broken(&self.subject, expected, reason)
    }

    /// The grant with which the changes were compared, if several were acceptable.
    fn closest(&self, wrong: &[WrongChange]) -> Option<&ExpectedGrant> {
        let acceptable = &self.grant()?.acceptable;
        let fits = |grant: &&ExpectedGrant| {
            let expected = |sku| grant.get(sku).copied().unwrap_or(0);
            wrong
                .iter()
                .all(|change| Ok(expected(&change.sku)) == u128::try_from(change.expected))
        };
        let mut fitting = acceptable.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(grant), None) if acceptable.len() > 1 && !grant.is_empty() => Some(grant),
            _ => None,
        }
    }

    pub(crate) fn check_number(&self, before: i128, after: i128) -> Check {
        let passed = match &self.expected {
            ExpectedNumbers::Of(ExpectedNumber::Change(change)) => {
                after.checked_sub(before) == Some(*change)
            }
            ExpectedNumbers::Of(ExpectedNumber::After(expected)) => after == *expected,
            ExpectedNumbers::Grant(_) => false,
        };
        let seen = format!("{before} before, {after} after");
        self.requirement
            .checked(passed, &self.subject, self.expected(), seen)
    }

    pub(crate) fn expected(&self) -> String {
        /// The maximum number of alternatives that are listed.
        const SHOWN: usize = 4;
        match &self.expected {
            ExpectedNumbers::Of(ExpectedNumber::Change(change)) => format!("a change of {change}"),
            ExpectedNumbers::Of(ExpectedNumber::After(after)) => format!("{after} after"),
            ExpectedNumbers::Grant(grant) => {
                let shown = grant.acceptable.iter().take(SHOWN);
                let mut alternatives: Vec<String> = shown.map(grant_text).collect();
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
    }
}

fn grant_text(grant: &ExpectedGrant) -> String {
    if grant.is_empty() {
        return "nothing".to_owned();
    }
    let parts = grant
        .iter()
        .map(|(sku, quantity)| format!("{quantity} {sku}"));
    parts.collect::<Vec<_>>().join(" and ")
}

pub(crate) fn describe_wrong_changes<'a>(
    wrong: impl IntoIterator<Item = &'a WrongChange>,
) -> String {
    let parts = wrong.into_iter().map(|change| {
        let WrongChange {
            sku,
            expected,
            observed,
        } = change;
        let times = match expected {
            1.. if observed % expected == 0 && observed > expected => {
                format!(" ({} times as much)", observed / expected)
            }
            _ => String::new(),
        };
        format!("{sku} changed by {observed} instead of {expected}{times}")
    });
    parts.collect::<Vec<_>>().join("; ")
}
