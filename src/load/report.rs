//! What is told of a load: its settings, figures and verdicts, as one JSON object that several
//! senders' can be joined from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

use super::demand::Demand;
use super::event_source::EventOrigin;
use super::expectation::Expectation;
use super::figures::{Figures, MergeError};
use super::latencies::Percentiles;
use super::mix_report::{MixEntryReport, is_same_mix};
use super::over_time::Point;
use super::partition::Partition;

/// Everything that is told of a load.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LoadReport {
    /// The version of this object's form.
    pub format_version: u32,
    /// The program's version.
    pub aghook_version: String,
    /// Where deliveries went.
    pub target: String,
    /// Whether that is the receiver that is built into the program.
    pub built_in_receiver: bool,
    /// What all that is random follows from.
    pub seed: u64,
    /// The moment from which event times count.
    pub start_time: String,
    /// The rate that was asked for, over all partitions.
    pub rate: String,
    /// How long new events were to be sent, as `10s`, or how many of them, as `500 events`; over
    /// all partitions.
    pub length: String,
    /// How long events were to be sent before figures were taken.
    pub warmup: String,
    /// What was to befall which share of the events: `duplicates`, `together`, `lost_acks` and
    /// `forgeries`.
    pub mix: BTreeMap<String, String>,
    /// From what the events were drawn, and what came of those of each; empty where all of them were
    /// generated.
    #[serde(default)]
    pub event_mix: Vec<MixEntryReport>,
    /// When the first measured event was due, as RFC 3339; of several partitions, the earliest.
    pub began: String,
    /// From when latencies count: `due`, or `sent` at the rate `max`.
    pub latency_from: String,
    /// How many connections were kept, over all partitions that are joined here.
    pub connections: u64,
    /// The shares of the stream that are in these figures; none of a whole one.
    pub partitions: Vec<String>,
    /// Whether it was stopped before its time.
    pub interrupted: bool,
    /// New events a second.
    pub events_per_second: Option<f64>,
    /// The latencies' figures.
    pub latency: Percentiles,
    /// The figures of the time from sending to the answer.
    pub service: Percentiles,
    /// How late attempts were begun.
    pub lateness: Percentiles,
    /// What happened over time, the warm-up aside.
    pub over_time: Vec<Point>,
    /// What was counted and measured, whole.
    pub figures: Figures,
    /// What was demanded, and whether it holds.
    pub expectations: Vec<CheckedExpectation>,
    /// What the events brought their players; none where it was not looked at.
    pub effects: Option<EffectsReport>,
}

/// The JSON Schema of the JSON report of a load.
pub fn load_report_schema() -> serde_json::Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<LoadReport>()
        .to_value()
}

/// An expectation and its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckedExpectation {
    /// The expectation.
    pub expected: String,
    /// Whether it holds; none where there was nothing to measure.
    pub holds: Option<bool>,
    /// What was seen.
    pub observed: String,
    /// What speaks against taking the verdict as one on the receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What events brought their players.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EffectsReport {
    /// How many events were looked at.
    pub checked: u64,
    /// How many of them were acknowledged, so that they had to be granted.
    pub acknowledged: u64,
    /// How many of them were forged, so that they must not be granted.
    pub forged: u64,
    /// How many of them were right.
    pub right: u64,
    /// How many could not be told, such as by a probe that failed.
    pub undecided: u64,
    /// The first reason why one could not be told.
    pub undecided_because: Option<String>,
    /// The wrong ones; of very many, the first.
    pub wrong: Vec<WrongEffect>,
}

/// An event that did not bring its player what it should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WrongEffect {
    /// The event's number in the stream.
    pub number: u64,
    /// Its ID.
    pub event_id: String,
    /// Its player.
    pub player_id: String,
    /// How it was treated.
    pub treatment: String,
    /// What is wrong.
    pub problem: String,
    /// The scenario's event that it is made from; null of a generated one.
    #[serde(default)]
    pub origin: Option<EventOrigin>,
}

impl EffectsReport {
    /// How many were wrong, listed or not.
    pub fn wrong(&self) -> u64 {
        self.checked
            .saturating_sub(self.right)
            .saturating_sub(self.undecided)
    }

    /// Whether a receiver that grants nothing would be right as well: no event that was looked at
    /// had to be granted, or must not be.
    pub fn shows_nothing(&self) -> bool {
        self.acknowledged == 0 && self.forged == 0
    }

