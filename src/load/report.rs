//! The report of a load: settings, measurements and check results. Reports of several senders can be
//! joined.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

use super::effects_report::EffectsReport;
use super::expectation::{CheckedExpectation, LoadExpectation};
use super::latency_histograms::Percentiles;
use super::measurements::{Measurements, MergeError};
use super::mix_report::{MixEntryReport, is_same_mix};
use super::rate::Rate;
use super::receiver_stop::ReceiverStop;
use super::run::LoadResult;
use super::settings::LoadSettings;
use super::shard::LoadShard;
use super::time_series::Point;
use crate::policy::DurationText;
use crate::run::{RunContext, SetupProblem};
use crate::verify::Verdict;

/// The report of a load.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LoadReport {
    /// The version of this report format.
    pub format_version: u32,
    /// The version of aghook.
    pub aghook_version: String,
    /// The target URL.
    pub target: String,
    /// Whether the target is the built-in receiver.
    pub built_in_receiver: bool,
    /// The random seed.
    pub seed: u64,
    /// The start time of the event times.
    pub start_time: String,
    /// The requested rate of all shards together.
    pub rate: String,
    /// The requested duration, such as `10s`, or number of events, such as `500 events`, of all
    /// shards together.
    pub length: String,
    /// The requested warm-up time before the measurements.
    pub warmup: String,
    /// The requested percentage of events for each treatment: `duplicates`, `together`, `lost_acks`
    /// and `forgeries`.
    pub mix: BTreeMap<String, String>,
    /// The sources of the events and the results of each; empty if all events were generated.
    #[serde(default)]
    pub event_mix: Vec<MixEntryReport>,
    /// When the first measured event was due, as RFC 3339; for joined shards, the earliest.
    pub began: String,
    /// When latencies start to count: `due`, or `sent` at the rate `max`.
    #[schemars(with = "String")]
    pub latency_from: LatencyFrom,
    /// The number of connections of all joined shards.
    pub connections: u64,
    /// The shards that these measurements cover, as `K/N`; empty for a whole load.
    #[schemars(with = "Vec<String>")]
    pub partitions: Vec<LoadShard>,
    /// Whether it was stopped early.
    pub interrupted: bool,
    /// The problem of the set-up, because of which nothing can be said about the receiver; null if there
    /// was none.
    #[serde(default)]
    pub setup_problem: Option<SetupProblem>,
    /// When the receiver stopped.
    #[serde(default)]
    pub receiver_stops: Vec<ReceiverStop>,
    /// New events per second.
    pub events_per_second: Option<f64>,
    /// The percentiles of the latency.
    pub latency: Percentiles,
    /// The percentiles of the time from sending a request to its response.
    pub service: Percentiles,
    /// The percentiles of how late attempts started.
    pub lateness: Percentiles,
    /// The statistics over time, without the warm-up.
    pub over_time: Vec<Point>,
    /// All counters and histograms, which can be joined.
    #[serde(rename = "figures")]
    pub measurements: Measurements,
    /// The expectations and whether they passed.
    pub expectations: Vec<CheckedExpectation>,
    /// What players hold after the load; null if it was not checked.
    pub effects: Option<EffectsReport>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LatencyFrom {
    Due,
    /// When the event was sent, since no event is due at the rate `max`.
    Sent,
}

impl fmt::Display for LatencyFrom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

/// The JSON Schema of a load's JSON report.
pub fn load_report_schema() -> serde_json::Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<LoadReport>()
        .to_value()
}

impl LoadReport {
    /// The current format version.
    pub const FORMAT_VERSION: u32 = 1;

