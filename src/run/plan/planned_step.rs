//! The steps of a plan: what each of them sends, with the values of its events filled in.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use indexmap::IndexMap;
use rand::seq::SliceRandom;
use serde_json::Value;

use super::planned_hook::{PlannedHook, event_values};
use super::{PlannedEvent, Planner};
use crate::generate::Seed;
use crate::policy::{Fault, Pieces};
use crate::probe::{fill_in, in_braces, percent_encoded};
use crate::protocol::Event;
use crate::run::missing_capability::MissingCapability;
use crate::scenario::document::{Span, Spanned};
use crate::scenario::{
    Action, CaptureSource, CapturedValues, Deliver, EVENT_PLACEHOLDERS, EventRef, HookStep,
    InstanceChoice, RequestStep, Script, Step, captured_names, insert_captured,
    insert_captured_in_json, placeholders,
};
use crate::transport::{AllowedHosts, HeaderError, OutgoingRequest, Target, TargetError};
use crate::verify::PreparedExpectation;

#[derive(Debug)]
pub(crate) struct PlannedStep {
    pub(crate) description: String,
    pub(crate) action: PlannedAction,
    pub(crate) expectations: Vec<PreparedExpectation>,
    /// The values to keep of the last response.
    pub(crate) capture: IndexMap<String, CaptureSource>,
}

#[derive(Debug)]
pub(crate) enum PlannedAction {
    Deliver(Box<PlannedDeliveries>),
    Request(PlannedRequest),
    /// Make the receiver respond to a player's next deliveries with these statuses.
    Script {
        player_id: String,
        statuses: Vec<u16>,
    },
    Restart,
    AfterOthers,
    Hook(PlannedHook),
    Pause(Duration),
}

impl PlannedAction {
    /// Whether it restarts the receiver or moves its clock.
    pub(crate) fn disturbs_receiver(&self) -> bool {
        match self {
            Self::Restart => true,
            Self::Hook(hook) => hook.advances.is_some(),
            Self::Deliver(deliveries) => deliveries.restarts_receiver(),
            _ => false,
        }
    }
}

#[derive(Debug)]
pub(crate) struct PlannedDeliveries {
    pub(crate) how: Deliver,
    /// The deliveries in the order in which they start.
    pub(crate) order: Vec<PlannedDelivery>,
}

impl PlannedDeliveries {
    pub(crate) fn restarts_receiver(&self) -> bool {
        matches!(self.how.fault(), Some(Fault::RestartInFlight(_)))
    }
}

/// One delivery of a step: its number, from 1, and its event.
#[derive(Debug)]
pub(crate) struct PlannedDelivery {
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) body: Bytes,
}

#[derive(Debug)]
pub(crate) struct PlannedRequest {
    pub(crate) method: Method,
    /// A URL, or a path on the target's host. It may lack captured values, as may headers and body.
    url: Spanned<String>,
    headers: IndexMap<String, String>,
    body: Option<Value>,
}

impl PlannedRequest {
    pub(crate) fn url(&self, captured: &CapturedValues) -> String {
        insert_captured(&self.url, captured, percent_encoded)
    }

    /// Where its URL is written and why it can't be used. A URL that needs captured values is not known
    /// before they are.
    pub(super) fn refusal(&self, allowed: &AllowedHosts) -> Option<(Span, TargetError)> {
        if captured_names(&self.url).next().is_some() {
            return None;
        }
        // A path is on the target's host, which is allowed.
        let host = Target::parse("http://localhost/", allowed);
        let target = host.and_then(|host| host.join(&self.url, allowed));
        target.err().map(|error| (self.url.span, error))
    }

    pub(crate) fn outgoing(
        &self,
        target: &Target,
        captured: &CapturedValues,
    ) -> Result<OutgoingRequest, HeaderError> {
        let mut outgoing = OutgoingRequest::new(self.method.clone());
        let mut names = self.headers.keys();
        if !names.any(|name| name.eq_ignore_ascii_case("host")) {
            outgoing = outgoing.header("Host", target.authority())?;
        }
        for (name, value) in &self.headers {
            let value = insert_captured(value, captured, str::to_owned);
            outgoing = outgoing.header(name, &value)?;
        }
        let body = self.body.as_ref();
        Ok(outgoing.body(
            match body.map(|body| insert_captured_in_json(body, captured)) {
                None => Bytes::new(),
                Some(Value::String(text)) => text.into(),
                Some(json) => json.to_string().into(),
            },
        ))
    }
}

