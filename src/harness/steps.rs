//! The steps of one scenario: what is sent, in which order, and what is expected of the answers.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::Method;
use jiff::Timestamp;
use rand::seq::SliceRandom;

use super::description::{describe, describe_request};
use super::expectation::{Observed, check};
use super::harness::Harness;
use super::plan::{Plan, PlannedEvent};
use super::record::{
    AttemptPlace, answer_record, attempt_record, connection_record, request_record, timings_record,
};
use super::run_event::{AttemptEnded, DeliveryEnded, RunEvent, StepEnded};
use super::verdict::Check;
use crate::delivery::{
    Attempt, ConnectionUse, Delivery, DeliveryPlan, Exchange, Gate, Outcome, OutgoingRequest,
    Response, SendOptions, Target, deliver,
};
use crate::scenario::{Forgery, OutcomeName, Request, RetryPolicy, RetrySetting, Script, Step};

/// Where the events of a run go.
pub(super) type Events<'run> = &'run (dyn Fn(RunEvent) + Send + Sync);

/// The steps of one scenario on their way.
pub(super) struct Steps<'run> {
    harness: &'run Harness,
    plan: &'run Plan,
    scenario: usize,
    events: Events<'run>,
    /// The first success that each event was answered with, which later answers are compared to.
    first_answers: HashMap<String, Response>,
}

/// One delivery of a step: its number from 1, and what is delivered.
struct Numbered<'run> {
    number: usize,
    name: &'run str,
    event: &'run PlannedEvent,
}

impl<'run> Steps<'run> {
    pub(super) fn new(
        harness: &'run Harness,
        plan: &'run Plan,
        scenario: usize,
        events: Events<'run>,
    ) -> Self {
        Self {
            harness,
            plan,
            scenario,
            events,
            first_answers: HashMap::new(),
        }
    }

    /// Makes all steps and returns their checks. A step that can't be made ends the scenario: it is
    /// the error.
    pub(super) async fn make(&mut self) -> (Vec<Check>, Result<(), Check>) {
        let mut checks = Vec::new();
        let plan = self.plan;
        for (index, step) in plan.case.scenario.steps.iter().enumerate() {
            let made = self.make_one(index + 1, step).await;
            let (deliveries, not_made) = match made {
                Ok(deliveries) => (deliveries, None),
                Err(check) => (Vec::new(), Some(check)),
            };
            checks.extend(
                deliveries
                    .iter()
                    .flat_map(|delivery| delivery.checks.clone()),
            );
            (self.events)(RunEvent::StepEnded(StepEnded {
                scenario: self.scenario,
                step: index + 1,
                description: describe(step),
                deliveries,
                not_made: not_made.clone(),
            }));
            if let Some(check) = not_made {
                checks.push(check.clone());
                return (checks, Err(check));
            }
        }
        (checks, Ok(()))
    }

    async fn make_one(
        &mut self,
        number: usize,
        step: &'run Step,
    ) -> Result<Vec<DeliveryEnded>, Check> {
        if let Some(pause) = step.pause {
            self.harness.clock.pause(pause.0).await;
            return Ok(Vec::new());
        }
        if let Some(script) = &step.script {
            return self.script(script).await.map(|()| Vec::new());
        }
        if let Some(request) = &step.request {
            return self.request(number, request).await.map(|ended| vec![ended]);
        }
        if let Some(check) = self.why_not_forged(step) {
            return Err(check);
        }
        Ok(self.deliver(number, step).await)
    }

    /// Only the secret before the present one shows whether the receiver still takes it.
    fn why_not_forged(&self, step: &Step) -> Option<Check> {
        let forged = step.forge.map(|forgery| forgery.value);
        if forged != Some(Forgery::ExpiredSecret) || self.harness.expired.is_some() {
            return None;
        }
        let reason = "the secret before the present one is not known";
        let expected = "the expired secret is refused";
        let check = self
            .plan
            .demand
            .not_checked("expired_secret", expected, reason);
        let hint = "name its environment variable as `expired_secret_env` in the profile";
        Some(Check {
            hint: Some(hint.to_owned()),
            ..check
        })
    }