    /// The report of a load that this process ran.
    pub(crate) fn new(
        settings: &LoadSettings,
        context: &RunContext,
        result: &LoadResult,
        effects: Option<EffectsReport>,
        expectations: &[LoadExpectation],
    ) -> Self {
        let event_mix = settings.event_mix.as_ref();
        let mut report = Self {
            format_version: Self::FORMAT_VERSION,
            aghook_version: env!("CARGO_PKG_VERSION").to_owned(),
            target: context.shown_target().into_owned(),
            built_in_receiver: context.built_in_receiver,
            seed: settings.seed.number(),
            start_time: context.start.to_string(),
            rate: settings.rate.to_string(),
            length: settings.length.to_string(),
            warmup: DurationText(settings.warmup).to_string(),
            mix: settings.mix.percentages(),
            event_mix: event_mix.map_or_else(Vec::new, |mix| mix.report(&result.mix_counts)),
            began: format!("{:.3}", result.began),
            latency_from: match settings.rate {
                Rate::Max => LatencyFrom::Sent,
                _ => LatencyFrom::Due,
            },
            connections: settings.connections.get() as u64,
            partitions: Vec::from_iter((settings.shard.count > 1).then_some(settings.shard)),
            interrupted: result.interrupted,
            setup_problem: result.setup_problem.clone(),
            receiver_stops: result.receiver_stops.clone(),
            events_per_second: None,
            latency: Percentiles::default(),
            service: Percentiles::default(),
            lateness: Percentiles::default(),
            over_time: Vec::new(),
            measurements: result.measurements.clone(),
            expectations: Vec::new(),
            effects,
        };
        report.conclude(expectations);
        report
    }

    /// Computes all statistics from the measurements. Checks these expectations and the implied ones.
    pub fn conclude(&mut self, expectations: &[LoadExpectation]) {
        let expectations = self.effective_expectations(expectations);
        self.check(&expectations);
    }

    /// The given expectations plus the implied ones.
    ///
    /// Every delivery must be acknowledged, unless an expectation limits failures. Every event must be
    /// sent, unless an expectation limits how many are not, or the rate. No forgery may be
    /// accepted, and every one must be refused unless genuine deliveries failed as well. There are no
    /// implied expectations on deliveries or forgeries if none was sent.
    fn effective_expectations(&self, given: &[LoadExpectation]) -> Vec<LoadExpectation> {
        let (counts, interrupted) = (&self.measurements.counts, self.interrupted);
        let mut all = given.to_vec();
        let mut add = |text: &str| all.extend(text.parse::<LoadExpectation>());
        // Deliveries cut off by Ctrl-C say nothing about the receiver.
        let only_forgeries = counts.deliveries == 0 && counts.forgeries > 0;
        let allows_failures = given.iter().any(LoadExpectation::allows_failures);
        if !allows_failures && !only_forgeries && !interrupted {
            add("undelivered = 0");
        }
        let allows_unsent = given.iter().any(LoadExpectation::allows_unsent);
        if counts.unsent > 0 && !allows_unsent {
            add("unsent = 0");
        }
        if counts.forgeries > 0 {
            add("accepted_forgeries = 0");
            // A receiver that also fails genuine deliveries does not fail because of the forgery.
            let has_server_error = counts.statuses.range(500..).next().is_some();
            if !has_server_error && counts.failures.is_empty() && !interrupted {
                add("refused_forgeries = 100%");
            }
        }
        all
    }

    fn check(&mut self, expectations: &[LoadExpectation]) {
        self.events_per_second = self.measurements.events_per_second();
        let latencies = &self.measurements.latencies;
        self.latency = Percentiles::of(&latencies.latency);
        self.service = Percentiles::of(&latencies.service);
        self.lateness = Percentiles::of(&latencies.lateness);
        self.over_time = self.measurements.over_time.points();
        let checked = expectations.iter();
        let checked = checked.map(|expectation| expectation.check(&self.measurements));
        self.expectations = checked.collect();
        if self.setup_problem.is_some() {
            for checked in &mut self.expectations {
                checked.passed = None;
            }
        }
    }

    /// The shards that these measurements do not cover; empty for a whole load.
    pub fn missing_shards(&self) -> impl Iterator<Item = LoadShard> {
        let all = self.partitions.first().copied().map(LoadShard::all);
        let all = all.into_iter().flatten();
        all.filter(|shard| !self.partitions.contains(shard))
    }

