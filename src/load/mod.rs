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
mod effects_report;
mod event_mix;
mod event_source;
mod event_template;
mod expectation;
mod failed_events;
mod failure_list;
mod hdr_log;
mod latency_histograms;
mod live_stats;
mod measurements;
mod mix_report;
mod probe_check;
mod rate;
mod receiver_stop;
mod redeliveries;
mod report;
mod request_builder;
mod resend;
mod run;
mod scheduled_attempt;
mod second_recorder;
mod sent_events;
mod settings;
mod setup_watch;
mod shard;
mod shared_state;
mod stalls;
mod stop_handle;
mod time_series;
mod timetable;
mod treatment_mix;
mod unacknowledged;
mod worker;
mod worker_stats;

pub(crate) use counts::MixCounts;
pub(crate) use effect_check::{CheckProgress, EffectSample, check_effects};
pub(crate) use effects_report::{EffectsReport, WrongEffect};
pub(crate) use event_mix::{EventMix, MixEntry, MixScenario, mix_option};
pub(crate) use event_template::{EventTemplate, TemplateSettings};
pub(crate) use expectation::LoadExpectation;
pub(crate) use failed_events::{
    FailedEvent, FailedEventsHead, begins_failed_events, read_failed_events,
};
pub(crate) use failure_list::FailureList;
pub(crate) use hdr_log::write_hdr_log;
pub(crate) use latency_histograms::{Percentiles, time_text};
pub(crate) use live_stats::{LiveSnapshot, LiveStats};
pub(crate) use mix_report::MixScenarioReport;
pub(crate) use probe_check::{ProbeCheck, check_probe};
pub(crate) use rate::Rate;
pub(crate) use report::LatencyFrom;
pub use report::{LoadReport, load_report_schema};
pub(crate) use resend::{ResentCounts, ResentEvent, lacks_expired_secret, resend};
pub(crate) use run::LoadResult;
pub(crate) use sent_events::SentEvents;
pub(crate) use settings::{Length, LoadSettings};
pub(crate) use setup_watch::SetupWatch;
pub(crate) use shard::LoadShard;
pub(crate) use shared_state::LoadRun;
pub(crate) use stop_handle::StopHandle;
pub(crate) use time_series::Point;
pub(crate) use treatment_mix::TreatmentMix;