    async fn deliver(&mut self, number: usize, step: &'run Step) -> Vec<DeliveryEnded> {
        let policy = self.policy(step);
        let deliveries = self.in_order(number, step);
        let places = if step.together { deliveries.len() } else { 0 };
        let mut places = Gate::for_participants(places).into_iter();
        let sent: Vec<_> = deliveries
            .iter()
            .map(|delivery| self.deliver_one(number, step, &policy, delivery, places.next()))
            .collect();
        let done = if step.together {
            join_all(sent).await
        } else {
            let mut done = Vec::with_capacity(deliveries.len());
            for one in sent {
                done.push(one.await);
            }
            done
        };
        let judged = deliveries.iter().zip(done);
        judged
            .map(|(delivery, done)| self.judge(number, step, delivery, &done))
            .collect()
    }

    /// A forgery is not retried unless the step says so: it is not the sender who makes it.
    fn policy(&self, step: &Step) -> RetryPolicy {
        match &step.retry {
            Some(setting) => setting.over(&self.harness.retry),
            None if step.forge.is_some() => RetrySetting::Off.over(&self.harness.retry),
            None => self.harness.retry.clone(),
        }
    }

    fn in_order(&self, number: usize, step: &'run Step) -> Vec<Numbered<'run>> {
        let times = step.times.map_or(1, |times| times.value);
        let named = step.deliver.0.iter();
        let mut order: Vec<_> = named
            .flat_map(|name| (0..times).map(move |_| name.value.as_str()))
            .filter_map(|name| Some((name, self.plan.events.get(name)?)))
            .collect();
        if step.shuffle {
            order.shuffle(
                &mut self
                    .plan
                    .seed
                    .derive(&format!("order of step {number}"))
                    .random(),
            );
        }
        let numbered = order.into_iter().enumerate();
        numbered
            .map(|(index, (name, event))| Numbered {
                number: index + 1,
                name,
                event,
            })
            .collect()
    }

    async fn deliver_one(
        &self,
        step_number: usize,
        step: &Step,
        policy: &RetryPolicy,
        delivery: &Numbered<'run>,
        gate: Option<Gate>,
    ) -> Delivery {
        let harness = self.harness;
        let forgery = step.forge.map(|forgery| forgery.value);
        let label = format!("delivery {} of step {step_number}", delivery.number);
        let mut random = self.plan.seed.derive(&label).random();
        let delivery_plan = DeliveryPlan {
            target: &harness.target,
            body: delivery.event.body.clone(),
            policy,
            forgery,
            connection: ConnectionUse::Reuse,
            gate,
        };
        let observe = |attempt: &Attempt| {
            let place = AttemptPlace {
                scenario: self.scenario,
                step: step_number,
                delivery: delivery.number,
            };
            let record = attempt_record(place, delivery.name, attempt, &harness.redaction);
            (self.events)(RunEvent::AttemptEnded(Box::new(record)));
        };
        deliver(harness.sender(), delivery_plan, &mut random, observe).await
    }

    fn judge(
        &mut self,
        step_number: usize,
        step: &Step,
        delivery: &Numbered<'run>,
        done: &Delivery,
    ) -> DeliveryEnded {
        let outcome = outcome_name(done.outcome);
        let mut checks = Vec::new();
        if let Some(last) = done.attempts.last() {
            let observed = Observed {
                answer: last.exchange.result.as_ref(),
                took: last.exchange.timings.without_gate(),
                attempts: last.number,
                outcome: Some(outcome),
                first_answer: self.first_answers.get(delivery.name),
            };
            let expectations = self
                .plan
                .expectations
                .get(step_number - 1)
                .into_iter()
                .flatten();
            let redaction = &self.harness.redaction;
            checks.extend(expectations.flat_map(|expected| check(expected, &observed, redaction)));
            if let (Ok(response), None, Outcome::Delivered) =
                (&last.exchange.result, step.forge, done.outcome)
            {
                let first = self.first_answers.entry(delivery.name.to_owned());
                first.or_insert_with(|| response.clone());
            }
        }
        DeliveryEnded {
            delivery: delivery.number,
            event_name: Some(delivery.name.to_owned()),
            outcome: Some(outcome),
            attempts: done.attempts.last().map_or(0, |attempt| attempt.number),
            checks,
        }
    }

    async fn request(&self, number: usize, request: &Request) -> Result<DeliveryEnded, Check> {
        let event = request
            .of
            .as_ref()
            .and_then(|name| self.plan.events.get(&name.value));
        let url = event.map_or_else(
            || request.url.value.clone(),
            |event| event.fill_in(&request.url),
        );
        let broken = |reason: String| {
            self.plan
                .demand
                .broken(describe_request(request), "an answer", reason)
        };
        let target = self.harness.target.join(&url, &self.harness.allowed);
        let target = target.map_err(|error| broken(error.to_string()))?;
        let outgoing = outgoing(request, &target).map_err(broken)?;
        let options = SendOptions::within(self.harness.retry.timeout.0);
        let started_at = self.harness.clock.now();
        let exchange = self.harness.client.send(&target, &outgoing, options).await;
        self.report_request(number, started_at, &exchange);
        let observed = Observed {
            answer: exchange.result.as_ref(),
            took: exchange.timings.total,
            attempts: 1,
            outcome: None,
            first_answer: None,
        };
        let expectations = self.plan.expectations.get(number - 1).into_iter().flatten();
        let checks = expectations
            .flat_map(|expected| check(expected, &observed, &self.harness.redaction))
            .collect();
        Ok(DeliveryEnded {
            delivery: 1,
            event_name: None,
            outcome: None,
            attempts: 1,
            checks,
        })
    }

    fn report_request(&self, step: usize, started_at: Timestamp, exchange: &Exchange) {
        let record = AttemptEnded {
            scenario: self.scenario,
            step,
            delivery: 1,
            event_name: None,
            forgery: None,
            attempt: 1,
            started_at,
            virtual_offset: Duration::ZERO,
            took: exchange.timings.total,
            timings: timings_record(exchange),
            connection: connection_record(exchange),
            request: request_record(exchange, &self.harness.redaction),
            answer: answer_record(exchange, &self.harness.redaction),
        };
        (self.events)(RunEvent::AttemptEnded(Box::new(record)));
    }

    /// Tells the receiver how to answer next, through the profile's hook.
    async fn script(&self, script: &Script) -> Result<(), Check> {
        let demand = &self.plan.demand;
        let expected = "the receiver answers as the scenario needs it";
        let Some(hook) = &self.harness.script else {
            let reason = "the profile has no `script`, so the receiver can't be told how to answer";
            let hint = "add `script: { http: PUT … }` to the profile";
            let check = demand.not_checked("script", expected, reason);
            return Err(Check {
                hint: Some(hint.to_owned()),
                ..check
            });
        };
        let player_id = self
            .plan
            .events
            .get(&script.of.value)
            .and_then(PlannedEvent::player_id)
            .unwrap_or_default();
        let told = hook
            .tell(&self.harness.client, player_id, &script.answers)
            .await;
        told.map_err(|reason| {
            demand.broken("script", expected, self.harness.redaction.text(&reason))
        })
    }
}

fn outcome_name(outcome: Outcome) -> OutcomeName {
    match outcome {
        Outcome::Delivered => OutcomeName::Delivered,
        Outcome::Refused => OutcomeName::Refused,
        Outcome::Exhausted => OutcomeName::Exhausted,
    }
}

fn outgoing(request: &Request, target: &Target) -> Result<OutgoingRequest, String> {
    let body = match &request.body {
        None => None,
        Some(serde_json::Value::String(text)) => Some(Bytes::copy_from_slice(text.as_bytes())),
        Some(json) => Some(Bytes::from(json.to_string())),
    };
    let method = match &request.method {
        Some(method) => Method::from_bytes(method.as_bytes())
            .map_err(|_| format!("`{}` is not an HTTP method", method.value))?,
        None if body.is_some() => Method::POST,
        None => Method::GET,
    };
    let mut outgoing = OutgoingRequest::new(method);
    if !request
        .headers
        .keys()
        .any(|name| name.eq_ignore_ascii_case("host"))
    {
        outgoing = outgoing
            .header("Host", target.authority())
            .map_err(|error| error.to_string())?;
    }
    for (name, value) in &request.headers {
        outgoing = outgoing
            .header(name, value)
            .map_err(|error| error.to_string())?;
    }
    Ok(match body {
        Some(body) => outgoing.body(body),
        None => outgoing,
    })
}