    /// Joins another shard of the same load. Call `conclude` afterwards.
    pub fn add(&mut self, other: &Self) -> Result<(), MergeError> {
        let (Some(own), Some(others)) = (self.partitions.first(), other.partitions.first()) else {
            return Err(MergeError::Whole);
        };
        let version = self.format_version;
        let settings = [
            (version == other.format_version, "format_version"),
            (self.seed == other.seed, "seed"),
            (self.start_time == other.start_time, "start_time"),
            (self.rate == other.rate, "rate"),
            (self.length == other.length, "length"),
            (self.warmup == other.warmup, "warmup"),
            (self.mix == other.mix, "mix"),
            (is_same_mix(&self.event_mix, &other.event_mix), "event_mix"),
            (own.count == others.count, "number of shards"),
        ];
        if let Some((_, differs)) = settings.into_iter().find(|(is_same, _)| !is_same) {
            return Err(MergeError::OtherLoad(differs));
        }
        let mut others = other.partitions.iter();
        if let Some(shard) = others.find(|shard| self.partitions.contains(shard)) {
            return Err(MergeError::DuplicateShard(*shard));
        }
        self.measurements.add(&other.measurements)?;
        for (own, other) in self.event_mix.iter_mut().zip(&other.event_mix) {
            own.add(other);
        }
        self.partitions.extend(&other.partitions);
        self.connections = self.connections.saturating_add(other.connections);
        self.interrupted |= other.interrupted;
        if self.setup_problem.is_none() {
            self.setup_problem.clone_from(&other.setup_problem);
        }
        self.receiver_stops
            .extend(other.receiver_stops.iter().cloned());
        self.receiver_stops
            .sort_by(|one, other| one.at.cmp(&other.at));
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

    /// Whether the receiver stopped and did not come back while events were sent.
    pub fn lost_receiver(&self) -> bool {
        let is_lost = |stop: &ReceiverStop| stop.seconds.is_none();
        !self.interrupted && self.receiver_stops.iter().any(is_lost)
    }

    /// The report of a load that could not start, for this reason.
    pub(crate) fn not_started(reason: &str, settings: [String; 4], seed: u64) -> Self {
        let [start_time, rate, length, warmup] = settings;
        Self {
            format_version: Self::FORMAT_VERSION,
            aghook_version: env!("CARGO_PKG_VERSION").to_owned(),
            target: String::new(),
            built_in_receiver: false,
            seed,
            start_time,
            rate,
            length,
            warmup,
            mix: BTreeMap::new(),
            event_mix: Vec::new(),
            began: format!("{:.3}", Timestamp::now()),
            latency_from: LatencyFrom::Due,
            connections: 0,
            partitions: Vec::new(),
            interrupted: false,
            setup_problem: Some(SetupProblem {
                reason: reason.to_owned(),
                help: "nothing was sent".to_owned(),
            }),
            receiver_stops: Vec::new(),
            events_per_second: None,
            latency: Percentiles::default(),
            service: Percentiles::default(),
            lateness: Percentiles::default(),
            over_time: Vec::new(),
            measurements: Measurements::default(),
            expectations: Vec::new(),
            effects: None,
        }
    }

    /// The verdict on the whole load. An undecided or stopped load has not passed.
    pub fn verdict(&self) -> Verdict {
        match self.passed() {
            Some(false) => Verdict::Failed,
            Some(true) if !self.interrupted => Verdict::Passed,
            _ => Verdict::Broken,
        }
    }

    /// Whether every check passed; `None` if none failed but some are undecided or nothing was sent.
    fn passed(&self) -> Option<bool> {
        let counts = &self.measurements.counts;
        let nothing = counts.attempts == 0 && counts.forgeries == 0;
        let effects = self.effects.as_ref();
        let wrong = effects.is_some_and(|effects| effects.wrong() > 0);
        let undecided =
            effects.is_some_and(|effects| effects.undecided > 0 || effects.proves_nothing());
        let results = || self.expectations.iter().map(|checked| checked.passed);
        let failed = results().any(|passed| passed == Some(false)) || self.lost_receiver();
        let unmeasured = results().any(|passed| passed.is_none());
        match (wrong || failed, undecided || unmeasured || nothing) {
            _ if self.setup_problem.is_some() => None,
            (true, _) => Some(false),
            (false, true) => None,
            (false, false) => Some(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(shard: &str, events: u64) -> LoadReport {
        let mut measurements = Measurements::default();
        measurements.counts.events = events;
        measurements.counts.attempts = events;
        measurements.counts.statuses.insert(200, events);
        measurements.span_us = 1_000_000 * events;
        measurements
            .latencies
            .latency
            .saturating_record(events * 1_000_000);
        let nothing = Percentiles::of(&measurements.latencies.service);
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
            latency_from: LatencyFrom::Due,
            connections: 4,
            partitions: vec![shard.parse().expect("a shard")],
            interrupted: false,
            setup_problem: None,
            receiver_stops: Vec::new(),
            events_per_second: None,
            latency: nothing.clone(),
            service: nothing.clone(),
            lateness: nothing,
            over_time: Vec::new(),
            measurements,
            expectations: Vec::new(),
            effects: None,
        };
        report.check(&["p99 < 4ms".parse().expect("an expectation")]);
        report
    }

    #[test]
    fn shards_are_joined_exactly_from_json() {
        let text = serde_json::to_string(&shard("1/2", 3)).expect("JSON");
        let mut joined: LoadReport = serde_json::from_str(&text).expect("reads back");
        assert_eq!(joined.passed(), Some(true));
        joined.add(&shard("2/2", 5)).expect("another shard");
        joined.check(&["p99 < 4ms".parse().expect("an expectation")]);
        assert_eq!(joined.measurements.counts.events, 8);
        assert_eq!(joined.measurements.counts.statuses[&200], 8);
        assert_eq!(joined.measurements.latencies.latency.len(), 2);
        assert_eq!(joined.latency.count, 2);
        assert_eq!(joined.connections, 8);
        assert_eq!(joined.began, "2026-11-23T12:00:03.000Z");
        assert_eq!(joined.events_per_second, Some(1.6));
        assert_eq!(joined.passed(), Some(false));
    }

    #[test]
    fn incompatible_reports_are_not_joined() {
        let mut one = shard("1/2", 3);
        let refused = one.add(&shard("1/2", 5));
        let first = "1/2".parse().expect("a shard");
        assert_eq!(refused, Err(MergeError::DuplicateShard(first)));
        let mut other = shard("2/2", 5);
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
            other = shard("2/2", 5);
            change(&mut other);
            assert_eq!(one.add(&other), Err(MergeError::OtherLoad(differs)));
        }
        other = shard("2/3", 5);
        let refused = one.add(&other);
        assert!(
            matches!(refused, Err(MergeError::OtherLoad(_))),
            "{refused:?}"
        );
        other.partitions.clear();
        assert_eq!(one.add(&other), Err(MergeError::Whole));
    }

    #[test]
    fn an_unexpected_effect_fails_and_an_undecided_one_leaves_the_report_undecided() {
        let mut report = shard("1/1", 3);
        report.effects = Some(EffectsReport {
            checked: 3,
            acknowledged: 3,
            right: 2,
            undecided: 1,
            ..EffectsReport::default()
        });
        assert_eq!(report.passed(), None);
        report.effects = Some(EffectsReport {
            checked: 3,
            acknowledged: 3,
            right: 2,
            ..EffectsReport::default()
        });
        assert_eq!(report.passed(), Some(false));
    }

    #[test]
    fn a_wrong_set_up_leaves_everything_undecided() {
        let mut report = shard("1/1", 3);
        report.setup_problem = Some(SetupProblem {
            reason: "a login is in front".to_owned(),
            help: "add `headers`".to_owned(),
        });
        report.conclude(&["p99 < 1ms".parse().expect("an expectation")]);
        assert_eq!(report.verdict(), Verdict::Broken);
        let passed = report.expectations.iter().map(|checked| checked.passed);
        assert_eq!(passed.collect::<Vec<_>>(), [None, None]);
    }

    #[test]
    fn a_receiver_that_does_not_come_back_has_failed() {
        let mut report = shard("1/1", 3);
        let stop = |seconds| ReceiverStop {
            at: "2026-11-23T12:00:00.000Z".to_owned(),
            seconds,
        };
        report.receiver_stops = vec![stop(Some(0.5))];
        assert_eq!(report.passed(), Some(true));
        report.receiver_stops.push(stop(None));
        assert_eq!(report.passed(), Some(false));
        // Whoever stops a load may stop its receiver, too.
        report.interrupted = true;
        assert_eq!(report.verdict(), Verdict::Broken);
    }

    #[test]
    fn effects_that_prove_nothing_leave_the_report_undecided() {
        let mut report = shard("1/1", 3);
        let unacknowledged = EffectsReport {
            checked: 3,
            right: 3,
            ..EffectsReport::default()
        };
        report.effects = Some(unacknowledged.clone());
        assert_eq!(report.passed(), None);
        report.effects = Some(EffectsReport {
            forged: 1,
            ..unacknowledged
        });
        assert_eq!(report.passed(), Some(true));
    }
}