    fn add(&mut self, other: &Self) {
        self.checked += other.checked;
        self.acknowledged += other.acknowledged;
        self.forged += other.forged;
        self.right += other.right;
        self.undecided += other.undecided;
        if self.undecided_because.is_none() {
            self.undecided_because.clone_from(&other.undecided_because);
        }
        self.wrong.extend(other.wrong.iter().cloned());
    }
}

impl LoadReport {
    /// The present version of its form.
    pub const FORMAT_VERSION: u32 = 1;

    /// Computes what follows from the figures, and judges them.
    pub fn conclude(&mut self, expectations: &[Expectation]) {
        self.events_per_second = self.figures.events_per_second();
        let latencies = &self.figures.latencies;
        self.latency = Percentiles::of(&latencies.latency);
        self.service = Percentiles::of(&latencies.service);
        self.lateness = Percentiles::of(&latencies.lateness);
        self.over_time = self.figures.over_time.points();
        let judged = expectations.iter().map(|expectation| {
            let verdict = expectation.judge(&self.figures);
            CheckedExpectation {
                expected: expectation.to_string(),
                holds: verdict.holds,
                observed: verdict.observed,
                note: verdict.note,
            }
        });
        self.expectations = judged.collect();
    }

    /// The shares of the load that are not in these figures; none of a whole load.
    pub fn missing_shares(&self) -> impl Iterator<Item = Partition> {
        let first = self.partitions.first();
        let one: Option<Partition> = first.and_then(|share| share.parse().ok());
        let all = one.into_iter().flat_map(Partition::all);
        all.filter(|share| !self.partitions.contains(&share.to_string()))
    }

    /// Joins another share of the same load. To be concluded anew afterwards.
    pub fn add(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.partitions.is_empty() || other.partitions.is_empty() {
            return Err(MergeError::Whole);
        }
        for (differs, what) in [
            (
                self.format_version != other.format_version,
                "format_version",
            ),
            (self.seed != other.seed, "seed"),
            (self.start_time != other.start_time, "start_time"),
            (self.rate != other.rate, "rate"),
            (self.length != other.length, "length"),
            (self.warmup != other.warmup, "warmup"),
            (self.mix != other.mix, "mix"),
            (!is_same_mix(&self.event_mix, &other.event_mix), "event_mix"),
        ] {
            if differs {
                return Err(MergeError::OtherLoad(what));
            }
        }
        let shares = |partitions: &[String]| partitions.first()?.parse::<Partition>().ok();
        let (own, others) = (shares(&self.partitions), shares(&other.partitions));
        if !own
            .zip(others)
            .is_some_and(|(own, other)| own.is_beside(other))
        {
            return Err(MergeError::OtherLoad("the number of its shares"));
        }
        let mut same = other.partitions.iter();
        if let Some(share) = same.find(|share| self.partitions.contains(share)) {
            return Err(MergeError::SameShare(share.clone()));
        }
        self.figures.add(&other.figures)?;
        for (own, other) in self.event_mix.iter_mut().zip(&other.event_mix) {
            own.add(other);
        }
        self.partitions.extend(other.partitions.iter().cloned());
        self.connections = self.connections.saturating_add(other.connections);
        self.interrupted |= other.interrupted;
        if other.began < self.began {
            self.began.clone_from(&other.began);
        }
        match (&mut self.effects, &other.effects) {
            (Some(own), Some(other)) => own.add(other),
            (own @ None, other) => own.clone_from(other),
            (Some(_), None) => {}
        }
        Ok(())
    }

    /// Whether every check held; none where some could not be decided and none failed, or where
    /// nothing was sent.
    pub fn holds(&self) -> Option<bool> {
        let counts = &self.figures.counts;
        let nothing = counts.attempts == 0 && counts.forgeries == 0;
        let wrong = self
            .effects
            .as_ref()
            .is_some_and(|effects| effects.wrong() > 0);
        let undecided = self
            .effects
            .as_ref()
            .is_some_and(|effects| effects.undecided > 0 || effects.shows_nothing());
        let failed = self.expectations.iter().any(|one| one.holds == Some(false));
        let open = self.expectations.iter().any(|one| one.holds.is_none());
        match (wrong || failed, undecided || open || nothing) {
            (true, _) => Some(false),
            (false, true) => None,
            (false, false) => Some(true),
        }
    }
}

