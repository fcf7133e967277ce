//! The steps of a plan: what each of them sends, with the values of its events filled in.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use indexmap::IndexMap;
use serde_json::Value;

use super::delivery_order::{PlannedDelivery, delivery_order};
use super::{PlannedEvent, Planner};
use crate::probe::{fill_in, percent_encoded};
use crate::protocol::Event;
use crate::run::missing_capability::MissingCapability;
use crate::run::step_description::describe;
use crate::scenario::document::Diagnostics;
use crate::scenario::{Action, Deliver, EventRef, RequestStep, Script, Step};
use crate::verify::PreparedExpectation;

#[derive(Debug)]
pub(crate) struct PlannedStep {
    pub(crate) description: String,
    pub(crate) action: PlannedAction,
    pub(crate) expectations: Vec<PreparedExpectation>,
}

#[derive(Debug)]
pub(crate) enum PlannedAction {
    Deliver(PlannedDeliveries),
    Request(PlannedRequest),
    /// Make the receiver respond to a player's next deliveries with these statuses.
    Script {
        player_id: String,
        statuses: Vec<u16>,
    },
    Restart,
    Pause(Duration),
}

#[derive(Debug)]
pub(crate) struct PlannedDeliveries {
    pub(crate) how: Deliver,
    /// The deliveries in the order in which they start.
    pub(crate) order: Vec<PlannedDelivery>,
}

/// A request that is not a delivery.
#[derive(Debug)]
pub(crate) struct PlannedRequest {
    pub(crate) method: Method,
    /// A URL, or a path on the target's host.
    pub(crate) url: String,
    pub(crate) headers: IndexMap<String, String>,
    pub(crate) body: Option<Bytes>,
}

const PLACEHOLDERS: [&str; 3] = ["{player_id}", "{sku}", "{event_id}"];

impl Planner<'_> {
    /// Prepares a step. Adds its mistakes to `problems`, and returns `None` if it can't be run because
    /// of one. In `events`, those with mistakes are missing.
    pub(super) fn step(
        &self,
        number: usize,
        step: &Step,
        events: &[Option<PlannedEvent>],
        problems: &mut Diagnostics,
    ) -> Option<PlannedStep> {
        let expectations = step.expect.iter().map(|expectation| {
            let prepared = self.expectation(expectation);
            prepared.map_err(|found| problems.extend(found.0)).ok()
        });
        let expectations: Vec<_> = expectations.collect();
        let action = match &step.action {
            Action::Deliver(deliver) => {
                PlannedAction::Deliver(self.deliveries(number, deliver, events, problems)?)
            }
            Action::Request(request) => {
                PlannedAction::Request(self.request(request, events, problems)?)
            }
            Action::Script(Script { of, answers }) => PlannedAction::Script {
                player_id: self
                    .event_with_player(of, events, problems)?
                    .event_data
                    .player_id
                    .to_string(),
                statuses: answers.clone(),
            },
            Action::Restart => PlannedAction::Restart,
            Action::Pause(pause) => PlannedAction::Pause(pause.0),
        };
        Some(PlannedStep {
            description: describe(&step.action),
            action,
            expectations: expectations.into_iter().collect::<Option<_>>()?,
        })
    }

    fn deliveries(
        &self,
        step_number: usize,
        deliver: &Deliver,
        events: &[Option<PlannedEvent>],
        problems: &mut Diagnostics,
    ) -> Option<PlannedDeliveries> {
        if let Some(fault) = &deliver.fault
            && self.settings.http2_only
            && fault.needs_http1()
        {
            let missing = MissingCapability::Http1(fault.value);
            problems.extend(
                self.problem(fault.span, missing.reason(), Some(missing.hint()))
                    .0,
            );
        }
        let bodies = deliver.events.iter().map(|event| {
            let planned = events.get(event.index)?.as_ref()?;
            Some((event.name.as_str(), &planned.body))
        });
        let bodies: Vec<_> = bodies.collect::<Option<_>>()?;
        let seed = self.seed.derive(&format!("order of step {step_number}"));
        Some(PlannedDeliveries {
            how: deliver.clone(),
            order: delivery_order(deliver, &bodies, seed),
        })
    }

    fn request(
        &self,
        request: &RequestStep,
        events: &[Option<PlannedEvent>],
        problems: &mut Diagnostics,
    ) -> Option<PlannedRequest> {
        let url = match &request.of {
            Some(of) => {
                let event = self.event_with_player(of, events, problems);
                event.map(|event| with_values(&request.url, event))
            }
            None if PLACEHOLDERS.iter().any(|name| request.url.contains(name)) => {
                let message = "the URL has a placeholder for an event's value, but `of` is missing";
                let help = Some("add `of: EVENT`".to_owned());
                problems.extend(self.problem(request.url.span, message.to_owned(), help).0);
                None
            }
            None => Some(request.url.value.clone()),
        };
        let method = match (&request.method, &request.body) {
            (Some(method), _) => Method::from_bytes(method.as_bytes())
                .map_err(|_| {
                    let message = format!("`{}` is not an HTTP method", method.value);
                    let help = Some("use GET, POST, PUT or another method".to_owned());
                    problems.extend(self.problem(method.span, message, help).0);
                })
                .ok(),
            (None, Some(_)) => Some(Method::POST),
            (None, None) => Some(Method::GET),
        };
        Some(PlannedRequest {
            method: method?,
            url: url?,
            headers: request.headers.clone(),
            body: request.body.as_ref().map(|body| match body {
                Value::String(text) => Bytes::copy_from_slice(text.as_bytes()),
                json => Bytes::from(json.to_string()),
            }),
        })
    }

    fn event_with_player<'events>(
        &self,
        of: &EventRef,
        events: &'events [Option<PlannedEvent>],
        problems: &mut Diagnostics,
    ) -> Option<&'events Event> {
        let (unknown, help) = ("player", "name an event with a player");
        self.valid_event(of, events, unknown, help, problems)
    }

    /// The event, if its body is valid. Otherwise reports that what a step or an effect needs of it is
    /// `unknown`.
    pub(super) fn valid_event<'events>(
        &self,
        event: &EventRef,
        events: &'events [Option<PlannedEvent>],
        unknown: &str,
        help: &str,
        problems: &mut Diagnostics,
    ) -> Option<&'events Event> {
        let planned = events.get(event.index)?.as_ref()?;
        if planned.event.is_none() {
            let name = &event.name;
            let message = format!("`{name}` is not a valid event, so its {unknown} is unknown");
            problems.extend(self.problem(event.span, message, Some(help.to_owned())).0);
        }
        planned.event.as_ref()
    }
}

fn with_values(url: &str, event: &Event) -> String {
    let [player_id, sku, event_id] = PLACEHOLDERS;
    let values = [
        (player_id, event.event_data.player_id.as_ref()),
        (sku, event.event_data.item.sku.as_ref()),
        (event_id, event.event_id.as_ref()),
    ];
    fill_in(url, &values, percent_encoded)
}
