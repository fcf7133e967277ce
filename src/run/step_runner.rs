//! Runs the steps of one scenario in order. `deliveries` sends and checks the deliveries of a step,
//! `hooks` runs the profile's hooks.

mod deliveries;
mod hooks;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::attempt_record::{AttemptLocation, request_record};
use super::missing_capability::MissingCapability;
use super::plan::{Plan, PlannedAction, PlannedHook, PlannedRequest, PlannedStep};
use super::record_room::RecordRoom;
use super::run_context::RunContext;
use super::run_event::{DeliveryEnded, RunEvent, StepEnded};
use super::turn::{SharesPlayers, Turn};
use crate::delivery::Clock;
use crate::scenario::{CaptureSource, CapturedValues};
use crate::transport::{Response, SendOptions};
use crate::verify::{Check, EventOutcomes, Observed, VerdictCounts, check};

pub(crate) type RunEventHandler<'run> = &'run (dyn Fn(RunEvent) + Send + Sync);

pub(crate) struct StepRunner<'run> {
    context: &'run RunContext,
    plan: &'run Plan,
    scenario: usize,
    events: RunEventHandler<'run>,
    turn: Turn<'run>,
    /// The first success response to each event, which later responses are compared with.
    first_responses: HashMap<String, Response>,
    /// The last response of the step that runs or ran last.
    last_response: Option<Response>,
    /// What steps captured.
    captured: CapturedValues,
    /// For the recorded responses.
    room: RecordRoom,
    /// The sender's clock, which is ahead once a hook has moved the receiver's.
    clock: Clock,
    /// The hook that has moved the receiver's clock, with its values.
    moved_clock: Option<&'run PlannedHook>,
    pub(crate) outcomes: EventOutcomes,
}

impl<'run> StepRunner<'run> {
    pub(crate) fn new(
        context: &'run RunContext,
        plan: &'run Plan,
        scenario: usize,
        events: RunEventHandler<'run>,
        turn: Turn<'run>,
    ) -> Self {
        Self {
            context,
            plan,
            scenario,
            events,
            turn,
            first_responses: HashMap::new(),
            last_response: None,
            captured: CapturedValues::new(),
            room: RecordRoom::default(),
            clock: context.clock,
            moved_clock: None,
            outcomes: EventOutcomes::default(),
        }
    }

    /// Runs all steps and counts their checks. A step that can't run ends the scenario and is
    /// returned as the error. In the end, the receiver's clock is right again.
    pub(crate) async fn run(&mut self) -> (VerdictCounts, Result<(), Check>) {
        let mut checks = VerdictCounts::default();
        let plan = self.plan;
        let mut result = Ok(());
        for (number, step) in (1..).zip(&plan.steps) {
            let mut ended = self.begun(number, &step.description);
            ended.together =
                matches!(&step.action, PlannedAction::Deliver(sent) if sent.how.together);
            let started = Instant::now();
            result = self.run_step_in_time(step, &mut ended).await;
            let took = started.elapsed();
            let is_last = plan.patience.is_at_end(&ended, took, self.timeout());
            self.end(ended, &result, &mut checks);
            if is_last {
                result = result.and(Err(self.not_in_time("a step without a response")));
            }
            if result.is_err() {
                break;
            }
        }
        if let Some(hook) = self.moved_clock.take() {
            let text = format!("hook {}, which moves the receiver's clock back", hook.name);
            let mut ended = self.begun(plan.steps.len() + 1, &text);
            let done = self.move_clock(hook, Duration::ZERO, &mut ended).await;
            self.end(ended, &done, &mut checks);
            result = result.and(done);
        }
        (checks, result)
    }

    /// Runs a step, unless the time of a try is over before its end. Only a restart goes on, because to
    /// stop one would leave the receiver down.
    async fn run_step_in_time(
        &mut self,
        step: &'run PlannedStep,
        ended: &mut StepEnded,
    ) -> Result<(), Check> {
        let restarts = match &step.action {
            PlannedAction::Restart => true,
            PlannedAction::Deliver(deliveries) => deliveries.restarts_receiver(),
            _ => false,
        };
        let until = self.plan.patience.until.filter(|_| !restarts);
        // Boxed because it holds a whole step.
        let run = Box::pin(self.run_step(step, ended));
        let Some(until) = until else {
            return run.await;
        };
        let in_time = tokio::time::timeout_at(until.into(), run).await;
        match in_time {
            Ok(done) => done,
            Err(_) => Err(self.not_in_time("the end of the exploration")),
        }
    }

    /// That the rest of a try is not run.
    fn not_in_time(&self, reason: &str) -> Check {
        let requirement = &self.plan.requirement;
        requirement.not_checked("steps", "all steps run", format!("left out after {reason}"))
    }

