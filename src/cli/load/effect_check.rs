//! After a load: what the events brought their players, read through the profile's probe.
//!
//! Nothing of an event was kept: each is made again from its number. Players of a load are new, so
//! that what they hold is what its events brought.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;

use super::looked::Looked;
use crate::harness::{ExpectedHoldings, GrantCount, HoldingsCheck, RunContext};
use crate::load::{
    Demand, EffectsReport, EventSource, LoadResult, Partition, Treatment, WrongEffect,
};

/// The probe that tells how much of an SKU a player holds.
pub(in crate::cli) const PROBE: &str = "quantity";

/// How many players are looked at at a time.
const AT_A_TIME: usize = 16;
/// The most wrong events that are listed and looked at again.
pub(super) const MOST_LISTED: usize = 10_000;
/// How long effects may take to show where the profile does not say, and the pause between looks.
const DEFAULT_SETTLE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(100);

/// Looks at the effects of a load.
pub(super) struct EffectCheck<'load> {
    pub(super) harness: &'load RunContext,
    pub(super) source: EventSource,
    pub(super) result: &'load LoadResult,
    pub(super) partition: Partition,
}

impl EffectCheck<'_> {
    /// Looks at all events or at some.
    ///
    /// Where the profile has a `settle`, that is waited for first, and the first reading counts.
    /// Otherwise what is wrong is read again for a while.
    pub(super) async fn look(&self, looked: Looked) -> EffectsReport {
        let started = Instant::now();
        let patience = match self.harness.settle {
            Some(settle) => {
                tokio::time::sleep(settle).await;
                Duration::ZERO
            }
            None => DEFAULT_SETTLE,
        };
        let mut report = EffectsReport::default();
        let all = 0..self.result.begun;
        let mut wrong = match looked {
            Looked::None => return report,
            Looked::All => self.look_at(all, &mut report).await,
            Looked::Some(count) => {
                let sample = self.sample(count);
                self.look_at(sample.into_iter(), &mut report).await
            }
        };
        while !wrong.is_empty() && started.elapsed() < patience {
            tokio::time::sleep(PAUSE).await;
            wrong = self.look_again(wrong, &mut report).await;
        }
        let mut wrong = self.look_at_shared_players(wrong, &mut report).await;
        wrong.sort_by_key(|wrong| wrong.number);
        report.wrong = wrong;
        report
    }

    /// Indices of so many events: half of them from those that were treated in some way, as far as
    /// there are so many, the rest spread evenly over all.
    fn sample(&self, count: u64) -> BTreeSet<u64> {
        let begun = self.result.begun;
        let mut source = self.source.clone();
        let mut is_treated =
            |index: &u64| source.treatment(self.partition.number(*index)) != Treatment::Plain;
        let treated = (0..begun).filter(|index| is_treated(index)).count() as u64;
        let wanted = (count / 2).min(treated);
        let step = |of: u64, wanted: u64| of.checked_div(wanted).unwrap_or_default().max(1);
        let of_treated = usize::try_from(step(treated, wanted)).unwrap_or(usize::MAX);
        let most = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let mut sample: BTreeSet<u64> = (0..begun)
            .filter(|index| is_treated(index))
            .step_by(of_treated)
            .take(most(wanted))
            .collect();
        let rest = count - sample.len() as u64;
        let spread = most(step(begun, rest));
        sample.extend((0..begun).step_by(spread).take(most(rest)));
        sample
    }

    /// Looks at these events of this sender's share for the first time, and returns the wrong ones.
    async fn look_at(
        &self,
        indices: impl Iterator<Item = u64>,
        report: &mut EffectsReport,
    ) -> Vec<WrongEffect> {
        let mut source = self.source.clone();
        let looks = indices.map(|index| {
            let number = self.partition.number(index);
            let wanted = self.claims(&mut source, number);
            let demand = self.demand(&mut source, number);
            async move { (self.look_at_one(wanted).await, demand) }
        });
        let mut looks = stream::iter(looks).buffer_unordered(AT_A_TIME);
        let mut wrong = Vec::new();
        while let Some(((one, verdict), demand)) = looks.next().await {
            report.checked += 1;
            match demand {
                GrantCount::Once => report.acknowledged += 1,
                GrantCount::Never => report.forged += 1,
                GrantCount::AtMostOnce => {}
            }
            match verdict {
                HoldingsCheck::Passed => report.right += 1,
                HoldingsCheck::Undecided(reason) => {
                    report.undecided += 1;
                    report.undecided_because.get_or_insert(reason);
                }
                HoldingsCheck::Failed(problem) if wrong.len() < MOST_LISTED => {
                    wrong.push(WrongEffect { problem, ..one });
                }
                HoldingsCheck::Failed(_) => {}
            }
        }
        wrong
    }

    async fn look_again(
        &self,
        wrong: Vec<WrongEffect>,
        report: &mut EffectsReport,
    ) -> Vec<WrongEffect> {
        let mut source = self.source.clone();
        let looks = wrong.into_iter().map(|one| {
            let wanted = self.claims(&mut source, one.number);
            async move { self.look_at_one(wanted).await }
        });
        let mut looks = stream::iter(looks).buffer_unordered(AT_A_TIME);
        let mut still_wrong = Vec::new();
        while let Some((one, verdict)) = looks.next().await {
            take(one, verdict, report, &mut still_wrong);
        }
        still_wrong
    }

    /// IDs of players are drawn, and two events can have drawn the same one: then what the player
    /// holds must be right for both together.
    async fn look_at_shared_players(
        &self,
        wrong: Vec<WrongEffect>,
        report: &mut EffectsReport,
    ) -> Vec<WrongEffect> {
        if wrong.is_empty() {
            return wrong;
        }
        let mut source = self.source.clone();
        let players = wrong.iter().map(|one| (one.player_id.clone(), Vec::new()));
        let mut events_of: HashMap<String, Vec<u64>> = players.collect();
        for index in 0..self.result.begun {
            let number = self.partition.number(index);
            let event = source.event(number);
            if let Some(numbers) = events_of.get_mut(event.event_data.player_id.as_ref()) {
                numbers.push(number);
            }
        }
        let mut still_wrong = Vec::new();
        for one in wrong {
            let others = events_of.get(&one.player_id).map_or(&[][..], Vec::as_slice);
            if others.len() < 2 {
                still_wrong.push(one);
                continue;
            }
            let (_, mut claims) = self.claims(&mut source, one.number);
            for number in others.iter().filter(|number| **number != one.number) {
                let event = source.event(*number);
                let demand = self.demand(&mut source, *number);
                claims.add(&event, demand, self.harness.policy);
            }
            let (one, verdict) = self.look_at_one((one, claims)).await;
            take(one, verdict, report, &mut still_wrong);
        }
        still_wrong
    }

    /// An event as it would be listed, and what its player must hold.
    fn claims(&self, source: &mut EventSource, number: u64) -> (WrongEffect, ExpectedHoldings) {
        let event = source.event(number);
        let demand = self.demand(source, number);
        let listed = WrongEffect {
            number,
            event_id: event.event_id.to_string(),
            player_id: event.event_data.player_id.to_string(),
            treatment: treatment_words(source.treatment(number)),
            problem: String::new(),
            origin: source.origin(number),
        };
        (
            listed,
            ExpectedHoldings::new(&event, demand, self.harness.policy)
                .with_held_once(&self.harness.held_once),
        )
    }

    fn demand(&self, source: &mut EventSource, number: u64) -> GrantCount {
        let treatment = source.treatment(number);
        match self.result.unacknowledged.demand(number, treatment) {
            Demand::Once => GrantCount::Once,
            Demand::AtMostOnce => GrantCount::AtMostOnce,
            Demand::Never => GrantCount::Never,
        }
    }

    async fn look_at_one(
        &self,
        (listed, claims): (WrongEffect, ExpectedHoldings),
    ) -> (WrongEffect, HoldingsCheck) {
        let verdict = match self.harness.probes.get(PROBE) {
            Some(probe) => claims.check(probe, &self.harness.client).await,
            None => HoldingsCheck::Undecided("there is no probe `quantity`".to_owned()),
        };
        let hidden = |text: String| self.harness.redaction.text(&text).into_owned();
        let verdict = match verdict {
            HoldingsCheck::Passed => HoldingsCheck::Passed,
            HoldingsCheck::Failed(problem) => HoldingsCheck::Failed(hidden(problem)),
            HoldingsCheck::Undecided(reason) => HoldingsCheck::Undecided(hidden(reason)),
        };
        (listed, verdict)
    }
}

/// Takes a new verdict on an event that was wrong before.
fn take(
    one: WrongEffect,
    verdict: HoldingsCheck,
    report: &mut EffectsReport,
    still_wrong: &mut Vec<WrongEffect>,
) {
    match verdict {
        HoldingsCheck::Passed => report.right += 1,
        HoldingsCheck::Undecided(reason) => {
            report.undecided += 1;
            report.undecided_because.get_or_insert(reason);
        }
        HoldingsCheck::Failed(problem) => still_wrong.push(WrongEffect { problem, ..one }),
    }
}

/// How an event was treated, in a word or two.
fn treatment_words(treatment: Treatment) -> String {
    match treatment {
        Treatment::Plain => "delivered".to_owned(),
        Treatment::Duplicate(_) => "delivered again later".to_owned(),
        Treatment::Together => "delivered twice at the same moment".to_owned(),
        Treatment::LostAck => "its answer was lost".to_owned(),
        Treatment::Forged(forgery) => format!("forged: {forgery}"),
    }
}
