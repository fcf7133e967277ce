//! Checks after a load whether each event was granted as expected, using the profile's probe.
//!
//! The players of a load are new, so they hold exactly what its events granted.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use super::effects_report::{EffectsReport, WrongEffect};
use super::sent_events::SentEvents;
use super::treatment_mix::Treatment;
use crate::run::{RunContext, SetupProblem};
use crate::verify::{EffectWatch, GrantCount, InventoryCheck};

pub(super) const MOST_LISTED: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EffectSample {
    All,
    Some(u64),
    None,
}

impl FromStr for EffectSample {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self::All),
            "none" | "0" => Ok(Self::None),
            number => match number.parse() {
                Ok(count) => Ok(Self::Some(count)),
                Err(_) => Err("expected `all`, `none` or a number of events"),
            },
        }
    }
}

impl EffectSample {
    const DEFAULT_SIZE: u64 = 1000;

    /// The sample to check: the requested one, or the default if effects can be checked. An error is
    /// a message and what to do about it.
    pub(crate) fn choose(
        requested: Option<Self>,
        context: &RunContext,
        has_listed_players: bool,
    ) -> Result<Self, (&'static str, &'static str)> {
        let can_read = context.can_read_inventories();
        match requested {
            None if can_read && !has_listed_players => Ok(Self::Some(Self::DEFAULT_SIZE)),
            None | Some(Self::None) => Ok(Self::None),
            Some(_) if !can_read => Err((
                "effects can't be checked without the probe `quantity`",
                "add `probes: { quantity: … }` to a profile in aghook.yaml, or remove \
                 `--check-effects`",
            )),
            Some(_) if has_listed_players => Err((
                "effects of a load can be checked only for new players, but the profile lists \
                 `players` that may already hold items",
                "remove `--check-effects`, or use a profile without `players`",
            )),
            Some(sample) => Ok(sample),
        }
    }
}

/// How many events have been checked, for a progress line.
#[derive(Debug, Default)]
pub(crate) struct CheckProgress {
    checked: AtomicU64,
    all: AtomicU64,
}

impl CheckProgress {
    /// How many events have been checked, and how many will be.
    pub(crate) fn get(&self) -> (u64, u64) {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (load(&self.checked), load(&self.all))
    }
}

/// If so many acknowledged events changed nothing, the probe is probably wrong.
const ENOUGH_UNCHANGED: u64 = 3;

/// If the probe could be read for none of so many events, it will not be for the others.
const ENOUGH_UNREADABLE: u64 = 20;

/// Checks the effects of all events or of a sample; `None` if none are to be checked.
///
/// If the profile sets `settle`, this waits that long and then checks once. Otherwise it rechecks
/// unexpected results for a while.
pub(crate) async fn check_effects(
    context: &RunContext,
    events: SentEvents<'_>,
    sample: EffectSample,
    progress: &CheckProgress,
) -> Option<EffectsReport> {
    let mut check = EffectCheck {
        context,
        events,
        progress,
        has_changed: false,
    };
    let sent = check.events.result.started;
    let numbers: Box<dyn Iterator<Item = u64>> = match sample {
        EffectSample::None => return None,
        EffectSample::Some(count) if count < sent => {
            let sample = check.sample(count);
            progress.all.store(sample.len() as u64, Ordering::Relaxed);
            Box::new(sample.into_iter())
        }
        EffectSample::All | EffectSample::Some(_) => {
            progress.all.store(sent, Ordering::Relaxed);
            Box::new(check.events.numbers())
        }
    };
    let mut report = check.run(numbers).await;
    report.sent = sent;
    report.is_sample = report.checked < sent;
    Some(report)
}

struct EffectCheck<'load> {
    context: &'load RunContext,
    events: SentEvents<'load>,
    progress: &'load CheckProgress,
    /// Whether any event changed what the probe reads.
    has_changed: bool,
}

/// The events that were not granted as expected, by number, and how they differ.
type Problems = BTreeMap<u64, String>;

