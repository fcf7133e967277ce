//! The interface between a run and its reports: reports know nothing but [`RunEvent`]s.
//!
//! Serialised, run events are the lines of `--report json` and of a recorded run;
//! `docs/report-json.md` describes them. [`RunEvent::from_json`] reads such a line back.
//! A change that can break a reader raises [`FORMAT_VERSION`].

mod baseline_changes;
mod explored;
mod json_line;
mod likely_cause;
mod probe_reading;
mod refused_items;
mod seconds;
mod step_ended;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use baseline_changes::BaselineChanges;
pub(crate) use explored::{Explored, ExploredKind, ExploredPair};
pub use likely_cause::LikelyCause;
pub(crate) use likely_cause::{Certainty, KnownBug};
pub use probe_reading::{ProbeReading, TextReading};
pub(crate) use refused_items::RefusedItems;
pub use step_ended::{DeliveryEnded, StepEnded};
pub(crate) use step_ended::{HookRun, ScriptedResponses};

use super::snapshot_event::{SnapshotCompared, SnapshotsEnded};
use super::volatile_values::VolatileValue;
use crate::policy::WireForm;
use crate::scenario::{Level, describe_single_keys, one_line};
use crate::verify::{Check, Verdict, VerdictCounts};

/// The version of the JSON lines.
pub const FORMAT_VERSION: u32 = 1;

/// The JSON Schema (draft 2020-12) of one line, generated from the types below.
pub fn run_event_schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<RunEvent>()
        .to_value();
    describe_single_keys(&mut schema);
    schema
}

/// Something that happened in a run. Scenarios run at the same time, so events of different
/// scenarios may be interleaved; those of one scenario are in order.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The run starts. Always the first event.
    RunStarted(RunStarted),
    /// A scenario starts.
    ScenarioStarted(ScenarioStarted),
    /// An attempt, or a request that is not a delivery, got its response or failed.
    AttemptEnded(Box<AttemptEnded>),
    /// A step ended and its expectations were checked.
    StepEnded(StepEnded),
    /// All effects of a scenario were checked.
    EffectsEnded(EffectsEnded),
    /// A scenario's snapshot report was compared with the reviewed one. Only in runs with
    /// snapshots, right before `scenario_ended`.
    SnapshotCompared(SnapshotCompared),
    /// A scenario ended.
    ScenarioEnded(ScenarioEnded),
    /// All snapshots were compared. Only in runs with snapshots, right before `run_ended`.
    SnapshotsEnded(SnapshotsEnded),
    /// The run ended. Always the last event.
    RunEnded(RunEnded),
}

/// The start of a run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RunStarted {
    /// The version of this format.
    pub format_version: u32,
    /// The version of aghook.
    pub aghook_version: Cow<'static, str>,
    /// The URL that events are sent to.
    pub target: String,
    /// Whether the target is the receiver built into aghook.
    pub built_in_receiver: bool,
    /// The start time of the run, from which event times are calculated, in Unix seconds. Pass it
    /// to `--start-time` to reproduce the run.
    pub start_time: String,
    /// The random seed of the run, if one was given.
    pub seed: Option<u64>,
    /// The number of scenarios in the run.
    pub scenarios: usize,
}

/// The start of a scenario.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioStarted {
    /// The scenario's number in this run, from 1.
    pub scenario: usize,
    /// Its name, including the choice of its matrix.
    pub name: String,
    /// Its `about` text.
    pub about: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether its checks must or only should pass.
    pub level: Level,
    /// The source of the requirement.
    pub source: Option<String>,
    /// Its file.
    pub file: String,
    /// The line of its name in the file, from 1.
    pub line: usize,
    /// The choice of its matrix, such as `forge=wrong_secret`; null without a matrix.
    pub choice: Option<String>,
    /// The values in its events that depend on the start time and therefore differ in every run.
    pub varying: Vec<VolatileValue>,
}

impl ScenarioStarted {
    /// As the texts of a scenario are. Anyone may have written a journal, and a separate line could be a
    /// command for a CI system.
    pub(super) fn keep_on_one_line(&mut self) {
        let tags = self.tags.iter_mut();
        for text in tags.chain([&mut self.name, &mut self.file]) {
            *text = one_line(text);
        }
    }
}

