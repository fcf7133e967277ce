//! One effect: which probes it asks, what it demands of their numbers, and how that is told.

use std::collections::BTreeSet;
use std::time::Duration;

use super::answered::{Answered, AnsweredEvents};
use super::expected_grant::{AcceptableGrants, Grant, acceptable_grants, named_skus};
use super::grant_judgement::{GrantClaim, HeldOnce, Judgement, WrongChange};
use super::plan::{Plan, QUANTITY_PROBE};
use super::verdict::{Check, Demand};
use crate::protocol::Event;
use crate::scenario::document::Spanned;
use crate::scenario::{Effect, Policy};

/// What a probe is asked: its name, the player and the SKU.
pub(super) type Question = (String, String, String);

/// An effect of a scenario.
pub(super) struct WatchedEffect<'run> {
    pub(super) subject: String,
    pub(super) demand: &'run Demand,
    /// The wait that was asked for, by the effect or the profile.
    pub(super) settle: Option<Duration>,
    pub(super) questions: Vec<Question>,
    wanted: Wanted,
    /// The event that is to be granted, if one is.
    granted: Option<&'run str>,
    /// Whether the event's answers decide whether it must have been granted.
    if_delivered: bool,
    /// Whether a delivery of that event was accepted.
    accepted: bool,
}

/// Why there is nothing of what was to be granted.
const NEVER_ACCEPTED: &str = "no delivery of the event was accepted, and nothing of it was granted";
const ACCEPTED_IN_VAIN: &str = "the event was accepted, and nothing of it was granted";

/// What is demanded of the numbers.
enum Wanted {
    Grant(GrantClaim),
    Change(i128),
    After(i128),
}

impl<'run> WatchedEffect<'run> {
    /// Nothing where the event is not valid or a key is missing, which planning has refused already.
    pub(super) fn new(
        plan: &Plan,
        effect: &'run Effect,
        demand: &'run Demand,
        policy: Policy,
        settle: Option<Duration>,
    ) -> Option<Self> {
        let event = |name: &Spanned<String>| plan.events.get(&name.value)?.event.as_ref();
        let (subject, wanted, questions) = if let Some(name) = &effect.granted {
            let event = event(name)?;
            let times = effect.times.map_or(1, |times| times.value);
            let claim = claim(event, repeated(acceptable_grants(event, policy), times));
            let subject = match times {
                1 => format!("granted {}", name.value),
                _ => format!("granted {} {times} times", name.value),
            };
            let questions = quantities(&claim);
            (subject, Wanted::Grant(claim), questions)
        } else if let Some(name) = &effect.not_granted {
            let claim = claim(event(name)?, AcceptableGrants::one(Grant::new()));
            let questions = quantities(&claim);
            (
                format!("not granted {}", name.value),
                Wanted::Grant(claim),
                questions,
            )
        } else {
            let (probe, name) = (effect.probe.as_ref()?, effect.of.as_ref()?);
            let data = &event(name)?.event_data;
            let sku = effect
                .sku
                .clone()
                .unwrap_or_else(|| data.item.sku.to_string());
            let wanted = match (effect.change, effect.after) {
                (Some(change), _) => Wanted::Change(change.value),
                (None, after) => Wanted::After(after?.value),
            };
            let question = (probe.value.clone(), data.player_id.to_string(), sku);
            (
                format!("probe {} of {}", probe.value, name.value),
                wanted,
                vec![question],
            )
        };
        let settle = effect.settle.map(|settle| settle.0).or(settle);
        Some(Self {
            subject,
            demand,
            settle,
            questions,
            wanted,
            granted: effect.granted.as_ref().map(|name| name.value.as_str()),
            if_delivered: effect.if_delivered,
            accepted: false,
        })
    }

    /// Settles what is demanded where that depends on how the event was answered. Who refuses an
    /// event may not grant it; of an event without an answer nobody knows.
    pub(super) fn take_answers(&mut self, answered: &AnsweredEvents) {
        let (Some(event), Wanted::Grant(claim)) = (self.granted, &mut self.wanted) else {
            return;
        };
        let answered = answered.of(event);
        self.accepted = answered == Answered::Success;
        if !std::mem::take(&mut self.if_delivered) {
            return;
        }
        match answered {
            Answered::Success => {}
            Answered::Refused => {
                claim.acceptable = vec![Grant::new()];
                claim.complete = true;
            }
            Answered::Unknown => {
                claim.acceptable.push(Grant::new());
                claim.acceptable.sort();
                claim.acceptable.dedup();
            }
        }
    }

    /// Lowers what is demanded of SKUs that can be held once only.
    pub(super) fn hold_once(&mut self, skus: &BTreeSet<String>) {
        if let Wanted::Grant(claim) = &mut self.wanted {
            let grants = claim.acceptable.iter_mut().flatten();
            for (_, quantity) in grants.filter(|(sku, _)| skus.contains(*sku)) {
                *quantity = (*quantity).min(1);
            }
        }
    }

