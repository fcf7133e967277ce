//! The steps of a scenario.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Expectation;
use super::capture::CaptureSource;
use super::document::{OneOrMany, Span, Spanned};
use super::hook_value::HookValue;
use crate::policy::{
    ClockOffset, ConnectionChoice, DurationText, Fault, Forgery, RetrySetting, WireForm,
};

/// One step. Set exactly one of `deliver`, `request`, `script`, `restart`, `hook`, `pause` and
/// `after_others`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Step")]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub(super) struct StepKeys {
    /// Deliver an event, or a list of events in order. Events are given by name.
    pub(super) deliver: OneOrMany<Spanned<String>>,
    /// How often to deliver each event. Every delivery is checked. Default: 1.
    pub(super) times: Option<Spanned<u32>>,
    /// Send all deliveries of this step simultaneously.
    pub(super) together: bool,
    /// With `together`: the real time between the beginnings of two deliveries. Default: none, so all
    /// requests are completed at the same moment.
    pub(super) apart: Option<Spanned<DurationText>>,
    /// Deliver in a random order, which depends on the seed.
    pub(super) shuffle: bool,
    /// Send a forgery of the event instead of the event. A forgery is not retried, unless this step
    /// has a `retry`.
    pub(super) forge: Option<Spanned<Forgery>>,
    /// The fault to inject between sender and receiver, such as `lost_ack`, or
    /// `slow_body: { per_byte: 10ms }`. Retries follow the retry policy.
    pub(super) fault: Option<Spanned<Fault>>,
    /// How the requests are written on the wire, such as `{ transfer: chunked }`. A receiver must not
    /// depend on it.
    pub(super) wire: Option<Spanned<WireForm>>,
    /// The clock that the deliveries are signed by: `+2s` runs two seconds ahead of the real time.
    /// A genuine sender's clock may differ a little.
    pub(super) signed_at: Option<Spanned<ClockOffset>>,
    /// Which connection the deliveries of this step use, including retries unless `retry` sets its
    /// own: `reuse` uses an idle connection, `new` always opens a new one. Default: `reuse`.
    pub(super) connection: Option<ConnectionChoice>,
    /// Retry settings for this step: keys that override the profile's policy, or `off`.
    #[schemars(extend("default" = null))]
    pub(super) retry: Option<RetrySetting>,
    /// The instance of the receiver to deliver to, by its name in the profile's `targets`. Without that
    /// instance, the scenario is reported as not checked.
    pub(super) target: Option<Spanned<String>>,
    /// Deliver to the profile's `targets` in turn: each delivery, and each retry, goes to the next one.
    pub(super) spread: bool,
    /// Send any other HTTP request.
    pub(super) request: Option<RequestStep<Spanned<String>>>,
    /// Make the receiver respond to the next deliveries to a player with given statuses, through the
    /// profile's `script` hook. Without that hook, the scenario is reported as not checked.
    pub(super) script: Option<Script<Spanned<String>>>,
    /// Restart the receiver through the profile's `restart` hook, and wait until it accepts
    /// connections again. Without that hook, the scenario is reported as not checked.
    pub(super) restart: bool,
    /// Run a hook of the profile by its name in `hooks`, such as `fill_inventory`. Without that hook,
    /// the scenario is reported as not checked.
    pub(super) hook: Option<Spanned<String>>,
    /// The event whose values replace the hook's placeholders `{player_id}`, `{sku}` and `{event_id}`.
    pub(super) of: Option<Spanned<String>>,
    /// The values of the hook's other placeholders.
    pub(super) with: IndexMap<String, Spanned<HookValue>>,
    /// By how much the hook moves the receiver's clock ahead. Later deliveries of the scenario are
    /// signed by a clock that is ahead, too; at the end, the hook moves the receiver's clock back.
    pub(super) advances: Option<DurationText>,
    /// Advance the virtual clock by this much. Only `--real-time` actually waits.
    pub(super) pause: Option<DurationText>,
    /// Wait until all other scenarios have ended, except for those that run alone. The steps after it run
    /// alone, too.
    pub(super) after_others: bool,
    /// Values of the step's last response to keep under these names, for the `request` and `with` of
    /// later steps, which use them as `${captured.name}`.
    pub(super) capture: IndexMap<String, CaptureSource>,
    /// What to check in the responses. Use a list to give the checks different levels.
    pub(super) expect: OneOrMany<Expectation>,
}

