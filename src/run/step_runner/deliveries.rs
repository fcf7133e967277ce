//! Sends the deliveries of one step, one after another, at the same time or out of order, and
//! checks their expectations.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, join, join_all};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep_until};

use super::StepRunner;
use crate::delivery::{
    Attempt, Delivery, DeliveryPlan, Interrupt, Interruption, RetryBarrier, Sender, deliver,
};
use crate::generate::Generator;
use crate::policy::{DurationText, Fault, Outcome, RetryPolicy, RetrySetting};
use crate::run::attempt_record::{AttemptLocation, attempt_record};
use crate::run::plan::{PlannedDeliveries, PlannedDelivery, PlannedStep};
use crate::run::run_event::{DeliveryEnded, HookRun, RunEvent, StepEnded};
use crate::scenario::{Deliver, InstanceChoice};
use crate::transport::{LastByteBarrier, RateLimit, RateLimitPermits, Target};
use crate::verify::{Check, Observed, check_retry_policy};

/// What the first attempt of one of several simultaneous deliveries has.
struct Together {
    barrier: LastByteBarrier,
    permit: Option<RateLimitPermits>,
}

struct StepSender<'step> {
    runner: &'step StepRunner<'step>,
    step_number: usize,
    how: &'step Deliver,
    policy: &'step RetryPolicy,
    /// The restart that deliveries which begin apart from each other share. All retry after it, so that a run
    /// has the same deliveries however long it takes.
    shared_restart: OnceCell<()>,
    /// The hooks that ran after restarts of the receiver, or why a restart failed.
    restarted: Mutex<Result<Vec<HookRun>, Check>>,
}

impl<'run> StepRunner<'run> {
    /// Sends the deliveries of a step and adds them to `ended`, or returns why the step can't go on.
    pub(super) async fn deliver(
        &mut self,
        step: &'run PlannedStep,
        PlannedDeliveries { how, order }: &'run PlannedDeliveries,
        step_ended: &mut StepEnded,
    ) -> Result<(), Check> {
        let policy = self.policy(how);
        let sender = StepSender {
            runner: self,
            step_number: step_ended.step,
            how,
            policy: &policy,
            shared_restart: OnceCell::new(),
            restarted: Mutex::new(Ok(Vec::new())),
        };
        let done = if let Some(apart) = how.apart {
            sender.deliver_apart(order, apart.0).await
        } else if how.together {
            sender.deliver_together(order).await
        } else if how.fault() == Some(Fault::OutOfOrder) {
            sender.deliver_out_of_order(order).await
        } else {
            sender.deliver_in_turn(order).await
        };
        let last = done.last().and_then(|delivery| delivery.attempts.last());
        let last = last.and_then(|attempt| attempt.exchange.result.as_ref().ok());
        let last = last.cloned();
        let restarted = sender.restarted.into_inner();
        let restarted = restarted.unwrap_or_else(PoisonError::into_inner);
        let is_forged = how.forge.is_some();
        self.last_response = last;
        let sent = order.iter().zip(done);
        let ended = sent.map(|(delivery, done)| {
            let ended = self.delivery_ended(step, is_forged, &policy, delivery, &done);
            match &restarted {
                // A receiver that was not restarted well is not to blame.
                Err(_) => DeliveryEnded {
                    checks: Vec::new(),
                    ..ended
                },
                Ok(_) => ended,
            }
        });
        step_ended.deliveries = ended.collect();
        step_ended.hooks.extend(restarted?);
        Ok(())
    }

    /// A forgery is only retried if the step says so, because a forger would not follow Aghanim's
    /// policy.
    fn policy(&self, how: &Deliver) -> RetryPolicy {
        let own = self.context.retry.clone();
        // A fault or a body in pieces takes longer than other deliveries, whatever the receiver does.
        let timeout = match (how.fault(), &how.wire) {
            (None, None) => DurationText(self.timeout()),
            _ => own.timeout,
        };
        let below = RetryPolicy {
            connection: how.connection.unwrap_or(own.connection),
            timeout,
            ..own
        };
        match &how.retry {
            Some(setting) => setting.over(&below),
            None if how.forge.is_some() => RetrySetting::Off.over(&below),
            None => below,
        }
    }

    fn delivery_ended(
        &mut self,
        step: &PlannedStep,
        is_forged: bool,
        policy: &RetryPolicy,
        delivery: &PlannedDelivery,
        done: &Delivery,
    ) -> DeliveryEnded {
        let mut checks = Vec::new();
        if let Some(last) = done.attempts.last() {
            let mut attempts = done.attempts.iter();
            let observed = Observed {
                was_reached: attempts.any(|attempt| !attempt.exchange.is_refused_connection()),
                response: last.exchange.result.as_ref(),
                took: last.exchange.timings.without_barrier_wait(),
                attempts: last.number,
                outcome: Some(done.outcome),
                first_response: self.first_responses.get(&delivery.name),
            };
            checks = self.check(step, &observed);
            if let (Ok(response), false, Outcome::Delivered) =
                (&last.exchange.result, is_forged, done.outcome)
            {
                let first = self.first_responses.entry(delivery.name.clone());
                first.or_insert_with(|| response.clone());
            }
        }
        if !is_forged {
            self.outcomes.add(&delivery.name, done);
        }
        checks.extend(check_retry_policy(policy, done));
        DeliveryEnded {
            delivery: delivery.number,
            event_name: Some(delivery.name.clone()),
            outcome: Some(done.outcome),
            attempts: done.attempts.last().map_or(0, |attempt| attempt.number),
            checks,
        }
    }
}

impl Interrupt for StepSender<'_> {
    fn interrupt(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if self.how.apart.is_some() {
                self.shared_restart.get_or_init(|| self.restart()).await;
            } else {
                self.restart().await;
            }
        })
    }
}