/// One request and its response.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AttemptEnded {
    /// The scenario's number.
    pub scenario: usize,
    /// The step's number in the scenario, from 1.
    pub step: usize,
    /// The delivery's number in the step, from 1.
    pub delivery: usize,
    /// The name of the delivered event; null for a request that is not a delivery.
    pub event_name: Option<String>,
    /// The forgery that was sent instead of the event.
    pub forgery: Option<Cow<'static, str>>,
    /// The fault that the attempt is part of.
    pub fault: Option<Cow<'static, str>>,
    /// The attempt's number in the delivery, from 1.
    pub attempt: u32,
    /// When it started, by the wall clock.
    pub started_at: Timestamp,
    /// When it started, by the virtual clock, since the start of the delivery.
    #[serde(rename = "virtual_offset_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub virtual_offset: Duration,
    /// The retry policy's delay before it; 0 for the first attempt.
    #[serde(rename = "delay_before_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub delay_before: Duration,
    /// How long it really took.
    #[serde(rename = "took_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub took: Duration,
    /// The timings of its parts.
    pub timings: TimingsRecord,
    /// The connection that it used; null if no connection was established.
    pub connection: Option<ConnectionRecord>,
    /// The request.
    pub request: SentRequestRecord,
    /// The response, or why there was none.
    #[serde(rename = "answer")]
    pub response: ResponseRecord,
    /// The receiver's response that the fault kept from the sender. A body that was not read is
    /// marked as truncated.
    #[serde(rename = "unheard_answer")]
    pub discarded_response: Option<Box<ResponseRecord>>,
}

/// How long the parts of an attempt took, as far as it reached them. All times count from its
/// start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimingsRecord {
    /// Until the connection was established, including TLS; null if a connection was reused or none
    /// was established.
    #[serde(rename = "connect_seconds", with = "seconds::optional")]
    #[schemars(with = "Option<f64>")]
    pub connect: Option<Duration>,
    /// Until the head of the response arrived.
    #[serde(rename = "first_byte_seconds", with = "seconds::optional")]
    #[schemars(with = "Option<f64>")]
    pub first_byte: Option<Duration>,
    /// How long it was held back so that other requests arrive at the same time. This is included
    /// in the time until the first byte, but not in the time that the attempt took.
    #[serde(rename = "held_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub held: Duration,
}

/// The connection of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionRecord {
    /// Whether an earlier request had opened it.
    pub reused: bool,
    /// Its HTTP version, such as `HTTP/1.1`.
    pub http_version: Cow<'static, str>,
    /// The remote address; missing for a Unix socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_address: Option<SocketAddr>,
    /// Present if the receiver closed the idle connection that the request was about to use, so
    /// that the same attempt used this new connection instead: `before_request` if the request was
    /// not sent yet, `after_request` if it was, in which case the receiver may have received it
    /// twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_place_of_closed: Option<Cow<'static, str>>,
}

/// A request as it was sent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SentRequestRecord {
    /// The method.
    pub method: String,
    /// The full URL.
    pub url: String,
    /// The headers in the order in which they were sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: BodyRecord,
    /// How it was written on the wire, if the step says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<WireForm>,
}

/// The response, or why there was none.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseRecord {
    /// A response.
    Response {
        /// The status.
        status: u16,
        /// The headers in the order in which they were sent.
        headers: Vec<(String, String)>,
        /// The body.
        body: BodyRecord,
    },
    /// No complete response.
    Failure {
        /// The name of the failure, the same in every report.
        name: Cow<'static, str>,
        /// A description of the failure.
        message: String,
        /// What to do about it.
        hint: Cow<'static, str>,
    },
}

/// A body, or the beginning of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BodyRecord {
    /// The recorded bytes.
    #[serde(flatten)]
    pub content: BodyContent,
    /// The length of the full body in bytes.
    pub length: u64,
    /// Whether only its beginning was recorded.
    pub truncated: bool,
}

/// The bytes of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyContent {
    /// UTF-8 text.
    Text(String),
    /// Anything else, in base64.
    Base64(String),
}

impl BodyRecord {
    /// Records `bytes`, which are all or the beginning of a body of `length` bytes.
    pub fn new(bytes: &[u8], length: u64, truncated: bool) -> Self {
        let content = match std::str::from_utf8(bytes) {
            Ok(text) => BodyContent::Text(text.to_owned()),
            Err(_) => BodyContent::Base64(STANDARD.encode(bytes)),
        };
        Self {
            content,
            length,
            truncated,
        }
    }