impl Demand {
    /// What is demanded, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Once => "granted once",
            Self::AtMostOnce => "granted once at most",
            Self::Never => "not granted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(partition: &str, events: u64) -> LoadReport {
        let mut figures = Figures::default();
        figures.counts.events = events;
        figures.counts.attempts = events;
        figures.counts.statuses.insert(200, events);
        figures.span_us = 1_000_000 * events;
        figures
            .latencies
            .latency
            .saturating_record(events * 1_000_000);
        let nothing = Percentiles::of(&figures.latencies.service);
        let mut report = LoadReport {
            format_version: LoadReport::FORMAT_VERSION,
            aghook_version: "0".to_owned(),
            target: "http://127.0.0.1/".to_owned(),
            built_in_receiver: false,
            seed: 1,
            start_time: "7".to_owned(),
            rate: "5".to_owned(),
            length: "10s".to_owned(),
            warmup: "0s".to_owned(),
            mix: BTreeMap::new(),
            event_mix: Vec::new(),
            began: format!("2026-11-23T12:00:0{events}.000Z"),
            latency_from: "due".to_owned(),
            connections: 4,
            partitions: vec![partition.to_owned()],
            interrupted: false,
            events_per_second: None,
            latency: nothing.clone(),
            service: nothing.clone(),
            lateness: nothing,
            over_time: Vec::new(),
            figures,
            expectations: Vec::new(),
            effects: None,
        };
        report.conclude(&["p99 < 4ms".parse().expect("an expectation")]);
        report
    }

    #[test]
    fn shares_are_joined_exactly_through_their_texts() {
        let text = serde_json::to_string(&share("1/2", 3)).expect("JSON");
        let mut joined: LoadReport = serde_json::from_str(&text).expect("reads back");
        assert_eq!(joined.holds(), Some(true));
        joined.add(&share("2/2", 5)).expect("another share");
        joined.conclude(&["p99 < 4ms".parse().expect("an expectation")]);
        assert_eq!(joined.figures.counts.events, 8);
        assert_eq!(joined.figures.counts.statuses[&200], 8);
        assert_eq!(joined.figures.latencies.latency.len(), 2);
        assert_eq!(joined.latency.count, 2);
        assert_eq!(joined.connections, 8);
        assert_eq!(joined.began, "2026-11-23T12:00:03.000Z");
        assert_eq!(joined.events_per_second, Some(1.6));
        assert_eq!(joined.holds(), Some(false));
    }

    #[test]
    fn what_does_not_belong_together_is_not_joined() {
        let mut one = share("1/2", 3);
        let refused = one.add(&share("1/2", 5));
        assert_eq!(refused, Err(MergeError::SameShare("1/2".to_owned())));
        let mut other = share("2/2", 5);
        other.seed = 2;
        assert_eq!(one.add(&other), Err(MergeError::OtherLoad("seed")));
        for (change, differs) in [
            (
                (|report| report.length = "11s".to_owned()) as fn(&mut LoadReport),
                "length",
            ),
            (|report| report.warmup = "1s".to_owned(), "warmup"),
            (
                |report| {
                    report.mix.insert("duplicates".to_owned(), "5%".to_owned());
                },
                "mix",
            ),
        ] {
            other = share("2/2", 5);
            change(&mut other);
            assert_eq!(one.add(&other), Err(MergeError::OtherLoad(differs)));
        }
        other = share("2/3", 5);
        let refused = one.add(&other);
        assert!(
            matches!(refused, Err(MergeError::OtherLoad(_))),
            "{refused:?}"
        );
        other.partitions.clear();
        assert_eq!(one.add(&other), Err(MergeError::Whole));
    }

    #[test]
    fn a_wrong_effect_is_a_failure_and_an_undecided_one_is_open() {
        let mut report = share("1/1", 3);
        report.effects = Some(EffectsReport {
            checked: 3,
            acknowledged: 3,
            right: 2,
            undecided: 1,
            ..EffectsReport::default()
        });
        assert_eq!(report.holds(), None);
        report.effects = Some(EffectsReport {
            checked: 3,
            acknowledged: 3,
            right: 2,
            ..EffectsReport::default()
        });
        assert_eq!(report.holds(), Some(false));
    }

    #[test]
    fn effects_of_which_none_had_to_be_there_show_nothing() {
        let mut report = share("1/1", 3);
        let unacknowledged = EffectsReport {
            checked: 3,
            right: 3,
            ..EffectsReport::default()
        };
        report.effects = Some(unacknowledged.clone());
        assert_eq!(report.holds(), None);
        report.effects = Some(EffectsReport {
            forged: 1,
            ..unacknowledged
        });
        assert_eq!(report.holds(), Some(true));
    }
}