    fn begun(&self, step: usize, description: &str) -> StepEnded {
        StepEnded {
            scenario: self.scenario,
            step,
            description: description.to_owned(),
            together: false,
            deliveries: Vec::new(),
            not_made: None,
            script: None,
            restarted: false,
            hooks: Vec::new(),
        }
    }

    /// Counts the checks of a step and reports its end.
    fn end(&self, mut ended: StepEnded, done: &Result<(), Check>, checks: &mut VerdictCounts) {
        ended.not_made = done.as_ref().err().cloned();
        let made = ended
            .deliveries
            .iter()
            .flat_map(|delivery| &delivery.checks);
        let made = made.chain(&ended.not_made).map(|check| check.verdict);
        *checks += made.collect::<VerdictCounts>();
        (self.events)(RunEvent::StepEnded(ended));
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
            PlannedAction::AfterOthers => {
                let waited = self.turn.after_others().await;
                waited.map_err(|SharesPlayers| {
                    MissingCapability::OwnPlayers.step_not_checked(requirement)
                })?;
            }
            PlannedAction::Script {
                player_id,
                statuses,
            } => ended.script = Some(self.script(player_id, statuses).await?),
            PlannedAction::Restart => {
                ended.hooks.extend(self.restart().await?);
                ended.restarted = true;
            }
            PlannedAction::Hook(hook) => self.hook(hook, ended).await?,
            PlannedAction::Request(request) => {
                ended.deliveries = vec![self.request(ended.step, step, request).await?];
            }
            PlannedAction::Deliver(deliveries) => {
                if let Some(missing) = self.context.capabilities.missing(&step.action) {
                    return Err(missing.step_not_checked(requirement));
                }
                ended.restarted = deliveries.restarts_receiver();
                self.deliver(step, deliveries, ended).await?;
            }
        }
        self.capture(step).map_err(|check| *check)
    }

    /// Keeps the values that a step captures. A response without such a value leaves the scenario
    /// undecided, because nothing demands it of a receiver.
    fn capture(&mut self, step: &PlannedStep) -> Result<(), Box<Check>> {
        for (name, source) in &step.capture {
            let response = self.last_response.as_ref();
            let value = response.and_then(|response| value_in(response, source));
            let Some(value) = value else {
                let observed = response.map_or("no response".to_owned(), |response| {
                    format!("a response with status {} and without it", response.status)
                });
                let expected = format!("a value {source} of the response");
                let requirement = &self.plan.requirement;
                let check = requirement.broken(format!("capture `{name}`"), expected, observed);
                return Err(Box::new(check));
            };
            self.captured.insert(name.clone(), value);
        }
        Ok(())
    }

    /// The limit for an attempt.
    fn timeout(&self) -> Duration {
        self.plan.patience.timeout(self.context.retry.timeout.0)
    }

    async fn request(
        &mut self,
        number: usize,
        step: &PlannedStep,
        request: &PlannedRequest,
    ) -> Result<DeliveryEnded, Check> {
        let context = self.context;
        let broken = |reason: String| {
            let requirement = &self.plan.requirement;
            requirement.broken(&step.description, "a response", reason)
        };
        let target = context
            .target
            .join(&request.url(&self.captured), &context.allowed);
        let target = target.map_err(|error| broken(error.to_string()))?;
        let outgoing = request.outgoing(&target, &self.captured);
        let outgoing = outgoing.map_err(|error| broken(error.to_string()))?;
        let outgoing = context.with_headers(outgoing, &target);
        let options = SendOptions::within(self.timeout());
        let started_at = context.clock.now();
        let exchange = context.client.send(&target, &outgoing, options).await;
        let location = AttemptLocation {
            scenario: self.scenario,
            step: number,
            delivery: 1,
        };
        let mut record = request_record(location, started_at, &exchange, &context.redaction);
        self.room.cut(&mut record);
        (self.events)(RunEvent::AttemptEnded(Box::new(record)));
        self.last_response = exchange.result.as_ref().ok().cloned();
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
}

/// The captured value of a response as text.
fn value_in(response: &Response, source: &CaptureSource) -> Option<String> {
    match source {
        CaptureSource::Header(name) => {
            let mut headers = response.headers.iter();
            let (_, value) = headers.find(|(other, _)| other.eq_ignore_ascii_case(name))?;
            Some(String::from_utf8_lossy(value).into_owned())
        }
        CaptureSource::Body(path) => {
            let body: Value = serde_json::from_slice(&response.body).ok()?;
            match path.query(&body).first()? {
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            }
        }
    }
}
