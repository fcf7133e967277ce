//! The first scenarios of a run, which show whether the set-up works before the others run.
//!
//! A wrong URL, a login page in front or a probe that reads nothing makes every scenario fail, and
//! none of these failures is the receiver's fault. So a few ordinary scenarios run first. Their events
//! are held back until it is clear whether their failures mean anything.

use std::sync::{Mutex, PoisonError};

use super::plan::{Plan, PlannedAction, PlannedEffect};
use super::run_context::RunContext;
use super::run_event::{
    AttemptEnded, BodyContent, BodyRecord, ProbeReading, ResponseRecord, RunEvent, ScenarioEnded,
};
use super::setup_problem::SetupProblem;
use super::step_runner::RunEventHandler;
use super::turn::Turn;
use crate::diagnose::{ResponseText, SetupMistake};
use crate::protocol::EventKind;
use crate::transport::Failure;
use crate::verify::{Check, Verdict, VerdictCounts};

/// The most scenarios that run first. More than one, because a single one may fail for a bug.
const MOST_PILOTS: usize = 3;

/// The events of one scenario, of which the first `forwarded` have been passed on: those before its
/// first failed check.
#[derive(Default)]
struct Pilot {
    events: Vec<RunEvent>,
    forwarded: usize,
}

/// What the first scenarios showed.
pub(super) struct Pilots {
    held: Vec<Pilot>,
    pub(super) problem: Option<PilotProblem>,
}

/// Why nothing can be said about the receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PilotProblem {
    pub(super) problem: SetupProblem,
    /// Whether only effects can't be decided.
    of_probe: bool,
}

impl RunContext {
    /// Runs ordinary scenarios one after the other until one shows that the set-up works, and removes
    /// them from `plans`.
    pub(super) async fn run_pilots(
        &self,
        plans: &mut Vec<(usize, &Plan)>,
        events: RunEventHandler<'_>,
    ) -> Pilots {
        let mut pilots = Pilots {
            held: Vec::new(),
            problem: None,
        };
        let usual_kind = self.capabilities.policy.usual_kind();
        let check_setup = self.check_setup && !self.built_in_receiver;
        while check_setup && pilots.held.len() < MOST_PILOTS {
            let ordinary = plans
                .iter()
                .enumerate()
                .filter(|(_, (_, plan))| is_ordinary(plan, usual_kind));
            let Some((at, _)) = ordinary.min_by_key(|(_, (_, plan))| plan.steps.len()) else {
                break;
            };
            let (index, plan) = plans.remove(at);
            let pilot = Mutex::new(Pilot::default());
            let hold = |mut event| {
                let mut pilot = pilot.lock().unwrap_or_else(PoisonError::into_inner);
                let failed = checks(&mut event)
                    .iter()
                    .any(|check| check.verdict == Verdict::Failed);
                if !failed && pilot.forwarded == pilot.events.len() {
                    events(event.clone());
                    pilot.forwarded += 1;
                }
                pilot.events.push(event);
            };
            self.run_scenario(index + 1, plan, &hold, Turn::default(), true)
                .await;
            let pilot = pilot.into_inner().unwrap_or_else(PoisonError::into_inner);
            pilots.held.push(pilot);
            if pilots.show_that_it_works() {
                pilots.problem = None;
                break;
            }
            pilots.problem = self.setup_problem(&pilots).await;
        }
        pilots
    }

    /// Why the failures so far say nothing about the receiver, if that is so.
    async fn setup_problem(&self, pilots: &Pilots) -> Option<PilotProblem> {
        if pilots.genuine_responses().any(is_acceptance) {
            let of_probe = self.probe_problem();
            let problem = of_probe.or_else(|| self.nothing_changed(pilots))?;
            return Some(PilotProblem {
                problem,
                of_probe: true,
            });
        }
        let problem = self.refusal_problem(pilots).await?;
        Some(PilotProblem {
            problem,
            of_probe: false,
        })
    }

    /// Why no delivery was accepted.
    async fn refusal_problem(&self, pilots: &Pilots) -> Option<SetupProblem> {
        let mistake = |attempt: &AttemptEnded| {
            setup_mistake(&attempt.response, attempt.request.has_credentials())
        };
        if let Some(mistake) = pilots.genuine_attempts().find_map(mistake) {
            return Some(SetupProblem::of_mistake(&mistake));
        }
        // A server error or a failed connection may be the receiver's bug, and so may a refusal that
        // does not look like one of the signature.
        let is_signature = |status| matches!(status, 401 | 403);
        let mut refusal = None;
        for response in pilots.genuine_responses() {
            let Some(text) = response_text(response) else {
                let wrong = self.wrong_scheme(response).await?;
                return Some(SetupProblem::of_failure(&wrong));
            };
            let enough = is_signature(text.status) || pilots.held.len() == MOST_PILOTS;
            if !(400..500).contains(&text.status) || !enough {
                return None;
            }
            refusal.get_or_insert_with(|| SetupProblem::of_refusals(text, &self.headers.names()));
        }
        refusal
    }

    /// Whether a connection was closed because its port speaks TLS.
    pub(super) async fn wrong_scheme(&self, response: &ResponseRecord) -> Option<Failure> {
        let ResponseRecord::Failure { name, .. } = response else {
            return None;
        };
        let closed = Failure::CLOSED
            .contains(&&**name)
            .then_some(Failure::ClosedEarly)?;
        self.client.explain_closed(&self.target, &closed).await
    }

    /// If a probe has never returned a value.
    fn probe_problem(&self) -> Option<SetupProblem> {
        self.probes.iter().find_map(|(name, probe)| {
            let problem = probe.problem()?;
            let reason = self.shown(&format!("probe `{name}`: {}", problem.reason));
            Some(SetupProblem::new(reason, problem.help))
        })
    }