    /// Keeps only the beginning if the recorded text is longer than `limit`. Returns the length that is
    /// left.
    pub(crate) fn cut(&mut self, limit: usize) -> usize {
        let (text, limit) = match &mut self.content {
            BodyContent::Text(text) => (text, limit),
            // Four characters encode three bytes, and only whole groups can be decoded.
            BodyContent::Base64(text) => (text, limit / 4 * 4),
        };
        if text.len() > limit {
            text.truncate(text.floor_char_boundary(limit));
            // Otherwise the room would still be allocated.
            text.shrink_to_fit();
            self.truncated = true;
        }
        text.len()
    }

    /// The recorded bytes. `None` if the base64 is invalid, which aghook never writes.
    pub fn bytes(&self) -> Option<Cow<'_, [u8]>> {
        match &self.content {
            BodyContent::Text(text) => Some(Cow::Borrowed(text.as_bytes())),
            BodyContent::Base64(text) => STANDARD.decode(text).ok().map(Cow::Owned),
        }
    }

    pub(crate) fn json(&self) -> Option<Value> {
        match &self.content {
            BodyContent::Text(text) => serde_json::from_str(text).ok(),
            BodyContent::Base64(_) => None,
        }
    }
}

impl ResponseRecord {
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Response { status, .. } => Some(*status),
            Self::Failure { .. } => None,
        }
    }

    pub(crate) fn body(&self) -> Option<&BodyRecord> {
        match self {
            Self::Response { body, .. } => Some(body),
            Self::Failure { .. } => None,
        }
    }
}

/// The value of the first header with this name.
pub(crate) fn header<'headers>(
    headers: &'headers [(String, String)],
    name: &str,
) -> Option<&'headers str> {
    let mut headers = headers.iter();
    let (_, value) = headers.find(|(other, _)| other.eq_ignore_ascii_case(name))?;
    Some(value)
}

/// The effects of a scenario.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EffectsEnded {
    /// The scenario's number.
    pub scenario: usize,
    /// The readings of the probes.
    pub readings: Vec<ProbeReading>,
    /// The readings of the probes that were compared as text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<TextReading>,
    /// The checks of the effects.
    pub checks: Vec<Check>,
    /// The time from the last step to the final readings.
    #[serde(rename = "settled_after_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub settled_after: Duration,
}

/// The end of a scenario.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioEnded {
    /// The scenario's number.
    pub scenario: usize,
    /// Its verdict.
    pub verdict: Verdict,
    /// The number of its checks with each verdict.
    pub checks: VerdictCounts,
    /// How long it really took.
    #[serde(rename = "took_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// The end of the run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RunEnded {
    /// The number of scenarios with each verdict.
    pub scenarios: VerdictCounts,
    /// The number of checks with each verdict, in all scenarios.
    pub checks: VerdictCounts,
    /// The number of scenarios that did not start because of `--fail-fast`, an interruption or the
    /// set-up.
    pub not_run: usize,
    /// Why nothing can be said about the receiver, if the first scenarios showed that the set-up does
    /// not work. The run stopped after them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_problem: Option<String>,
    /// The listed items that the receiver refused, unlike others, which is a mistake in the set-up; omitted
    /// if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_items: Option<RefusedItems>,
    /// Whether the receiver stopped during the run. The run stopped, too; omitted if it did not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub receiver_stopped: bool,
    /// The known bugs that the failures look like, the most likely first; omitted if nothing fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub likely_causes: Vec<LikelyCause>,
    /// What changed since the run of `--baseline`; omitted without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_baseline: Option<BaselineChanges>,
    /// What an exploration tried; omitted for other runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explored: Option<Explored>,
    /// How long the run really took.
    #[serde(rename = "took_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub took: Duration,
    /// The total time for which the profile's `max_rate` held deliveries back; omitted if it is
    /// zero.
    #[serde(
        rename = "held_back_seconds",
        with = "seconds",
        default,
        skip_serializing_if = "Duration::is_zero"
    )]
    #[schemars(with = "f64")]
    pub held_back: Duration,
}
