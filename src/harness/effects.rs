//! Effects of one scenario: when their probes are read, and until when they must be right.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::answered::AnsweredEvents;
use super::grant_judgement::{Changes, GrantClaim, HeldOnce, Judgement, judge};
use super::harness::Harness;
use super::lacking::Lacking;
use super::placeholders::taken_out;
use super::plan::{Plan, QUANTITY_PROBE};
use super::run_event::Reading;
use super::verdict::{Check, Verdict};
use super::watched_effect::{Question, WatchedEffect};

/// What was read, or why it could not be.
type Answers = BTreeMap<Question, Result<i128, String>>;

/// The effects of a scenario between its first reading and its last.
pub(super) struct WatchedEffects<'run> {
    harness: &'run Harness,
    effects: Vec<WatchedEffect<'run>>,
    before: Answers,
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
    /// Reads all probes before the first step. Where a wait was asked for, a probe that can't be read
    /// has that long to come back, as that of a receiver which is started again.
    pub(super) async fn begin(harness: &'run Harness, plan: &'run Plan) -> Self {
        let effects = plan.case.scenario.effects.iter().zip(&plan.effect_demands);
        let effects = effects.filter_map(|(effect, demand)| {
            let mut effect =
                WatchedEffect::new(plan, effect, demand, harness.policy, harness.settle)?;
            effect.hold_once(&harness.held_once);
            Some(effect)
        });
        let effects = effects.collect();
        let mut watched = Self {
            harness,
            effects,
            before: Answers::new(),
        };
        let started = Instant::now();
        let wait = watched.asked_for().unwrap_or_default();
        let mut pause = FIRST_PAUSE;
        if plan.lacking.is_some() {
            return watched;
        }
        loop {
            watched.before = watched.read().await;
            let left = wait.saturating_sub(started.elapsed());
            if left.is_zero() || watched.before.values().all(Result::is_ok) {
                return watched;
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Reads all probes after the last step, again and again until they are right or the longest
    /// wait is over.
    ///
    /// What is right at once is believed at once. But a receiver that grants later may also grant
    /// too much later: where a wait was asked for, or the first reading was not right yet, what is
    /// right must still be right when the wait is over. A probe that can't be read is asked again as
    /// well: a receiver may be started again at just that moment. Where there is nothing to compare
    /// with, no further reading helps.
    pub(super) async fn end(mut self, answered: &AnsweredEvents) -> JudgedEffects {
        for effect in &mut self.effects {
            effect.take_answers(answered);
        }
        let started = Instant::now();
        let asked_for = self.asked_for();
        let hopeless = self.before.values().any(Result::is_err);
        let wait = self
            .effects
            .iter()
            .map(|effect| effect.settle.unwrap_or(DEFAULT_SETTLE));
        let wait = wait.max().unwrap_or_default();
        let mut until = asked_for.unwrap_or_default();
        let mut pause = FIRST_PAUSE;
        loop {
            let elapsed = started.elapsed();
            let after = self.read().await;
            let checks = self.judge(&after);
            let broken = checks.iter().any(|check| check.verdict == Verdict::Broken);
            let unread = after.values().any(Result::is_err);
            let right = checks
                .iter()
                .all(|check| check.verdict.is_passed_or_not_checked());
            if !right {
                until = wait;
            }
            if (broken && (hopeless || !unread)) || elapsed >= until {
                let readings = self.readings(&after);
                let checks = self.unless_astray(checks);
                return JudgedEffects {
                    checks,
                    readings,
                    settled_after: elapsed,
                };
            }
            let left = until.saturating_sub(elapsed);
            tokio::time::sleep(if right { left } else { pause.min(left) }).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Where something is wrong, and the path of a probe has led nowhere all along, it is rather the
    /// path: then nobody knows what was granted.
    fn unless_astray(&self, checks: Vec<Check>) -> Vec<Check> {
        let is_wrong = |check: &Check| matches!(check.verdict, Verdict::Failed | Verdict::Warned);
        if !checks.iter().any(is_wrong) {
            return checks;
        }
        let judged = self.effects.iter().zip(checks);
        judged
            .map(|(effect, check)| {
                let mut probes = effect.questions.iter();
                let nowhere = probes.find_map(|(name, ..)| {
                    let reason = self.harness.probes.get(name)?.leads_nowhere()?;
                    Some(format!("the probe `{name}` may be mistaken: {reason}"))
                });
                match nowhere {
                    Some(reason) => {
                        let shown = self.harness.redaction.text(&reason).into_owned();
                        let expected = effect.expected();
                        effect.demand.broken(&effect.subject, expected, shown)
                    }
                    None => check,
                }
            })
            .collect()
    }

    /// What is said when the steps could not be made, for the same reason.
    pub(super) fn not_looked_at(self, reason: &Check) -> JudgedEffects {
        let check = |effect: &WatchedEffect<'_>| {
            let expected = effect.expected();
            let check = effect
                .demand
                .not_checked(&effect.subject, expected, &reason.observed);
            Check {
                verdict: reason.verdict,
                hint: reason.hint.clone(),
                cause: reason.cause.clone(),
                ..check
            }
        };
        JudgedEffects {
            checks: self.effects.iter().map(check).collect(),
            readings: Vec::new(),
            settled_after: Duration::ZERO,
        }
    }

    /// The longest wait that the effects or the profile ask for.
    fn asked_for(&self) -> Option<Duration> {
        self.effects.iter().filter_map(|effect| effect.settle).max()
    }

    async fn read(&self) -> Answers {
        let mut answers = Answers::new();
        for question in self.effects.iter().flat_map(|effect| &effect.questions) {
            let (name, player_id, sku) = question;
            let Some(probe) = self.harness.probes.get(name) else {
                continue;
            };
            if !answers.contains_key(question) {
                let answer = probe.read(&self.harness.client, player_id, sku).await;
                let shown = |reason: String| self.harness.redaction.text(&reason).into_owned();
                answers.insert(question.clone(), answer.map_err(shown));
            }
        }
        answers
    }

    fn judge(&self, after: &Answers) -> Vec<Check> {
        let claims: Vec<&GrantClaim> = self
            .effects
            .iter()
            .filter_map(WatchedEffect::claim)
            .collect();
        let held_once = self.held_once();
        let mut judgements = judge(&claims, &self.changes(after), &held_once).into_iter();
        let effects = self.effects.iter();
        effects
            .map(|effect| {
                let judgement = effect.claim().and_then(|_| judgements.next());
                let numbers = match self.numbers(effect, after) {
                    Ok(numbers) => numbers,
                    Err(check) => return *check,
                };
                if let (Some(Judgement::Holds), Some(sku)) =
                    (&judgement, effect.would_not_show(&held_once))
                {
                    let lacking = Lacking::PlayerWithout(sku.to_owned());
                    let expected = effect.expected();
                    return lacking.not_checked(effect.demand, &effect.subject, expected);
                }
                match (judgement, numbers.first()) {
                    (Some(judgement), _) => effect.check_claim(&judgement),
                    (None, Some((before, after))) => effect.check_number(*before, *after),
                    (None, None) => effect
                        .demand
                        .broken(&effect.subject, "", "nothing was read"),
                }
            })
            .collect()
    }

    /// The numbers before and after for each question of an effect, or why there are none.
    fn numbers(
        &self,
        effect: &WatchedEffect<'_>,
        after: &Answers,
    ) -> Result<Vec<(i128, i128)>, Box<Check>> {
        let number = |answers: &Answers, question: &Question| match answers.get(question) {
            Some(Ok(number)) => Ok(*number),
            Some(Err(reason)) => {
                let (name, player_id, sku) = question;
                let reason = format!("the probe `{name}` failed: {reason}");
                let values = [("{player_id}", player_id.as_str()), ("{sku}", sku.as_str())];
                let cause = taken_out(&reason, &values);
                let (subject, expected) = (&effect.subject, effect.expected());
                let check = effect.demand.broken(subject, expected, reason);
                Err(Box::new(check.because(cause)))
            }
            None => {
                let lacking = Lacking::Probe(question.0.clone());
                let expected = effect.expected();
                let check = lacking.not_checked(effect.demand, &effect.subject, expected);
                Err(Box::new(check))
            }
        };
        let questions = effect.questions.iter();
        questions
            .map(|question| Ok((number(&self.before, question)?, number(after, question)?)))
            .collect()
    }

    /// By how much each quantity changed that could be read both times.
    fn changes(&self, after: &Answers) -> Changes {
        let change = |(question, answer): (&Question, &Result<i128, String>)| {
            let (probe, player_id, sku) = question;
            let before = self.before.get(question)?.as_ref().ok()?;
            let change = answer.as_ref().ok()?.checked_sub(*before)?;
            (probe == QUANTITY_PROBE).then(|| ((player_id.clone(), sku.clone()), change))
        };
        after.iter().filter_map(change).collect()
    }

    /// The SKUs of players that can be held once only, and whether they were held before.
    fn held_once(&self) -> HeldOnce {
        let once = self.before.iter().filter_map(|(question, answer)| {
            let (probe, player_id, sku) = question;
            let held = *answer.as_ref().ok()? > 0;
            let counts = probe == QUANTITY_PROBE && self.harness.held_once.contains(sku);
            counts.then(|| ((player_id.clone(), sku.clone()), held))
        });
        once.collect()
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