impl Planner<'_> {
    /// Prepares a step. Reports its mistakes, and returns `None` if it can't be run because of one. In
    /// `events`, those with mistakes are missing.
    pub(super) fn step(
        &mut self,
        number: usize,
        step: &Step,
        events: &[Option<PlannedEvent>],
    ) -> Option<PlannedStep> {
        let expectations = step.expect.iter();
        let expectations = expectations.map(|expectation| self.expectation(expectation));
        let expectations: Vec<_> = expectations.collect();
        let action = match &step.action {
            Action::Deliver(deliver) => {
                PlannedAction::Deliver(Box::new(self.deliveries(number, deliver, events)?))
            }
            Action::Request(request) => PlannedAction::Request(self.request(request, events)?),
            Action::Script(Script { of, answers }) => {
                let event = self.event_with_player(of, events)?;
                PlannedAction::Script {
                    player_id: event.event_data.player_id.to_string(),
                    statuses: answers.clone(),
                }
            }
            Action::Restart => PlannedAction::Restart,
            Action::AfterOthers => PlannedAction::AfterOthers,
            Action::Hook(hook) => PlannedAction::Hook(self.hook(hook, events)?),
            Action::Pause(pause) => PlannedAction::Pause(pause.0),
        };
        Some(PlannedStep {
            description: describe(&step.action),
            action,
            expectations: expectations.into_iter().collect::<Option<_>>()?,
            capture: step.capture.clone(),
        })
    }

    fn deliveries(
        &mut self,
        step_number: usize,
        deliver: &Deliver,
        events: &[Option<PlannedEvent>],
    ) -> Option<PlannedDeliveries> {
        if let Some(fault) = &deliver.fault
            && self.settings.http2_only
            && fault.needs_http1()
        {
            let (reason, hint) = MissingCapability::Http1(fault.value).reason_and_hint();
            self.report(fault.span, reason, Some(hint));
        }
        if let Some(wire) = &deliver.wire
            && self.settings.http2_only
            && let Some(key) = wire.http1_key()
        {
            let (reason, hint) = MissingCapability::Http1Wire(key).reason_and_hint();
            self.report(wire.span, reason, Some(hint));
        }
        let bodies = deliver.events.iter().map(|event| {
            let planned = events.get(event.index)?.as_ref()?;
            Some((event.name.as_str(), &planned.body))
        });
        let bodies: Vec<_> = bodies.collect::<Option<_>>()?;
        if let Some(wire) = &deliver.wire
            && wire.pieces == Some(Pieces::Letters)
            && let Some((name, _)) = bodies.iter().find(|(_, body)| body.is_ascii())
        {
            let message =
                format!("the body of `{name}` is ASCII, so `pieces: letters` splits no letter");
            let help = "give the event a player or an item with other letters, such as `Zoë`";
            self.report(wire.span, message, Some(help.to_owned()));
        }
        let seed = self.seed.derive(&format!("order of step {step_number}"));
        Some(PlannedDeliveries {
            how: deliver.clone(),
            order: delivery_order(deliver, &bodies, seed),
        })
    }

    fn request(
        &mut self,
        request: &RequestStep,
        events: &[Option<PlannedEvent>],
    ) -> Option<PlannedRequest> {
        let url = match &request.of {
            Some(of) => {
                let event = self.event_with_player(of, events);
                event.map(|event| Spanned {
                    value: with_values(&request.url, event),
                    span: request.url.span,
                })
            }
            None if placeholders(&request.url).any(|name| EVENT_PLACEHOLDERS.contains(&name)) => {
                let message = "the URL has a placeholder for an event's value, but `of` is missing";
                let help = Some("add `of: EVENT`".to_owned());
                self.report(request.url.span, message.to_owned(), help);
                None
            }
            None => Some(request.url.clone()),
        };
        let method = match (&request.method, &request.body) {
            (Some(method), _) => {
                let parsed = Method::from_bytes(method.as_bytes()).ok();
                if parsed.is_none() {
                    let message = format!("`{}` is not an HTTP method", method.value);
                    let help = Some("use GET, POST, PUT or another method".to_owned());
                    self.report(method.span, message, help);
                }
                parsed
            }
            (None, Some(_)) => Some(Method::POST),
            (None, None) => Some(Method::GET),
        };
        Some(PlannedRequest {
            method: method?,
            url: url?,
            headers: request.headers.clone(),
            body: request.body.clone(),
        })
    }

    pub(super) fn event_with_player<'events>(
        &mut self,
        of: &EventRef,
        events: &'events [Option<PlannedEvent>],
    ) -> Option<&'events Event> {
        self.valid_event(of, events, "player", "name an event with a player")
    }

    /// The event, if its body is valid. Otherwise reports that what a step or an effect needs of it is
    /// `unknown`.
    pub(super) fn valid_event<'events>(
        &mut self,
        event: &EventRef,
        events: &'events [Option<PlannedEvent>],
        unknown: &str,
        help: &str,
    ) -> Option<&'events Event> {
        let planned = events.get(event.index)?.as_ref()?;
        if planned.event.is_none() {
            let name = &event.name;
            let message = format!("`{name}` is not a valid event, so its {unknown} is unknown");
            self.report(event.span, message, Some(help.to_owned()));
        }
        planned.event.as_ref()
    }
}

