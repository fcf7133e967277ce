//! What a scenario does, one step after the other.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::document::{Located, OneOrMany};
use super::{ConnectionChoice, DurationText, Expectation, Fault, Forgery, RetrySetting};

/// One step: exactly one of `deliver`, `request`, `script`, `restart` and `pause`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Delivers an event, or a list of events one after the other.
    #[serde(default)]
    pub deliver: OneOrMany<Located<String>>,
    /// How often each of the events is delivered; every one of these deliveries is checked.
    #[serde(default)]
    pub times: Option<Located<u32>>,
    /// Sends all deliveries of this step at the same moment.
    #[serde(default)]
    pub together: bool,
    /// Delivers in an order that the seed decides.
    #[serde(default)]
    pub shuffle: bool,
    /// Sends a forgery of the event in place of the event. It is not retried, unless `retry` says so.
    #[serde(default)]
    pub forge: Option<Located<Forgery>>,
    /// What goes wrong on the way, such as `lost_ack`, or `slow_body: { per_byte: 10ms }`. The
    /// retry that follows is the retry policy's.
    #[serde(default)]
    pub fault: Option<Located<Fault>>,
    /// Which connection the deliveries of this step take, retries included unless `retry` says
    /// otherwise: `reuse` (left out) takes one that stands idle, `new` always opens another.
    #[serde(default)]
    pub connection: Option<ConnectionChoice>,
    /// The retry policy of this step, over the profile's: some of its keys, or `off`.
    #[serde(default)]
    pub retry: Option<RetrySetting>,
    /// Sends any other HTTP request.
    #[serde(default)]
    pub request: Option<Request>,
    /// Tells the receiver how to answer the next deliveries to a player, through the profile's
    /// `script`. Without one, the scenario is reported as not checked.
    #[serde(default)]
    pub script: Option<Script>,
    /// `true`: restarts the receiver, through the profile's `restart`, and waits until it takes
    /// connections again. Without one, the scenario is reported as not checked.
    #[serde(default)]
    pub restart: bool,
    /// Waits on the virtual clock, which only `--real-time` waits for.
    #[serde(default)]
    pub pause: Option<DurationText>,
    /// What the answer must be like; a list where some of it has a level of its own.
    #[serde(default)]
    pub expect: OneOrMany<Expectation>,
}

/// Any other HTTP request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method; left out, GET, or POST where there is a body.
    #[serde(default)]
    pub method: Option<Located<String>>,
    /// A path on the target's host such as `/health`, or a whole URL on an allowed host.
    /// `{player_id}`, `{sku}` and `{event_id}` stand for values of the event named by `of`.
    pub url: Located<String>,
    /// The event whose values stand for `{player_id}`, `{sku}` and `{event_id}`.
    #[serde(default)]
    pub of: Option<Located<String>>,
    /// Headers to send.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// The body: text is sent as it is, any other value as JSON.
    #[serde(default)]
    pub body: Option<Value>,
}

/// How the receiver is to answer next.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The event whose player's deliveries are answered so.
    pub of: Located<String>,
    /// The statuses of the next answers, one after the other; then the receiver answers as usual.
    /// A delivery that is answered with other than 2xx is not processed.
    pub answers: Vec<u16>,
}