    /// If several events were accepted and no probe shows any change.
    fn nothing_changed(&self, pilots: &Pilots) -> Option<SetupProblem> {
        let has_readings = pilots.readings().next().is_some();
        if pilots.held.len() < MOST_PILOTS || !has_readings {
            return None;
        }
        // The keys follow from the start time, and a run without a given one starts now.
        let age = self
            .clock
            .unix_seconds()
            .abs_diff(self.start.unix_seconds());
        Some(SetupProblem::nothing_changed(age))
    }
}

impl Pilots {
    /// Passes on the events that were held back. If nothing can be said about the receiver, failed
    /// checks are undecided. Returns how the scenarios ended.
    pub(super) fn release(self, events: RunEventHandler<'_>) -> Vec<ScenarioEnded> {
        let mut ended = Vec::new();
        for pilot in self.held {
            let mut counts = VerdictCounts::default();
            for (index, mut event) in pilot.events.into_iter().enumerate() {
                let is_effect = matches!(event, RunEvent::EffectsEnded(_));
                for check in checks(&mut event) {
                    if let Some(problem) = &self.problem
                        && (is_effect || !problem.of_probe)
                    {
                        problem.problem.undecide(check);
                    }
                    counts.add(check.verdict);
                }
                if let RunEvent::ScenarioEnded(end) = &mut event {
                    if self.problem.is_some() {
                        (end.checks, end.verdict) = (counts, counts.verdict());
                    }
                    ended.push(end.clone());
                }
                if index >= pilot.forwarded {
                    events(event);
                }
            }
        }
        ended
    }

    /// Whether the last scenario passed, or an event was accepted and changed something.
    fn show_that_it_works(&self) -> bool {
        let passed = self.held.last().and_then(|pilot| pilot.events.last());
        let passed = matches!(passed, Some(RunEvent::ScenarioEnded(ended)) if ended.verdict <= Verdict::Warned);
        let accepted = self.genuine_responses().any(is_acceptance);
        passed
            || (accepted
                && self
                    .readings()
                    .any(|reading| reading.before != reading.after))
    }

    fn readings(&self) -> impl Iterator<Item = &ProbeReading> {
        let events = self.held.iter().flat_map(|pilot| &pilot.events);
        let readings = events.filter_map(|event| match event {
            RunEvent::EffectsEnded(effects) => Some(&effects.readings),
            _ => None,
        });
        readings.flatten()
    }

    fn genuine_responses(&self) -> impl Iterator<Item = &ResponseRecord> {
        self.genuine_attempts().map(|attempt| &attempt.response)
    }

    fn genuine_attempts(&self) -> impl Iterator<Item = &AttemptEnded> {
        let events = self.held.iter().flat_map(|pilot| &pilot.events);
        events.filter_map(|event| match event {
            RunEvent::AttemptEnded(attempt)
                if attempt.event_name.is_some() && attempt.forgery.is_none() =>
            {
                Some(&**attempt)
            }
            _ => None,
        })
    }
}

impl SetupProblem {
    /// A check that failed only because of the problem.
    fn undecide(&self, check: &mut Check) {
        if check.verdict == Verdict::Failed {
            check.verdict = Verdict::Broken;
            check.observed.clone_from(&self.reason);
            check.hint = Some(self.help.clone());
            check.cause = Some(self.reason.clone());
        }
    }
}

/// All checks in an event.
fn checks(event: &mut RunEvent) -> Vec<&mut Check> {
    match event {
        RunEvent::StepEnded(step) => {
            let deliveries = step.deliveries.iter_mut();
            let made = deliveries.flat_map(|delivery| &mut delivery.checks);
            made.chain(&mut step.not_made).collect()
        }
        RunEvent::EffectsEnded(effects) => effects.checks.iter_mut().collect(),
        _ => Vec::new(),
    }
}

/// Whether a sound receiver must accept and grant an event of the scenario as it is.
pub(super) fn is_ordinary(plan: &Plan, usual_kind: EventKind) -> bool {
    let sends = plan.steps.iter().all(|step| match &step.action {
        PlannedAction::Deliver(deliveries) => deliveries.how.is_ordinary(),
        _ => false,
    });
    let mut events = plan.events.values();
    let usual = events.all(|event| {
        let event = event.event.as_ref();
        event.is_some_and(|event| {
            let kind = event.kind();
            kind == Some(usual_kind) && !event.sandbox && !event.is_test()
        })
    });
    sends && usual && plan.missing.is_none() && plan.effects.iter().any(PlannedEffect::is_grant)
}

fn is_acceptance(response: &ResponseRecord) -> bool {
    let success = matches!(
        response,
        ResponseRecord::Response {
            status: 200..300,
            ..
        }
    );
    success && setup_mistake(response, false).is_none()
}

/// The parts of a recorded response that tell; none of one that failed.
pub(super) fn response_text(response: &ResponseRecord) -> Option<ResponseText<'_>> {
    match response {
        ResponseRecord::Response {
            status,
            headers,
            body,
        } => Some(ResponseText {
            status: *status,
            headers,
            body: text(body),
        }),
        ResponseRecord::Failure { .. } => None,
    }
}

/// What a recorded response says about the set-up. `has_credentials` if its request had some.
pub(crate) fn setup_mistake(
    response: &ResponseRecord,
    has_credentials: bool,
) -> Option<SetupMistake> {
    let mistake = SetupMistake::in_response(response_text(response)?)?;
    Some(if has_credentials {
        mistake.despite_headers()
    } else {
        mistake
    })
}

fn text(body: &BodyRecord) -> &str {
    match &body.content {
        BodyContent::Text(text) => text,
        BodyContent::Base64(_) => "",
    }
}