fn with_values(url: &str, event: &Event) -> String {
    fill_in(url, &in_braces(&event_values(event)), percent_encoded)
}

/// The deliveries of a step in the order in which they start. `events` has the name and the body of
/// each event to deliver; `seed` decides the order if it is random.
fn delivery_order(
    deliver: &Deliver,
    events: &[(&str, &Bytes)],
    seed: Seed,
) -> Vec<PlannedDelivery> {
    let times = deliver.times.unwrap_or(1) as usize;
    let events = events.iter();
    let order = events.flat_map(|event| std::iter::repeat_n(event, times));
    let mut order: Vec<_> = order.collect();
    // With `out_of_order`, the first delivery stays first: its retry comes after the others.
    let late = usize::from(deliver.fault() == Some(Fault::OutOfOrder)).min(order.len());
    if deliver.shuffle {
        order[late..].shuffle(&mut seed.random());
    } else if late > 0 {
        order[late..].reverse();
    }
    if deliver.fault() == Some(Fault::Duplicate) {
        order = order.into_iter().flat_map(|one| [one, one]).collect();
    }
    let numbered = order.into_iter().zip(1..);
    numbered
        .map(|((name, body), number)| PlannedDelivery {
            number,
            name: (*name).to_owned(),
            body: Bytes::clone(body),
        })
        .collect()
}

fn describe(action: &Action) -> String {
    match action {
        Action::Deliver(deliver) => describe_deliveries(deliver),
        Action::Request(RequestStep {
            method, url, body, ..
        }) => {
            let default = if body.is_some() { "POST" } else { "GET" };
            let method = method.as_ref().map_or(default, |method| &method.value);
            format!("{method} {}", url.value)
        }
        Action::Script(script) => {
            let statuses: Vec<String> = script.answers.iter().map(u16::to_string).collect();
            format!("script {} for {}", statuses.join(", "), script.of.name)
        }
        Action::Restart => "restart the receiver".to_owned(),
        Action::AfterOthers => "wait until all other scenarios have ended".to_owned(),
        Action::Hook(hook) => describe_hook(hook),
        Action::Pause(pause) => format!("pause {pause}"),
    }
}

fn describe_hook(hook: &HookStep) -> String {
    let of = hook
        .of
        .as_ref()
        .map_or(String::new(), |of| format!(" for {}", of.name));
    let advances = hook.advances.map_or(String::new(), |advances| {
        format!(", which moves the receiver's clock ahead by {advances}")
    });
    format!("hook {}{of}{advances}", hook.name.value)
}

fn describe_deliveries(deliver: &Deliver) -> String {
    let events = deliver.events.iter();
    let names: Vec<&str> = events.map(|event| event.name.as_str()).collect();
    let mut text = format!("deliver {}", names.join(", "));
    if let Some(times) = deliver.times {
        text = format!("{text} {times} times");
    }
    if deliver.together {
        text.push_str(" together");
    }
    if let Some(apart) = deliver.apart {
        text = format!("{text} {apart} apart");
    }
    if deliver.shuffle {
        text.push_str(" shuffled");
    }
    if let Some(forgery) = deliver.forge {
        text = format!("{text} with forgery {}", forgery.name());
    }
    if let Some(fault) = deliver.fault() {
        text = format!("{text} with fault {}", fault.name());
    }
    if let Some(wire) = &deliver.wire {
        text = format!("{text} on the wire as {}", wire.value);
    }
    if let Some(offset) = deliver.signed_at {
        text = format!("{text} signed at {offset}");
    }
    match &deliver.instances {
        InstanceChoice::Target => {}
        InstanceChoice::Named(name) => text = format!("{text} to target {name}"),
        InstanceChoice::Spread => text.push_str(" to all targets in turn"),
    }
    text
}
