//! Runs the steps of one scenario in order. `deliveries` sends and checks the deliveries of a step.

mod deliveries;

use std::collections::HashMap;

use super::attempt_record::{AttemptLocation, request_record};
use super::missing_capability::MissingCapability;
use super::plan::{Plan, PlannedAction, PlannedRequest, PlannedStep};
use super::run_context::RunContext;
use super::run_event::{DeliveryEnded, RunEvent, ScriptedResponses, StepEnded};
use crate::probe::with_placeholders;
use crate::transport::{Response, SendOptions};
use crate::verify::{Check, EventOutcomes, Observed, VerdictCounts, check};

pub(crate) type RunEventHandler<'run> = &'run (dyn Fn(RunEvent) + Send + Sync);

pub(crate) struct StepRunner<'run> {
    context: &'run RunContext,
    plan: &'run Plan,
    scenario: usize,
    events: RunEventHandler<'run>,
    /// The first success response to each event, which later responses are compared with.
    first_responses: HashMap<String, Response>,
    pub(crate) outcomes: EventOutcomes,
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

    /// Runs all steps and counts their checks. A step that can't run ends the scenario and is
    /// returned as the error.
    pub(crate) async fn run(&mut self) -> (VerdictCounts, Result<(), Check>) {
        let mut checks = VerdictCounts::default();
        let plan = self.plan;
        for (number, step) in (1..).zip(&plan.steps) {
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
            ended.not_made = self.run_step(step, &mut ended).await.err();
            let made = ended
                .deliveries
                .iter()
                .flat_map(|delivery| &delivery.checks);
            let made = made.chain(&ended.not_made).map(|check| check.verdict);
            checks += made.collect::<VerdictCounts>();
            let not_made = ended.not_made.clone();
            (self.events)(RunEvent::StepEnded(ended));
            if let Some(check) = not_made {
                return (checks, Err(check));
            }
        }
        (checks, Ok(()))
    }

    /// Runs a step and adds its result to `ended`, or returns why it can't run.
    async fn run_step(
        &mut self,
        step: &'run PlannedStep,
        ended: &mut StepEnded,
    ) -> Result<(), Check> {
        let requirement = &self.plan.requirement;
        if let Some(missing) = &self.plan.missing {
            return Err(missing.step_not_checked(requirement));
        }
        match &step.action {
            PlannedAction::Pause(pause) => _ = self.context.clock.pause(*pause).await,
            PlannedAction::Script {
                player_id,
                statuses,
            } => ended.script = Some(self.script(player_id, statuses).await?),
            PlannedAction::Restart => {
                self.restart().await?;
                ended.restarted = true;
            }
            PlannedAction::Request(request) => {
                ended.deliveries = vec![self.request(ended.step, step, request).await?];
            }
            PlannedAction::Deliver(deliveries) => {
                if let Some(missing) = self.context.capabilities.missing(&step.action) {
                    return Err(missing.step_not_checked(requirement));
                }
                ended.deliveries = self.deliver(ended.step, step, deliveries).await;
            }
        }
        Ok(())
    }

    async fn request(
        &self,
        number: usize,
        step: &PlannedStep,
        request: &PlannedRequest,
    ) -> Result<DeliveryEnded, Check> {
        let context = self.context;
        let broken = |reason: String| {
            let requirement = &self.plan.requirement;
            requirement.broken(&step.description, "a response", reason)
        };
        let target = context.target.join(&request.url, &context.allowed);
        let target = target.map_err(|error| broken(error.to_string()))?;
        let outgoing = request.outgoing(&target);
        let outgoing = outgoing.map_err(|error| broken(error.to_string()))?;
        let outgoing = context.with_headers(outgoing, &target);
        let options = SendOptions::within(context.retry.timeout.0);
        let started_at = context.clock.now();
        let exchange = context.client.send(&target, &outgoing, options).await;
        let location = AttemptLocation {
            scenario: self.scenario,
            step: number,
            delivery: 1,
        };
        let record = request_record(location, started_at, &exchange, &context.redaction);
        (self.events)(RunEvent::AttemptEnded(Box::new(record)));
        let observed = Observed {
            was_reached: !exchange.is_refused_connection(),
            response: exchange.result.as_ref(),
            took: exchange.timings.total,
            attempts: 1,
            outcome: None,
            first_response: None,
        };
        Ok(DeliveryEnded {
            delivery: 1,
            event_name: None,
            outcome: None,
            attempts: 1,
            checks: self.check(step, &observed),
        })
    }

    fn check(&self, step: &PlannedStep, observed: &Observed<'_>) -> Vec<Check> {
        let expectations = step.expectations.iter();
        expectations
            .flat_map(|expected| check(expected, observed, &self.context.redaction))
            .collect()
    }

    async fn script(&self, player_id: &str, statuses: &[u16]) -> Result<ScriptedResponses, Check> {
        let requirement = &self.plan.requirement;
        let missing = || MissingCapability::Script.step_not_checked(requirement);
        let hook = self.context.script.as_ref().ok_or_else(missing)?;
        let result = hook.set_responses(&self.context.client, player_id, statuses);
        result.await.map_err(|reason| {
            let reason = self.context.shown(&reason);
            let cause = with_placeholders(&reason, &[("{player_id}", player_id)]);
            let expected = "the receiver's next responses are set";
            let check = requirement.broken("script", expected, reason);
            check.with_cause(cause)
        })?;
        Ok(ScriptedResponses {
            player_id: self.context.shown(&player_id),
            answers: statuses.to_vec(),
        })
    }

    async fn restart(&self) -> Result<(), Check> {
        let requirement = &self.plan.requirement;
        let missing = || MissingCapability::Restart.step_not_checked(requirement);
        let hook = self.context.restart.as_ref().ok_or_else(missing)?;
        let restarted = hook.restart(&self.context.client, &self.context.target);
        restarted.await.map_err(|reason| {
            let reason = self.context.shown(&reason);
            let check = requirement.broken("restart", "the receiver restarts", &reason);
            check.with_cause(reason)
        })
    }
}
