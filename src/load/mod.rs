//! Load: many unique, signed events at a rate, and honest figures of how a receiver held.
//!
//! The load is open: an event is due when the timetable says, whether the receiver keeps up or
//! not, and its latency counts from then. What an event is and what befalls it are functions of
//! the seed and of its number, so nothing of an event is kept once it has left.
//!
//! It stands on `protocol`, `generate` and `delivery`, and on `scenario`, of whose data those speak
//! and whose events it can send. Nothing is printed here, and effects are not looked at: a caller
//! asks which events have which demand, and reads probes itself.

mod allowed_refusal;
mod counts;
mod demand;
mod duties;
mod event_mix;
mod event_source;
mod event_template;
mod expectation;
mod failed_events;
mod figures;
mod hdr_log;
mod latencies;
mod live;
mod mix;
mod mix_report;
mod over_time;
mod pacer;
mod partition;
mod rate;
mod redeliveries;
mod report;
mod request_maker;
mod run;
mod seconds;
mod settings;
mod share;
mod stalls;
mod tally;
mod time_text;
mod timetable;
mod worker;

pub use counts::Counts;
pub use demand::{Demand, Unacknowledged};
pub use event_mix::{EventMix, MixEntry, MixScenario};
pub use event_source::{EventOrigin, EventSource};
pub use event_template::{EventTemplate, TemplateSettings};
pub use expectation::{Expectation, ExpectationError, Verdict};
pub use failed_events::{
    FailedEvent, FailedEventsError, FailedEventsHead, FailedTreatment, begins_failed_events,
    read_failed_events, write_failed_line,
};
pub use figures::{Figures, MergeError};
pub use hdr_log::write_hdr_log;
pub use latencies::{Latencies, Packed, Percentiles};
pub use live::{Live, LiveFigures};
pub use mix::{Mix, MixError, Treatment};
pub use mix_report::{MixCounts, MixEntryReport, MixScenarioReport};
pub use over_time::{Interval, OverTime, Point};
pub use partition::Partition;
pub use rate::{Rate, RateError};
pub use report::{CheckedExpectation, EffectsReport, LoadReport, WrongEffect, load_report_schema};
pub use run::{LoadResult, LoadRun, Stop};
pub use settings::{Length, LoadSettings};
pub use share::{Share, ShareError};
pub use stalls::Stalls;
pub use time_text::time_text;
