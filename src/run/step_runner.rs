//! Runs the steps of one scenario in order. `deliveries` sends and checks the deliveries of a step.

mod deliveries;

use std::collections::HashMap;

use super::attempt_record::{AttemptLocation, request_record};
use super::missing_capability::MissingCapability;
use super::plan::{Plan, PlannedAction, PlannedDeliveries, PlannedRequest, PlannedStep};
use super::run_context::RunContext;
use super::run_event::{DeliveryEnded, RunEvent, ScriptedResponses, StepEnded};
use super::scenario_request::outgoing_request;
use crate::policy::Forgery;
use crate::probe::with_placeholders;
use crate::transport::{Response, SendOptions};
use crate::verify::Check;
use crate::verify::EventOutcomes;
use crate::verify::{Observed, check};

pub(crate) type RunEventHandler<'run> = &'run (dyn Fn(RunEvent) + Send + Sync);

pub(crate) struct StepRunner<'run> {
    context: &'run RunContext,
    plan: &'run Plan,
    scenario: usize,
    events: RunEventHandler<'run>,
    /// The first success response to each event, which later responses are compared with.
    first_responses: HashMap<String, Response>,
    outcomes: EventOutcomes,
}

enum StepResult {
    Deliveries(Vec<DeliveryEnded>),
    Script(ScriptedResponses),
    Restart,
}

impl<'run> StepRunner<'run> {
    pub(crate) fn new(
        context: &'run RunContext,
        plan: &'run Plan,
        scenario: usize,
        events: RunEventHandler<'run>,
    ) -> Self {
        Self {
            context,
            plan,
            scenario,
            events,
            first_responses: HashMap::new(),
            outcomes: EventOutcomes::default(),
        }
    }

    /// Runs all steps and returns their checks. A step that can't run ends the scenario and is
    /// returned as the error.
    pub(crate) async fn run(&mut self) -> (Vec<Check>, Result<(), Check>) {
        let mut checks = Vec::new();
        let plan = self.plan;
        for (number, step) in (1..).zip(&plan.steps) {
            let result = self.run_step(number, step).await;
            let mut ended = StepEnded {
                scenario: self.scenario,
                step: number,
                description: step.description.clone(),
                together: matches!(&step.action, PlannedAction::Deliver(sent) if sent.how.together),
                deliveries: Vec::new(),
                not_made: None,
                script: None,
                restarted: false,
            };
            match result {
                Ok(StepResult::Deliveries(deliveries)) => ended.deliveries = deliveries,
                Ok(StepResult::Script(responses)) => ended.script = Some(responses),
                Ok(StepResult::Restart) => ended.restarted = true,
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

    pub(crate) fn outcomes(&self) -> &EventOutcomes {
        &self.outcomes
    }

    async fn run_step(
        &mut self,
        number: usize,
        step: &'run PlannedStep,
    ) -> Result<StepResult, Check> {
        if let Some(missing) = &self.plan.missing {
            let expected = "enough players for the scenario";
            return Err(missing.not_checked(&self.plan.requirement, "players", expected));
        }
        match &step.action {
            PlannedAction::Pause(pause) => {
                self.context.clock.pause(*pause).await;
                Ok(StepResult::Deliveries(Vec::new()))
            }
            PlannedAction::Script {
                player_id,
                statuses,
            } => {
                let script = self.script(player_id, statuses).await;
                script.map(StepResult::Script)
            }
            PlannedAction::Restart => self.restart().await.map(|()| StepResult::Restart),
            PlannedAction::Request(request) => {
                let ended = self.request(number, step, request).await?;
                Ok(StepResult::Deliveries(vec![ended]))
            }
            PlannedAction::Deliver(deliveries) => {
                if let Some(check) = self.check_expired_secret(deliveries) {
                    return Err(check);
                }
                let ended = self.deliver(number, step, deliveries).await;
                ended.map(StepResult::Deliveries)
            }
        }
    }

    /// Without the expired secret, it can't be checked whether the receiver still accepts it.
    fn check_expired_secret(&self, deliveries: &PlannedDeliveries) -> Option<Check> {
        if deliveries.how.forge != Some(Forgery::ExpiredSecret) || self.context.expired.is_some() {
            return None;
        }
        let expected = "the receiver refuses the expired secret";
        let requirement = &self.plan.requirement;
        Some(MissingCapability::ExpiredSecret.not_checked(requirement, "expired_secret", expected))
    }

    async fn request(
        &self,
        number: usize,
        step: &PlannedStep,
        request: &PlannedRequest,
    ) -> Result<DeliveryEnded, Check> {
        let broken = |reason: String| {
            let requirement = &self.plan.requirement;
            requirement.broken(&step.description, "a response", reason)
        };
        let target = self
            .context
            .target
            .join(&request.url, &self.context.allowed);
        let target = target.map_err(|error| broken(error.to_string()))?;
        let outgoing = outgoing_request(request, &target);
        let outgoing = outgoing.map_err(|error| broken(error.to_string()))?;
        let options = SendOptions::within(self.context.retry.timeout.0);
        let started_at = self.context.clock.now();
        let exchange = self.context.client.send(&target, &outgoing, options).await;
        let location = AttemptLocation {
            scenario: self.scenario,
            step: number,
            delivery: 1,
        };
        let record = request_record(location, started_at, &exchange, &self.context.redaction);
        (self.events)(RunEvent::AttemptEnded(Box::new(record)));
        let observed = Observed {
            response: exchange.result.as_ref(),
            took: exchange.timings.total,
            attempts: 1,
            outcome: None,
            first_response: None,
        };
        let expectations = step.expectations.iter();
        let checks = expectations
            .flat_map(|expected| check(expected, &observed, &self.context.redaction))
            .collect();
        Ok(DeliveryEnded {
            delivery: 1,
            event_name: None,
            outcome: None,
            attempts: 1,
            checks,
        })
    }

    async fn script(&self, player_id: &str, statuses: &[u16]) -> Result<ScriptedResponses, Check> {
        let requirement = &self.plan.requirement;
        let expected = "the receiver's next responses are set";
        let Some(hook) = &self.context.script else {
            return Err(MissingCapability::Script.not_checked(requirement, "script", expected));
        };
        let result = hook
            .set_responses(&self.context.client, player_id, statuses)
            .await;
        result.map_err(|reason| {
            let reason = self.context.shown(&reason);
            let cause = with_placeholders(&reason, &[("{player_id}", player_id)]);
            requirement
                .broken("script", expected, reason)
                .with_cause(cause)
        })?;
        Ok(ScriptedResponses {
            player_id: self.context.redaction.text(player_id).into_owned(),
            answers: statuses.to_vec(),
        })
    }

    async fn restart(&self) -> Result<(), Check> {
        let requirement = &self.plan.requirement;
        let expected = "the receiver restarts";
        let Some(hook) = &self.context.restart else {
            return Err(MissingCapability::Restart.not_checked(requirement, "restart", expected));
        };
        let restarted = hook.restart(&self.context.client, &self.context.target);
        restarted.await.map_err(|reason| {
            let reason = self.context.shown(&reason);
            let cause = reason.clone();
            requirement
                .broken("restart", expected, reason)
                .with_cause(cause)
        })
    }
}
