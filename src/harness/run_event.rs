//! The interface between a run and its reports: [`RunEvent`] is all that a report can know.
//!
//! Serialised, these are the lines of `--report json` and of a recorded run;
//! `docs/report-json.md` describes them. [`RunEvent::from_json`] reads such a line back.
//! A change that a reader could trip over raises [`FORMAT_VERSION`].

mod reading;
mod seconds;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

use super::snapshot_event::{SnapshotCompared, SnapshotsEnded};
use super::varying::VaryingValue;
use super::verdict::{Check, Counts, Verdict};
use crate::scenario::{Level, OutcomeName, describe_single_keys};

/// The version of the JSON lines.
pub const FORMAT_VERSION: u32 = 1;

/// The JSON Schema (draft 2020-12) of one line, made from the types below.
pub fn run_event_schema() -> serde_json::Value {
    let mut schema = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<RunEvent>()
        .to_value();
    describe_single_keys(&mut schema);
    schema
}

/// Something that happened in a run. Scenarios run at the same time, so the events of several may
/// be mixed; those of one scenario are in order.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// First of all.
    RunStarted(RunStarted),
    /// A scenario begins.
    ScenarioStarted(ScenarioStarted),
    /// An attempt, or another request, was answered or given up.
    AttemptEnded(Box<AttemptEnded>),
    /// A step was done and judged.
    StepEnded(StepEnded),
    /// All effects of a scenario were judged.
    EffectsEnded(EffectsEnded),
    /// A scenario's snapshot report was compared with the reviewed one; only where snapshots were
    /// asked for, and right before the scenario's end.
    SnapshotCompared(SnapshotCompared),
    /// A scenario is over.
    ScenarioEnded(ScenarioEnded),
    /// All snapshots were compared; only where they were asked for, and right before the run's end.
    SnapshotsEnded(SnapshotsEnded),
    /// Last of all.
    RunEnded(RunEnded),
}

/// What is known before the first request.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RunStarted {
    /// The version of this format.
    pub format_version: u32,
    /// The version of aghook.
    pub aghook_version: Cow<'static, str>,
    /// Where events are sent to.
    pub target: String,
    /// Whether the target is the receiver built into aghook.
    pub built_in_receiver: bool,
    /// The moment from which event times count, in Unix seconds; `--start-time` takes it.
    pub start_time: String,
    /// The seed of the whole run, if one was asked for.
    pub seed: Option<u64>,
    /// How many scenarios are run.
    pub scenarios: usize,
}

/// What is known of a scenario beforehand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioStarted {
    /// The scenario's number in this run, from 1.
    pub scenario: usize,
    /// Its name, with the choice of its matrix.
    pub name: String,
    /// What it is about.
    pub about: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// How much it demands.
    pub level: Level,
    /// Where the demand comes from.
    pub source: Option<String>,
    /// The file.
    pub file: String,
    /// Where in the file its name stands, from 1.
    pub line: usize,
    /// The choice of its matrix, as `forge=wrong_secret`; none without a matrix.
    pub choice: Option<String>,
    /// The values in its events that follow from the start time, and so are others in each run.
    pub varying: Vec<VaryingValue>,
}

/// One request and its answer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AttemptEnded {
    /// The scenario's number.
    pub scenario: usize,
    /// The step's number in the scenario, from 1.
    pub step: usize,
    /// The delivery's number in the step, from 1.
    pub delivery: usize,
    /// The delivered event's name; none for a request that is no delivery.
    pub event_name: Option<String>,
    /// The forgery that was sent in the event's place.
    pub forgery: Option<Cow<'static, str>>,
    /// The fault that the attempt has a part in.
    pub fault: Option<Cow<'static, str>>,
    /// The attempt's number in the delivery, from 1.
    pub attempt: u32,
    /// When it began, by the wall clock.
    pub started_at: Timestamp,
    /// When it began, on the virtual clock from the beginning of the delivery.
    #[serde(rename = "virtual_offset_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub virtual_offset: Duration,
    /// How long the retry policy waited before it; 0 before the first.
    #[serde(rename = "delay_before_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub delay_before: Duration,
    /// How long it took in fact.
    #[serde(rename = "took_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub took: Duration,
    /// How long its parts took.
    pub timings: TimingsRecord,
    /// Which connection it took; none where none was made.
    pub connection: Option<ConnectionRecord>,
    /// What was sent.
    pub request: RequestRecord,
    /// What came back.
    pub answer: AnswerRecord,
    /// What the receiver answered and the sender did not hear, because of the fault. A body that was
    /// not read either counts as truncated.
    pub unheard_answer: Option<Box<AnswerRecord>>,
}

/// How long the parts of an attempt took, as far as they were reached. All count from its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimingsRecord {
    /// Until the connection stood, TLS included; none where one was reused or none was made.
    #[serde(rename = "connect_seconds", with = "seconds::optional")]
    #[schemars(with = "Option<f64>")]
    pub connect: Option<Duration>,
    /// Until the head of the answer was there.
    #[serde(rename = "first_byte_seconds", with = "seconds::optional")]
    #[schemars(with = "Option<f64>")]
    pub first_byte: Option<Duration>,
    /// How long it was held back, so that others are sent together with it; part of the time until
    /// the first byte, but not of what the attempt took.
    #[serde(rename = "held_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub held: Duration,
}

