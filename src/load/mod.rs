//! Load generation: sends many unique, signed events at a rate and measures the receiver.
//!
//! The load is open: the timetable says when an event is due, whether or not the receiver keeps up,
//! and latency counts from that time. An event's content and its treatment are functions of the
//! seed and its number, so nothing about a sent event has to be stored.
//!
//! It prints nothing. After the load, probes show whether each event was granted as expected, and failed
//! events can be sent again.

mod allowed_refusals;
mod counts;
mod effect_check;
mod event_mix;
mod event_source;
mod event_template;
mod expectation;
mod failed_events;
mod failure_list;
mod hdr_log;
mod implied_expectations;
mod latency_histograms;
mod live_stats;
mod measurements;
mod mix_report;
mod pacer;
mod rate;
mod redeliveries;
mod report;
mod request_builder;
mod resend;
mod run;
mod scheduled_attempt;
mod second_recorder;
mod sent_events;
mod settings;
mod shard;
mod shared_state;
mod stalls;
mod stop_handle;
mod time_series;
mod time_text;
mod timetable;
mod treatment_mix;
mod unacknowledged;
mod worker;
mod worker_stats;

pub use counts::{LoadCounts, MixCounts};
pub use effect_check::{EffectSample, EffectSampleError, InvalidEffectSample, check_effects};
pub use event_mix::{EventMix, MixEntry, MixScenario};
pub use event_source::{EventOrigin, EventSource, LoadEvent};
pub use event_template::{EventTemplate, TemplateSettings};
pub use expectation::{CheckedExpectation, LoadExpectation, LoadExpectationError};
pub use failed_events::{
    FailedEvent, FailedEventsError, FailedEventsHead, FailedTreatment, begins_failed_events,
    read_failed_events, write_failed_line,
};
pub use failure_list::FailureList;
pub use hdr_log::write_hdr_log;
pub use implied_expectations::effective_expectations;
pub use latency_histograms::{HistogramError, LatencyHistograms, PackedHistogram, Percentiles};
pub use live_stats::{LiveSnapshot, LiveStats};
pub use measurements::{Measurements, MergeError};
pub use mix_report::{MixEntryReport, MixScenarioReport};
pub use rate::{Rate, RateError};
pub use report::{EffectsReport, LatencyFrom, LoadReport, WrongEffect, load_report_schema};
pub use resend::{
    Resent, ResentCounts, ResentEvent, ResentTreatment, lacks_expired_secret, resend,
};
pub use run::LoadResult;
pub use sent_events::SentEvents;
pub use settings::{Length, LoadSettings};
pub use shard::{InvalidShard, LoadShard};
pub use shared_state::LoadRun;
pub use stalls::Stalls;
pub use stop_handle::StopHandle;
pub use time_series::{Interval, Point, TimeSeries};
pub use time_text::time_text;
pub use treatment_mix::{Treatment, TreatmentMix, TreatmentMixError};
pub use unacknowledged::Unacknowledged;