impl EffectCheck<'_> {
    async fn run(&mut self, numbers: impl Iterator<Item = u64>) -> EffectsReport {
        let mut watch = EffectWatch::new([self.context.settle]).settled().await;
        let (mut report, mut wrong) = (EffectsReport::default(), Problems::new());
        let progress = self.progress;
        let is_unreadable = Cell::new(false);
        let numbers = numbers.take_while(|_| !is_unreadable.get());
        self.check(numbers, |number, required, check| {
            report.checked += 1;
            progress.checked.fetch_add(1, Ordering::Relaxed);
            match required {
                GrantCount::Once => report.acknowledged += 1,
                GrantCount::Never => report.forged += 1,
                GrantCount::AtMostOnce => {}
            }
            if let Some(problem) = report.add_check(check)
                && wrong.len() < MOST_LISTED
            {
                wrong.insert(number, problem);
            }
            is_unreadable
                .set(report.undecided >= ENOUGH_UNREADABLE && report.undecided == report.checked);
        })
        .await;
        while !wrong.is_empty() && watch.look_again(false).await {
            let numbers = std::mem::take(&mut wrong).into_keys();
            self.check(numbers, |number, _, check| {
                wrong.extend(report.add_check(check).map(|problem| (number, problem)));
            })
            .await;
        }
        let wrong = self.recheck_shared_players(wrong, &mut report).await;
        if !self.has_changed && report.acknowledged >= ENOUGH_UNCHANGED && self.context.check_setup
        {
            let began = u64::try_from(self.events.result.began.as_second()).unwrap_or_default();
            let age = began.abs_diff(self.context.start.unix_seconds());
            let SetupProblem { reason, help } = SetupProblem::nothing_changed(age);
            report.undecided += report.wrong();
            report
                .undecided_because
                .get_or_insert(format!("{reason}; {help}"));
            return report;
        }
        report.wrong = wrong
            .into_iter()
            .map(|(number, problem)| self.wrong_effect(number, problem))
            .collect();
        report
    }

    /// The numbers of a sample: up to half of it from events with a treatment, the rest spread evenly
    /// over all events.
    fn sample(&mut self, count: u64) -> BTreeSet<u64> {
        let to_usize = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let step =
            |of: u64, wanted: u64| to_usize(of.checked_div(wanted).unwrap_or_default().max(1));
        let all = self.events.result.started;
        let numbers = self.events.numbers();
        let treated = numbers.filter(|number| self.events.is_treated(*number));
        let treated: Vec<u64> = treated.collect();
        let wanted = (count / 2).min(treated.len() as u64);
        let of_treated = step(treated.len() as u64, wanted);
        let mut sample: BTreeSet<u64> = treated
            .into_iter()
            .step_by(of_treated)
            .take(to_usize(wanted))
            .collect();
        let rest = count - sample.len() as u64;
        let others = self
            .events
            .numbers()
            .filter(|number| !sample.contains(number));
        let spread = others.step_by(step(all - sample.len() as u64, rest));
        let spread: Vec<u64> = spread.take(to_usize(rest)).collect();
        sample.extend(spread);
        sample
    }

    /// Checks events, and passes on the number, the required grants and the result of each.
    async fn check(
        &mut self,
        numbers: impl Iterator<Item = u64>,
        mut observe: impl FnMut(u64, GrantCount, InventoryCheck),
    ) {
        let (context, events) = (self.context, &mut self.events);
        let has_changed = &mut self.has_changed;
        let expected = numbers.map(|number| {
            let sent = events.get(number);
            let expected = context.expected_inventory(&sent.event, sent.required);
            let key = (number, sent.required, expected.accepts_nothing());
            (key, expected)
        });
        context
            .check_inventories(expected, |(number, required, accepts_nothing), check| {
                *has_changed |= match &check {
                    InventoryCheck::Passed => !accepts_nothing,
                    InventoryCheck::Failed { is_empty, .. } => !is_empty,
                    InventoryCheck::Undecided(_) => false,
                };
                observe(number, required, check);
            })
            .await;
    }

    /// Rechecks players of several events: their inventory must match all of these together.
    async fn recheck_shared_players(
        &mut self,
        wrong: Problems,
        report: &mut EffectsReport,
    ) -> Problems {
        let events_of = self.events.of_same_players(wrong.keys().copied());
        let mut still_wrong = Problems::new();
        for (number, problem) in wrong {
            let sent = self.events.get(number);
            let mut expected = self.context.expected_inventory(&sent.event, sent.required);
            let all = events_of
                .get(expected.player_id.as_str())
                .into_iter()
                .flatten();
            let others: Vec<u64> = all.copied().filter(|other| *other != number).collect();
            if others.is_empty() {
                still_wrong.insert(number, problem);
                continue;
            }
            for other in others {
                let other = self.events.get(other);
                expected.add(
                    &other.event,
                    other.required,
                    self.context.capabilities.policy,
                );
            }
            let check = self.context.check_inventory(expected).await;
            still_wrong.extend(report.add_check(check).map(|problem| (number, problem)));
        }
        still_wrong
    }

    fn wrong_effect(&mut self, number: u64, problem: String) -> WrongEffect {
        let sent = self.events.get(number);
        WrongEffect {
            number,
            event_id: sent.event.event_id.to_string(),
            player_id: sent.event.event_data.player_id.to_string(),
            treatment: treatment_words(sent.treatment),
            problem,
            origin: sent.origin,
        }
    }
}

impl EffectsReport {
    fn add_check(&mut self, check: InventoryCheck) -> Option<String> {
        match check {
            InventoryCheck::Passed => self.right += 1,
            InventoryCheck::Undecided(reason) => {
                self.undecided += 1;
                self.undecided_because.get_or_insert(reason);
            }
            InventoryCheck::Failed { problem, .. } => return Some(problem),
        }
        None
    }
}

fn treatment_words(treatment: Treatment) -> String {
    match treatment {
        Treatment::Plain => "delivered".to_owned(),
        Treatment::Duplicate(_) => "delivered again later".to_owned(),
        Treatment::Together => "delivered twice simultaneously".to_owned(),
        Treatment::LostAck => "response lost on purpose".to_owned(),
        Treatment::Forged(forgery) => format!("forged: {forgery}"),
    }
}
