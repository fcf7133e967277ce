//! Effects of one scenario: which probes are read, when they are right, and what is said of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::expected_grant::{Grant, acceptable_grants, named_skus};
use super::grant_judgement::{Changes, GrantClaim, WrongChange, judge};
use super::harness::Harness;
use super::plan::{Plan, QUANTITY_PROBE};
use super::run_event::Reading;
use super::verdict::{Check, Demand};
use crate::protocol::Event;
use crate::scenario::Effect;
use crate::scenario::document::Located;

/// What a probe is asked: its name, the player and the SKU.
type Question = (String, String, String);

/// What was read, or why it could not be.
type Answers = BTreeMap<Question, Result<i128, String>>;

/// The effects of a scenario between its first reading and its last.
pub(super) struct WatchedEffects<'run> {
    harness: &'run Harness,
    effects: Vec<WatchedEffect<'run>>,
    before: Answers,
}

struct WatchedEffect<'run> {
    subject: String,
    demand: &'run Demand,
    /// The wait that was asked for, by the effect or the profile.
    settle: Option<Duration>,
    kind: Kind,
    questions: Vec<Question>,
}

enum Kind {
    Grant(GrantClaim),
    Number {
        change: Option<i128>,
        after: Option<i128>,
    },
}

/// What came of the effects.
pub(super) struct JudgedEffects {
    pub(super) checks: Vec<Check>,
    pub(super) readings: Vec<Reading>,
    pub(super) settled_after: Duration,
}

/// How long effects may take to show where neither the scenario nor the profile says.
const DEFAULT_SETTLE: Duration = Duration::from_secs(2);
/// How soon the first new reading follows a wrong one, and how far the pauses grow.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

impl<'run> WatchedEffects<'run> {
    /// Reads all probes before the first step.
    pub(super) async fn begin(harness: &'run Harness, plan: &'run Plan) -> Self {
        let effects = plan.case.scenario.effects.iter().zip(&plan.effect_demands);
        let effects: Vec<_> = effects
            .filter_map(|(effect, demand)| WatchedEffect::new(harness, plan, effect, demand))
            .collect();
        let mut watched = Self {
            harness,
            effects,
            before: Answers::new(),
        };
        watched.before = watched.read().await;
        watched
    }