    /// The SKU that was held before and of which there can't be two, where a rightful grant would be of
    /// nothing else: it would not show.
    pub(super) fn would_not_show(&self, held_once: &HeldOnce) -> Option<&str> {
        let claim = self.claim()?;
        let is_held = |sku: &String| {
            let key = (claim.player_id.clone(), sku.clone());
            held_once.get(&key) == Some(&true)
        };
        let mut grants = claim.acceptable.iter().filter(|grant| !grant.is_empty());
        let hidden = grants.find(|grant| grant.keys().all(is_held))?;
        hidden.keys().next().map(String::as_str)
    }

    /// The claim that is judged together with those of the other effects, if this is one.
    pub(super) fn claim(&self) -> Option<&GrantClaim> {
        match &self.wanted {
            Wanted::Grant(claim) => Some(claim),
            Wanted::Change(_) | Wanted::After(_) => None,
        }
    }

    /// The check of a claim.
    pub(super) fn check_claim(&self, judgement: &Judgement) -> Check {
        let expected = self.expected();
        match judgement {
            Judgement::Holds => self
                .demand
                .decided(true, &self.subject, &expected, &expected),
            Judgement::Wrong(wrong) => {
                let seen = describe(wrong);
                let check = self.demand.decided(false, &self.subject, expected, seen);
                let nothing = wrong.iter().all(|change| change.observed == 0);
                match (self.granted, self.accepted) {
                    (Some(_), true) if nothing => check.because(ACCEPTED_IN_VAIN),
                    (Some(_), false) if nothing => check.because(NEVER_ACCEPTED),
                    _ => check,
                }
            }
            Judgement::Undecided => {
                let reason = "there are too many right ways to grant this to tell whether one \
                              happened: say in the profile's `policy` which is right";
                self.demand.broken(&self.subject, expected, reason)
            }
        }
    }

    /// The check of a probe's number before and after.
    pub(super) fn check_number(&self, before: i128, after: i128) -> Check {
        let holds = match &self.wanted {
            Wanted::Change(change) => after.checked_sub(before) == Some(*change),
            Wanted::After(wanted) => after == *wanted,
            Wanted::Grant(_) => false,
        };
        let seen = format!("{before} before, {after} after");
        self.demand
            .decided(holds, &self.subject, self.expected(), seen)
    }

    /// What is demanded, in words.
    pub(super) fn expected(&self) -> String {
        /// The most ways that are told.
        const SHOWN: usize = 4;
        match &self.wanted {
            Wanted::Change(change) => format!("a change of {change}"),
            Wanted::After(after) => format!("{after} after"),
            Wanted::Grant(claim) => {
                let ways = claim.acceptable.iter().take(SHOWN).map(grant_text);
                let ways = ways.collect::<Vec<_>>().join(", or ");
                let ways = match claim.acceptable.len().saturating_sub(SHOWN) {
                    0 => ways,
                    others => format!("{ways}, or in {others} other ways"),
                };
                match self.granted {
                    Some(_) if self.if_delivered => {
                        format!("{ways}, or nothing where it is refused")
                    }
                    _ => ways,
                }
            }
        }
    }
}

fn quantities(claim: &GrantClaim) -> Vec<Question> {
    let question = |sku: &String| {
        (
            QUANTITY_PROBE.to_owned(),
            claim.player_id.clone(),
            sku.clone(),
        )
    };
    claim.skus.iter().map(question).collect()
}

pub(super) fn claim(
    event: &Event,
    AcceptableGrants { grants, complete }: AcceptableGrants,
) -> GrantClaim {
    let player_id = event.event_data.player_id.to_string();
    GrantClaim {
        player_id,
        skus: named_skus(event),
        acceptable: grants,
        complete,
    }
}

fn repeated(mut acceptable: AcceptableGrants, times: u32) -> AcceptableGrants {
    for quantity in acceptable
        .grants
        .iter_mut()
        .flat_map(|grant| grant.values_mut())
    {
        *quantity = quantity.saturating_mul(times.into());
    }
    acceptable
}

fn grant_text(grant: &Grant) -> String {
    if grant.is_empty() {
        return "nothing".to_owned();
    }
    let parts: Vec<String> = grant
        .iter()
        .map(|(sku, quantity)| format!("{quantity} {sku}"))
        .collect();
    parts.join(" and ")
}

pub(super) fn describe(wrong: &[WrongChange]) -> String {
    let parts: Vec<String> = wrong
        .iter()
        .map(
            |WrongChange {
                 sku,
                 expected,
                 observed,
             }| {
                let times = match expected {
                    1.. if observed % expected == 0 && *observed > *expected => {
                        format!(", {} times as much", observed / expected)
                    }
                    _ => String::new(),
                };
                format!("{sku} changed by {observed}, not {expected}{times}")
            },
        )
        .collect();
    parts.join("; ")
}
