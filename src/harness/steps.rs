//! The steps of one scenario, one after the other. How the deliveries of a step are made and judged is
//! in `deliveries`.

mod deliveries;

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::answered::AnsweredEvents;
use super::description::{describe, describe_request};
use super::expectation::{Observed, check};
use super::harness::Harness;
use super::lacking::Lacking;
use super::other_request::outgoing;
use super::placeholders::taken_out;
use super::plan::{Plan, PlannedEvent};
use super::record::{answer_record, connection_record, request_record, timings_record};
use super::run_event::{AttemptEnded, DeliveryEnded, RunEvent, ScriptTold, StepEnded};
use super::verdict::Check;
use crate::delivery::{Exchange, Response, SendOptions};
use crate::scenario::{Forgery, RequestStep, Script, Step};

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
    answered: AnsweredEvents,
}

/// What a step did.
enum Made {
    /// Deliveries or another request; none for a pause.
    Deliveries(Vec<DeliveryEnded>),
    /// It told the receiver how to answer.
    Script(ScriptTold),
    /// It restarted the receiver.
    Restart,
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
            answered: AnsweredEvents::default(),
        }
    }

    /// Makes all steps and returns their checks. A step that can't be made ends the scenario: it is
    /// the error.
    pub(super) async fn make(&mut self) -> (Vec<Check>, Result<(), Check>) {
        let mut checks = Vec::new();
        let plan = self.plan;
        for (index, step) in plan.case.scenario.steps.iter().enumerate() {
            let made = self.make_one(index + 1, step).await;
            let mut ended = StepEnded {
                scenario: self.scenario,
                step: index + 1,
                description: describe(step),
                together: step.together,
                deliveries: Vec::new(),
                not_made: None,
                script: None,
                restarted: false,
            };
            match made {
                Ok(Made::Deliveries(deliveries)) => ended.deliveries = deliveries,
                Ok(Made::Script(told)) => ended.script = Some(told),
                Ok(Made::Restart) => ended.restarted = true,
                Err(check) => ended.not_made = Some(check),
            }
            let deliveries = ended.deliveries.iter();
            checks.extend(deliveries.flat_map(|delivery| delivery.checks.clone()));
            let not_made = ended.not_made.clone();
            (self.events)(RunEvent::StepEnded(ended));
            if let Some(check) = not_made {
                checks.push(check.clone());
                return (checks, Err(check));
            }
        }
        (checks, Ok(()))
    }

    /// How the events that were delivered so far were answered.
    pub(super) fn answered(&self) -> &AnsweredEvents {
        &self.answered
    }

    async fn make_one(&mut self, number: usize, step: &'run Step) -> Result<Made, Check> {
        if let Some(lacking) = &self.plan.lacking {
            let expected = "players that the game knows";
            return Err(lacking.not_checked(&self.plan.demand, "players", expected));
        }
        if let Some(pause) = step.pause {
            self.harness.clock.pause(pause.0).await;
            return Ok(Made::Deliveries(Vec::new()));
        }
        if let Some(script) = &step.script {
            return self.script(script).await.map(Made::Script);
        }
        if step.restart {
            return self.restart().await.map(|()| Made::Restart);
        }
        if let Some(request) = &step.request {
            let ended = self.request(number, request).await?;
            return Ok(Made::Deliveries(vec![ended]));
        }
        if let Some(check) = self.why_not_forged(step) {
            return Err(check);
        }
        self.deliver(number, step).await.map(Made::Deliveries)
    }

    /// Only the secret before the present one shows whether the receiver still takes it.
    fn why_not_forged(&self, step: &Step) -> Option<Check> {
        let forged = step.forge.map(|forgery| forgery.value);
        if forged != Some(Forgery::ExpiredSecret) || self.harness.expired.is_some() {
            return None;
        }
        let expected = "the expired secret is refused";
        let demand = &self.plan.demand;
        Some(Lacking::ExpiredSecret.not_checked(demand, "expired_secret", expected))
    }

    async fn request(&self, number: usize, request: &RequestStep) -> Result<DeliveryEnded, Check> {
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
            fault: None,
            attempt: 1,
            started_at,
            virtual_offset: Duration::ZERO,
            delay_before: Duration::ZERO,
            took: exchange.timings.total,
            timings: timings_record(exchange),
            connection: connection_record(exchange),
            request: request_record(exchange, &self.harness.redaction),
            answer: answer_record(&exchange.result, &self.harness.redaction),
            unheard_answer: None,
        };
        (self.events)(RunEvent::AttemptEnded(Box::new(record)));
    }

    /// Tells the receiver how to answer next, through the profile's hook.
    async fn script(&self, script: &Script) -> Result<ScriptTold, Check> {
        let demand = &self.plan.demand;
        let expected = "the receiver answers as the scenario needs it";
        let Some(hook) = &self.harness.script else {
            return Err(Lacking::Script.not_checked(demand, "script", expected));
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
            let reason = self.harness.redaction.text(&reason);
            let cause = taken_out(&reason, &[("{player_id}", player_id)]);
            demand.broken("script", expected, reason).because(cause)
        })?;
        Ok(ScriptTold {
            player_id: self.harness.redaction.text(player_id).into_owned(),
            answers: script.answers.clone(),
        })
    }

    /// Restarts the receiver, through the profile's hook.
    async fn restart(&self) -> Result<(), Check> {
        let demand = &self.plan.demand;
        let expected = "the receiver is restarted";
        let Some(hook) = &self.harness.restart else {
            return Err(Lacking::Restart.not_checked(demand, "restart", expected));
        };
        let restarted = hook.restart(&self.harness.client, &self.harness.target);
        restarted.await.map_err(|reason| {
            let reason = self.harness.redaction.text(&reason);
            let cause = reason.clone();
            demand.broken("restart", expected, reason).because(cause)
        })
    }
}