/// The connection of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionRecord {
    /// An earlier request had opened it.
    pub reused: bool,
    /// The HTTP version spoken on it, such as `HTTP/1.1`.
    pub http_version: Cow<'static, str>,
    /// The address that it leads to.
    pub remote_address: SocketAddr,
    /// Present where the receiver closed the idle connection that the request was meant for, so that
    /// it took this new one, within the same attempt: `before_request` where it had not left yet,
    /// `after_request` where it had, and the receiver may have it twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_place_of_closed: Option<Cow<'static, str>>,
}

/// A request as it was sent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RequestRecord {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: BodyRecord,
}

/// What came back.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerRecord {
    /// An answer.
    Response {
        /// The status.
        status: u16,
        /// The headers in their order.
        headers: Vec<(String, String)>,
        /// The body.
        body: BodyRecord,
    },
    /// No whole answer.
    Failure {
        /// A short word, the same in every report.
        name: Cow<'static, str>,
        /// A sentence.
        message: String,
        /// What may help.
        hint: Cow<'static, str>,
    },
}

/// A body as far as it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BodyRecord {
    /// What was kept.
    #[serde(flatten)]
    pub content: BodyContent,
    /// How long it is in full, in bytes.
    pub length: u64,
    /// Whether only its beginning was kept.
    pub truncated: bool,
}

/// Text, or base64 of what is no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyContent {
    /// UTF-8 text.
    Text(String),
    /// Anything else, in base64.
    Base64(String),
}

impl BodyRecord {
    /// Keeps all of `bytes`, which are the beginning of a body of `length` bytes.
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

    /// What was kept, as the bytes that it was. Nothing where it is base64 that can't be read,
    /// which no run writes.
    pub fn bytes(&self) -> Option<Cow<'_, [u8]>> {
        match &self.content {
            BodyContent::Text(text) => Some(Cow::Borrowed(text.as_bytes())),
            BodyContent::Base64(text) => STANDARD.decode(text).ok().map(Cow::Owned),
        }
    }
}

/// A step and what came of its expectations.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StepEnded {
    /// The scenario's number.
    pub scenario: usize,
    /// The step's number in the scenario, from 1.
    pub step: usize,
    /// What the step does, in a few words.
    pub description: String,
    /// Whether its deliveries were made at the same moment.
    pub together: bool,
    /// What came of each of its deliveries; one entry for a request, none for a pause, a script or a
    /// restart.
    pub deliveries: Vec<DeliveryEnded>,
    /// Why the step could not be made, if so.
    pub not_made: Option<Check>,
    /// What the receiver was told to answer, if that is what the step did.
    pub script: Option<ScriptTold>,
    /// Whether the receiver was restarted, if that is what the step does.
    #[serde(default)]
    pub restarted: bool,
}

/// How the receiver was told to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptTold {
    /// The player whose next deliveries are answered so.
    pub player_id: String,
    /// The statuses of the answers, in their order.
    pub answers: Vec<u16>,
}

/// A delivery, or another request, and what came of its expectations.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryEnded {
    /// The delivery's number in the step, from 1.
    pub delivery: usize,
    /// The event's name; none for a request that is no delivery.
    pub event_name: Option<String>,
    /// How it ended; none for a request that is no delivery.
    pub outcome: Option<OutcomeName>,
    /// How many attempts were made.
    pub attempts: u32,
    /// What came of the expectations.
    pub checks: Vec<Check>,
}

/// What came of a scenario's effects.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EffectsEnded {
    /// The scenario's number.
    pub scenario: usize,
    /// What the probes read.
    pub readings: Vec<Reading>,
    /// What came of the effects.
    pub checks: Vec<Check>,
    /// How long the last readings were waited for.
    #[serde(rename = "settled_after_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub settled_after: Duration,
}

/// A probe's number before and after the steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// The probe.
    pub probe: String,
    /// Whose holdings were read.
    pub player_id: String,
    /// The SKU that was read.
    pub sku: String,
    /// Before the first step.
    pub before: i128,
    /// After the last step.
    pub after: i128,
}

/// What came of a scenario.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioEnded {
    /// The scenario's number.
    pub scenario: usize,
    /// What came of it.
    pub verdict: Verdict,
    /// What came of its checks.
    pub checks: Counts,
    /// How long it took in fact.
    #[serde(rename = "took_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// What came of the run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RunEnded {
    /// What came of the scenarios.
    pub scenarios: Counts,
    /// What came of all their checks.
    pub checks: Counts,
    /// How many scenarios were not begun, after `--fail-fast` or an interruption.
    pub not_run: usize,
    /// How long the run took in fact.
    #[serde(rename = "took_seconds", with = "seconds")]
    #[schemars(with = "f64")]
    pub took: Duration,
    /// How long deliveries were held back by the profile's `max_rate`, added up over all of them;
    /// left out where none was.
    #[serde(
        rename = "held_back_seconds",
        with = "seconds",
        default,
        skip_serializing_if = "Duration::is_zero"
    )]
    #[schemars(with = "f64")]
    pub held_back: Duration,
}