/// One step, with its references to events resolved.
#[derive(Debug, Clone)]
pub struct Step {
    pub action: Action,
    /// What to check in the responses, which only deliveries and requests have.
    pub expect: Vec<Expectation>,
    /// The values to keep of the last response, by their names.
    pub capture: IndexMap<String, CaptureSource>,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Deliver events.
    Deliver(Deliver),
    /// Send any other HTTP request.
    Request(RequestStep),
    /// Make the receiver respond with given statuses.
    Script(Script),
    /// Restart the receiver.
    Restart,
    /// Run another hook of the profile.
    Hook(HookStep),
    /// Advance the virtual clock.
    Pause(DurationText),
    /// Wait until all other scenarios have ended.
    AfterOthers,
}

impl Step {
    /// How many deliveries it has, without those that faults add.
    pub(super) fn delivery_count(&self) -> u64 {
        match &self.action {
            Action::Deliver(deliver) => {
                u64::from(deliver.times.unwrap_or(1)).saturating_mul(deliver.events.len() as u64)
            }
            _ => 0,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Deliver {
    /// The events, in order; at least one.
    pub events: Vec<EventRef>,
    pub times: Option<u32>,
    pub together: bool,
    /// The time between the beginnings of two deliveries that are sent `together`.
    pub apart: Option<DurationText>,
    pub shuffle: bool,
    pub forge: Option<Forgery>,
    pub fault: Option<Spanned<Fault>>,
    pub wire: Option<Spanned<WireForm>>,
    pub signed_at: Option<ClockOffset>,
    pub connection: Option<ConnectionChoice>,
    pub retry: Option<RetrySetting>,
    pub instances: InstanceChoice,
}

/// Which instances of the receiver get the deliveries of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum InstanceChoice {
    /// The profile's target.
    #[default]
    Target,
    /// The instance of this name.
    Named(String),
    /// All in turn.
    Spread,
}

impl Deliver {
    /// The fault to inject, without its location.
    pub fn fault(&self) -> Option<Fault> {
        self.fault.map(|fault| fault.value)
    }

    /// Whether the events are delivered as they are, as a sound sender would do on a sound network.
    pub fn is_ordinary(&self) -> bool {
        let as_documented = self.wire.is_none() && self.signed_at.is_none();
        self.forge.is_none() && self.fault.is_none() && as_documented
    }

    /// How the requests are written, without the location.
    pub fn wire(&self) -> WireForm {
        let wire = self.wire.as_ref();
        wire.map(|wire| wire.value.clone()).unwrap_or_default()
    }
}

/// A step that runs a hook, with its reference to an event resolved.
#[derive(Debug, Clone)]
pub struct HookStep {
    pub name: Spanned<String>,
    /// The event that provides values of placeholders.
    pub of: Option<EventRef>,
    /// The values of further placeholders, by their names.
    pub with: IndexMap<String, Spanned<HookValue>>,
    /// By how much the hook moves the receiver's clock ahead.
    pub advances: Option<DurationText>,
}

/// A reference to an event of the same scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRef {
    pub index: usize,
    pub name: String,
    pub span: Span,
}

/// An HTTP request that is not a delivery.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Request")]
pub struct RequestStep<Event = EventRef> {
    /// The HTTP method. Default: GET, or POST if there is a body.
    #[serde(default)]
    pub method: Option<Spanned<String>>,
    /// A path on the target's host such as `/health`, or a full URL on an allowed host.
    /// `{player_id}`, `{sku}` and `{event_id}` are replaced with values of the `of` event.
    pub url: Spanned<String>,
    /// The event whose values replace `{player_id}`, `{sku}` and `{event_id}`.
    pub of: Option<Event>,
    /// Headers to send.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// The body: text is sent unchanged, any other value as JSON.
    #[serde(default)]
    pub body: Option<Value>,
}

/// How the receiver should respond to the next deliveries to a player.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Script")]
pub struct Script<Event = EventRef> {
    /// The event whose player's deliveries get these responses.
    pub of: Event,
    /// The statuses of the next responses, in order. After that, the receiver responds as usual. It
    /// must not process a delivery that it answers with anything but 2xx.
    pub answers: Vec<u16>,
}
