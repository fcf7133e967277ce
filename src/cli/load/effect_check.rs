//! Checks after a load whether each event was granted as expected, using the profile's probe.
//!
//! Events were not stored: each is rebuilt from its number. The players of a load are new, so they
//! hold exactly what its events granted.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;

use super::effect_sample::EffectSample;
use crate::load::{EffectsReport, EventSource, LoadResult, LoadShard, Treatment, WrongEffect};
use crate::run::RunContext;
use crate::verify::{ExpectedInventory, GrantCount, InventoryCheck};

/// The probe that reads how much of an SKU a player holds.
pub(in crate::cli) const PROBE: &str = "quantity";

/// How many players to check concurrently.
const CONCURRENCY: usize = 16;
/// The most unexpected results to list and recheck.
pub(super) const MOST_LISTED: usize = 10_000;
/// The default grace period for effects, and the pause between checks.
const DEFAULT_SETTLE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(100);

/// Checks the effects of a load.
pub(super) struct EffectCheck<'load> {
    pub(super) context: &'load RunContext,
    pub(super) source: EventSource,
    pub(super) result: &'load LoadResult,
    pub(super) shard: LoadShard,
}

impl EffectCheck<'_> {
    /// Checks all events or a sample.
    ///
    /// If the profile sets `settle`, this waits that long and then checks once. Otherwise it rechecks
    /// unexpected results for a while.
    pub(super) async fn run(&self, sample: EffectSample) -> EffectsReport {
        let started = Instant::now();
        let grace_period = match self.context.settle {
            Some(settle) => {
                tokio::time::sleep(settle).await;
                Duration::ZERO
            }
            None => DEFAULT_SETTLE,
        };
        let mut report = EffectsReport::default();
        let all = 0..self.result.started;
        let mut wrong = match sample {
            EffectSample::None => return report,
            EffectSample::All => self.check_events(all, &mut report).await,
            EffectSample::Some(count) => {
                let sample = self.sample(count);
                self.check_events(sample.into_iter(), &mut report).await
            }
        };
        while !wrong.is_empty() && started.elapsed() < grace_period {
            tokio::time::sleep(PAUSE).await;
            wrong = self.recheck(wrong, &mut report).await;
        }
        let mut wrong = self.recheck_shared_players(wrong, &mut report).await;
        wrong.sort_by_key(|wrong| wrong.number);
        report.wrong = wrong;
        report
    }

    /// The indices of a sample: up to half of it from events with a treatment, the rest spread evenly
    /// over all events.
    fn sample(&self, count: u64) -> BTreeSet<u64> {
        let started = self.result.started;
        let mut source = self.source.clone();
        let mut is_treated =
            |index: &u64| source.treatment(self.shard.number(*index)) != Treatment::Plain;
        let treated = (0..started).filter(|index| is_treated(index)).count() as u64;
        let wanted = (count / 2).min(treated);
        let step = |of: u64, wanted: u64| of.checked_div(wanted).unwrap_or_default().max(1);
        let of_treated = usize::try_from(step(treated, wanted)).unwrap_or(usize::MAX);
        let most = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let mut sample: BTreeSet<u64> = (0..started)
            .filter(|index| is_treated(index))
            .step_by(of_treated)
            .take(most(wanted))
            .collect();
        let rest = count - sample.len() as u64;
        let spread = most(step(started, rest));
        sample.extend((0..started).step_by(spread).take(most(rest)));
        sample
    }

    /// Checks events of this shard for the first time, and returns the unexpected ones.
    async fn check_events(
        &self,
        indices: impl Iterator<Item = u64>,
        report: &mut EffectsReport,
    ) -> Vec<WrongEffect> {
        let mut source = self.source.clone();
        let checks = indices.map(|index| {
            let number = self.shard.number(index);
            let (expectation, required) = self.expectation(&mut source, number);
            async move { (self.check_one(expectation).await, required) }
        });
        let mut checks = stream::iter(checks).buffer_unordered(CONCURRENCY);
        let mut wrong = Vec::new();
        while let Some(((listed, verdict), required)) = checks.next().await {
            report.checked += 1;
            match required {
                GrantCount::Once => report.acknowledged += 1,
                GrantCount::Never => report.forged += 1,
                GrantCount::AtMostOnce => {}
            }
            match verdict {
                InventoryCheck::Passed => report.right += 1,
                InventoryCheck::Undecided(reason) => {
                    report.undecided += 1;
                    report.undecided_because.get_or_insert(reason);
                }
                InventoryCheck::Failed(problem) if wrong.len() < MOST_LISTED => {
                    wrong.push(WrongEffect { problem, ..listed });
                }
                InventoryCheck::Failed(_) => {}
            }
        }
        wrong
    }

    /// Checks unexpected events again, and returns those that still are unexpected.
    async fn recheck(
        &self,
        wrong: Vec<WrongEffect>,
        report: &mut EffectsReport,
    ) -> Vec<WrongEffect> {
        let mut source = self.source.clone();
        let checks = wrong.into_iter().map(|wrong| {
            let (expectation, _) = self.expectation(&mut source, wrong.number);
            async move { self.check_one(expectation).await }
        });
        let mut checks = stream::iter(checks).buffer_unordered(CONCURRENCY);
        let mut still_wrong = Vec::new();
        while let Some((listed, verdict)) = checks.next().await {
            apply(listed, verdict, report, &mut still_wrong);
        }
        still_wrong
    }

    /// Rechecks players of several events. Player IDs are random, so two events can have the same
    /// player, whose inventory must then match both events together.
    async fn recheck_shared_players(
        &self,
        wrong: Vec<WrongEffect>,
        report: &mut EffectsReport,
    ) -> Vec<WrongEffect> {
        if wrong.is_empty() {
            return wrong;
        }
        let mut source = self.source.clone();
        let players = wrong
            .iter()
            .map(|wrong| (wrong.player_id.clone(), Vec::new()));
        let mut events_of: HashMap<String, Vec<u64>> = players.collect();
        for index in 0..self.result.started {
            let number = self.shard.number(index);
            let event = source.derive(number).into_event();
            if let Some(numbers) = events_of.get_mut(event.event_data.player_id.as_ref()) {
                numbers.push(number);
            }
        }
        let mut still_wrong = Vec::new();
        for wrong in wrong {
            let numbers = events_of
                .get(&wrong.player_id)
                .map_or(&[][..], Vec::as_slice);
            if numbers.len() < 2 {
                still_wrong.push(wrong);
                continue;
            }
            let ((_, mut expectation), _) = self.expectation(&mut source, wrong.number);
            for number in numbers.iter().filter(|number| **number != wrong.number) {
                let required = self.required_grants(*number, source.treatment(*number));
                let event = source.derive(*number).into_event();
                expectation.add(&event, required, self.context.policy);
            }
            let (wrong, verdict) = self.check_one((wrong, expectation)).await;
            apply(wrong, verdict, report, &mut still_wrong);
        }
        still_wrong
    }

    /// An event as it would be listed, what its player must hold, and how often it must have been
    /// granted.
    fn expectation(
        &self,
        source: &mut EventSource,
        number: u64,
    ) -> ((WrongEffect, ExpectedInventory), GrantCount) {
        let treatment = source.treatment(number);
        let derived = source.derive(number);
        let origin = derived.origin();
        let event = derived.into_event();
        let required = self.required_grants(number, treatment);
        let listed = WrongEffect {
            number,
            event_id: event.event_id.to_string(),
            player_id: event.event_data.player_id.to_string(),
            treatment: treatment_words(treatment),
            problem: String::new(),
            origin,
        };
        let expected = ExpectedInventory::new(&event, required, self.context.policy)
            .with_held_once(&self.context.held_once);
        ((listed, expected), required)
    }

    fn required_grants(&self, number: u64, treatment: Treatment) -> GrantCount {
        let unacknowledged = &self.result.unacknowledged;
        unacknowledged.required_grants(number, treatment)
    }

    async fn check_one(
        &self,
        (listed, expectation): (WrongEffect, ExpectedInventory),
    ) -> (WrongEffect, InventoryCheck) {
        let verdict = match self.context.probes.get(PROBE) {
            Some(probe) => expectation.check(probe, &self.context.client).await,
            None => InventoryCheck::Undecided("the profile has no probe `quantity`".to_owned()),
        };
        let hidden = |text: String| self.context.redaction.text(&text).into_owned();
        let verdict = match verdict {
            InventoryCheck::Passed => InventoryCheck::Passed,
            InventoryCheck::Failed(problem) => InventoryCheck::Failed(hidden(problem)),
            InventoryCheck::Undecided(reason) => InventoryCheck::Undecided(hidden(reason)),
        };
        (listed, verdict)
    }
}

/// Applies the new verdict on an event that was unexpected before.
fn apply(
    wrong: WrongEffect,
    verdict: InventoryCheck,
    report: &mut EffectsReport,
    still_wrong: &mut Vec<WrongEffect>,
) {
    match verdict {
        InventoryCheck::Passed => report.right += 1,
        InventoryCheck::Undecided(reason) => {
            report.undecided += 1;
            report.undecided_because.get_or_insert(reason);
        }
        InventoryCheck::Failed(problem) => still_wrong.push(WrongEffect { problem, ..wrong }),
    }
}

/// The treatment of an event in a few words.
fn treatment_words(treatment: Treatment) -> String {
    match treatment {
        Treatment::Plain => "delivered".to_owned(),
        Treatment::Duplicate(_) => "delivered again later".to_owned(),
        Treatment::Together => "delivered twice simultaneously".to_owned(),
        Treatment::LostAck => "response lost on purpose".to_owned(),
        Treatment::Forged(forgery) => format!("forged: {forgery}"),
    }
}