    /// Reads all probes after the last step, again and again until they are right or the longest
    /// wait is over. Where a wait was asked for, what is right must still be right at its end: a
    /// receiver that grants later may also grant too much later.
    pub(super) async fn end(self) -> JudgedEffects {
        let started = Instant::now();
        let settle = self
            .effects
            .iter()
            .map(|effect| effect.settle.unwrap_or(DEFAULT_SETTLE));
        let settle = settle.max().unwrap_or_default();
        let asked_for = self.effects.iter().filter_map(|effect| effect.settle);
        let at_least = asked_for.max().unwrap_or_default();
        let mut pause = FIRST_PAUSE;
        loop {
            let elapsed = started.elapsed();
            let after = self.read().await;
            let checks = self.judge(&after);
            let broken = after.values().any(Result::is_err);
            let right = checks
                .iter()
                .all(|check| check.verdict.is_passed_or_not_checked());
            let until = if right { at_least } else { settle };
            if broken || elapsed >= until {
                return JudgedEffects {
                    readings: self.readings(&after),
                    checks,
                    settled_after: elapsed,
                };
            }
            let left = until.saturating_sub(elapsed);
            tokio::time::sleep(if right { left } else { pause.min(left) }).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// What is said when the steps could not be made: nothing was looked at.
    pub(super) fn not_checked(self, reason: &Check) -> JudgedEffects {
        let hint = reason.hint.clone().unwrap_or_default();
        let not_checked = |effect: &WatchedEffect<'_>| {
            let expected = effect.expected();
            effect
                .demand
                .not_checked(&effect.subject, expected, &reason.observed, &hint)
        };
        JudgedEffects {
            checks: self.effects.iter().map(not_checked).collect(),
            readings: Vec::new(),
            settled_after: Duration::ZERO,
        }
    }

    async fn read(&self) -> Answers {
        let mut answers = Answers::new();
        for question in self.effects.iter().flat_map(|effect| &effect.questions) {
            let (probe, player_id, sku) = question;
            if let (false, Some(probe)) = (
                answers.contains_key(question),
                self.harness.probes.get(probe),
            ) {
                let answer = probe.read(&self.harness.client, player_id, sku).await;
                let answer =
                    answer.map_err(|reason| self.harness.redaction.text(&reason).into_owned());
                answers.insert(question.clone(), answer);
            }
        }
        answers
    }

    fn judge(&self, after: &Answers) -> Vec<Check> {
        let claims: Vec<GrantClaim> = self
            .effects
            .iter()
            .filter_map(WatchedEffect::claim)
            .collect();
        let mut wrong = judge(&claims, &self.changes(after)).into_iter();
        self.effects
            .iter()
            .map(|effect| {
                let wrong = effect
                    .claim()
                    .and_then(|_| wrong.next())
                    .unwrap_or_default();
                self.judge_one(effect, &wrong, after)
            })
            .collect()
    }

    fn judge_one(
        &self,
        effect: &WatchedEffect<'_>,
        wrong: &[WrongChange],
        after: &Answers,
    ) -> Check {
        let (subject, demand) = (&effect.subject, effect.demand);
        for question in &effect.questions {
            let (probe, ..) = question;
            for answers in [&self.before, after] {
                match answers.get(question) {
                    Some(Ok(_)) => {}
                    Some(Err(reason)) => {
                        let reason = format!("the probe `{probe}` failed: {reason}");
                        return demand.broken(subject, effect.expected(), reason);
                    }
                    None => {
                        let reason = format!("the profile has no probe `{probe}`");
                        let hint = format!("add `probes: {{ {probe}: … }}` to the profile");
                        return demand.not_checked(subject, effect.expected(), reason, hint);
                    }
                }
            }
        }
        match &effect.kind {
            Kind::Grant(_) => {
                let seen = if wrong.is_empty() {
                    effect.expected()
                } else {
                    describe(wrong)
                };
                demand.decided(wrong.is_empty(), subject, effect.expected(), seen)
            }
            Kind::Number {
                change,
                after: wanted,
            } => {
                let number = |answers: &Answers| {
                    let question = effect.questions.first()?;
                    answers.get(question)?.as_ref().ok().copied()
                };
                let (before, now) = (
                    number(&self.before).unwrap_or_default(),
                    number(after).unwrap_or_default(),
                );
                let holds = match (change, wanted) {
                    (Some(change), _) => now.checked_sub(before) == Some(*change),
                    (None, Some(wanted)) => now == *wanted,
                    (None, None) => true,
                };
                let seen = format!("{before} before, {now} after");
                demand.decided(holds, subject, effect.expected(), seen)
            }
        }
    }

    fn changes(&self, after: &Answers) -> Changes {
        let change = |(question, answer): (&Question, &Result<i128, String>)| {
            let (probe, player_id, sku) = question;
            let before = self.before.get(question)?.as_ref().ok()?;
            let change = answer.as_ref().ok()?.checked_sub(*before)?;
            (probe == QUANTITY_PROBE).then(|| ((player_id.clone(), sku.clone()), change))
        };
        after.iter().filter_map(change).collect()
    }

    fn readings(&self, after: &Answers) -> Vec<Reading> {
        let reading = |(question, answer): (&Question, &Result<i128, String>)| {
            let before = *self.before.get(question)?.as_ref().ok()?;
            let after = *answer.as_ref().ok()?;
            let (probe, player_id, sku) = question.clone();
            Some(Reading {
                probe,
                player_id,
                sku,
                before,
                after,
            })
        };
        after.iter().filter_map(reading).collect()
    }
}

impl<'run> WatchedEffect<'run> {
    /// Nothing where the event is not valid, which planning has refused already.
    fn new(harness: &Harness, plan: &Plan, effect: &Effect, demand: &'run Demand) -> Option<Self> {
        let event = |name: &Located<String>| plan.events.get(&name.value)?.event.as_ref();
        let settle = effect.settle.map(|settle| settle.0).or(harness.settle);
        let watched = |subject, kind, questions| Self {
            subject,
            demand,
            settle,
            kind,
            questions,
        };
        let quantities = |claim: &GrantClaim| {
            let question = |sku: &String| {
                (
                    QUANTITY_PROBE.to_owned(),
                    claim.player_id.clone(),
                    sku.clone(),
                )
            };
            claim.skus.iter().map(question).collect()
        };
        if let Some(name) = &effect.granted {
            let event = event(name)?;
            let times = effect.times.map_or(1, |times| times.value);
            let claim = claim(
                event,
                repeated(acceptable_grants(event, harness.policy), times),
            );
            let subject = match times {
                1 => format!("granted {}", name.value),
                _ => format!("granted {} {times} times", name.value),
            };
            let questions = quantities(&claim);
            return Some(watched(subject, Kind::Grant(claim), questions));
        }
        if let Some(name) = &effect.not_granted {
            let claim = claim(event(name)?, vec![Grant::new()]);
            let questions = quantities(&claim);
            let subject = format!("not granted {}", name.value);
            return Some(watched(subject, Kind::Grant(claim), questions));
        }
        let (probe, name) = (effect.probe.as_ref()?, effect.of.as_ref()?);
        let data = &event(name)?.event_data;
        let sku = effect
            .sku
            .clone()
            .unwrap_or_else(|| data.item.sku.to_string());
        let subject = format!("probe {} of {}", probe.value, name.value);
        let question = (probe.value.clone(), data.player_id.to_string(), sku);
        let number = |given: &Option<Located<i128>>| given.as_ref().map(|number| number.value);
        let kind = Kind::Number {
            change: number(&effect.change),
            after: number(&effect.after),
        };
        Some(watched(subject, kind, vec![question]))
    }

    fn claim(&self) -> Option<GrantClaim> {
        match &self.kind {
            Kind::Grant(claim) => Some(claim.clone()),
            Kind::Number { .. } => None,
        }
    }

    fn expected(&self) -> String {
        match &self.kind {
            Kind::Grant(claim) => {
                let ways: Vec<String> = claim.acceptable.iter().map(grant_text).collect();
                ways.join(", or ")
            }
            Kind::Number {
                change: Some(change),
                ..
            } => format!("a change of {change}"),
            Kind::Number {
                after: Some(after), ..
            } => format!("{after} after"),
            Kind::Number { .. } => String::new(),
        }
    }
}

fn claim(event: &Event, acceptable: Vec<Grant>) -> GrantClaim {
    let player_id = event.event_data.player_id.to_string();
    GrantClaim {
        player_id,
        skus: named_skus(event),
        acceptable,
    }
}

fn repeated(grants: Vec<Grant>, times: u32) -> Vec<Grant> {
    let repeat = |mut grant: Grant| {
        for quantity in grant.values_mut() {
            *quantity = quantity.saturating_mul(times.into());
        }
        grant
    };
    grants.into_iter().map(repeat).collect()
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

fn describe(wrong: &[WrongChange]) -> String {
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