impl StepSender<'_> {
    async fn restart(&self) {
        let done = self.runner.restart().await;
        let restarted = self.restarted.lock();
        let mut restarted = restarted.unwrap_or_else(PoisonError::into_inner);
        match (done, &mut *restarted) {
            (Ok(hook), Ok(hooks)) => hooks.extend(hook),
            (Err(failed), Ok(_)) => *restarted = Err(failed),
            (_, Err(_)) => {}
        }
    }

    async fn deliver_in_turn(&self, deliveries: &[PlannedDelivery]) -> Vec<Delivery> {
        let mut done = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            done.push(self.deliver_one(delivery, None, None).await);
        }
        done
    }

    /// Sends all deliveries at the same time, or as many at once as the profile's `max_rate`
    /// allows.
    async fn deliver_together(&self, deliveries: &[PlannedDelivery]) -> Vec<Delivery> {
        let limit = self.runner.context.rate_limit.as_ref();
        let at_once = limit.map_or(deliveries.len(), RateLimit::max_at_once);
        let mut done = Vec::with_capacity(deliveries.len());
        for group in deliveries.chunks(at_once.max(1)) {
            let permits = match limit {
                Some(limit) => limit.acquire_each(group.len()).await,
                None => Vec::new(),
            };
            let mut permits = permits.into_iter();
            let barriers = LastByteBarrier::for_participants(group.len()).into_iter();
            let sent = group.iter().zip(barriers).map(|(delivery, barrier)| {
                let together = Together {
                    barrier,
                    permit: permits.next(),
                };
                self.deliver_one(delivery, Some(together), None)
            });
            done.extend(join_all(sent).await);
        }
        done
    }

    /// Begins a delivery every so often, whether or not the ones before it have ended.
    async fn deliver_apart(
        &self,
        deliveries: &[PlannedDelivery],
        apart: Duration,
    ) -> Vec<Delivery> {
        let start = Instant::now();
        let begins = (0..).map(|number| start + apart * number);
        let sent = deliveries
            .iter()
            .zip(begins)
            .map(async |(delivery, begin)| {
                sleep_until(begin).await;
                self.deliver_one(delivery, None, None).await
            });
        join_all(sent).await
    }

    /// Sends the others between the first delivery's lost response and its retry.
    async fn deliver_out_of_order(&self, deliveries: &[PlannedDelivery]) -> Vec<Delivery> {
        let Some((first, others)) = deliveries.split_first() else {
            return Vec::new();
        };
        let (retry_barrier, reached) = RetryBarrier::new();
        let first = self.deliver_one(first, None, Some(retry_barrier));
        let between = async {
            let release = reached.await;
            let done = self.deliver_in_turn(others).await;
            drop(release);
            done
        };
        let (first, others) = join(first, between).await;
        std::iter::once(first).chain(others).collect()
    }

    /// The targets of a delivery's attempts in their order.
    fn targets(&self, number: usize) -> Vec<&Target> {
        let context = self.runner.context;
        match &self.how.instances {
            InstanceChoice::Target => vec![&context.target],
            InstanceChoice::Named(name) => context.targets.get(name).into_iter().collect(),
            InstanceChoice::Spread => {
                let mut all: Vec<&Target> = context.targets.values().collect();
                let first = (number - 1) % all.len().max(1);
                all.rotate_left(first);
                all
            }
        }
    }

    /// The restart of the receiver during the first attempt of a delivery.
    fn interruption(&self, delivery: &PlannedDelivery) -> Option<Interruption<'_>> {
        let Some(Fault::RestartInFlight(restart)) = self.how.fault() else {
            return None;
        };
        Some(Interruption {
            after: restart.after.of_delivery(delivery.number),
            by: self,
        })
    }

    async fn deliver_one(
        &self,
        delivery: &PlannedDelivery,
        together: Option<Together>,
        retry_barrier: Option<RetryBarrier>,
    ) -> Delivery {
        let StepRunner { context, plan, .. } = self.runner;
        let label = format!("delivery {} of step {}", delivery.number, self.step_number);
        let mut random = plan.seed.derive(&label).random();
        let event_ids = plan.seed.derive(&format!("event IDs of {label}"));
        let mut targets = self.targets(delivery.number).into_iter();
        let target = targets.next().unwrap_or(&context.target);
        let further_targets = targets.collect();
        let (barrier, permit) = together.map_or((None, None), |together| {
            (Some(together.barrier), together.permit)
        });
        let delivery_plan = DeliveryPlan {
            forgery: self.how.forge,
            wire: self.how.wire(),
            signed_at: self.how.signed_at.unwrap_or_default(),
            connection: self.how.connection.unwrap_or_default(),
            barrier,
            permit,
            fault: self.how.fault(),
            event_ids: Some(Generator::new(event_ids, plan.start)),
            interruption: self.interruption(delivery),
            retry_barrier,
            further_targets,
            ..DeliveryPlan::new(target, delivery.body.clone(), self.policy)
        };
        let observe = |attempt: &Attempt| {
            let place = AttemptLocation {
                scenario: self.runner.scenario,
                step: self.step_number,
                delivery: delivery.number,
            };
            let mut record = attempt_record(place, &delivery.name, attempt, &context.redaction);
            self.runner.room.cut(&mut record);
            (self.runner.events)(RunEvent::AttemptEnded(Box::new(record)));
        };
        let sender = Sender {
            clock: &self.runner.clock,
            ..context.sender()
        };
        let sent = deliver(sender, delivery_plan, &mut random, observe);
        // Boxed because each future holds a whole attempt, and there may be many at once.
        Box::pin(sent).await
    }
}
