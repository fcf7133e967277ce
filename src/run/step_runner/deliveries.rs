//! Sends the deliveries of one step, one after another, at the same time or out of order, and
//! checks their expectations.

use futures_util::future::{join, join_all};

use super::StepRunner;
use crate::delivery::{Attempt, Delivery, DeliveryPlan, RetryBarrier, deliver};
use crate::generate::Generator;
use crate::policy::{Fault, HttpVersion, Outcome, RetryPolicy, RetrySetting};
use crate::run::attempt_record::{AttemptLocation, attempt_record};
use crate::run::missing_capability::MissingCapability;
use crate::run::plan::{PlannedDeliveries, PlannedDelivery, PlannedStep};
use crate::run::run_event::{DeliveryEnded, RunEvent};
use crate::scenario::Deliver;
use crate::transport::{LastByteBarrier, RateLimit};
use crate::verify::Check;
use crate::verify::check_retry_policy;
use crate::verify::{Observed, check};

enum Coordination {
    Independent,
    Together(LastByteBarrier),
    RetryAfterOthers(RetryBarrier),
}

impl<'run> StepRunner<'run> {
    pub(super) async fn deliver(
        &mut self,
        number: usize,
        step: &'run PlannedStep,
        PlannedDeliveries { how, order }: &'run PlannedDeliveries,
    ) -> Result<Vec<DeliveryEnded>, Check> {
        let fault = how.fault();
        if let Some(fault) = fault.filter(|fault| fault.needs_http1())
            && self.context.client.http_version() == HttpVersion::Http2
        {
            let expected = "the receiver handles the fault";
            return Err(MissingCapability::Http1(fault).not_checked(
                &self.plan.requirement,
                "fault",
                expected,
            ));
        }
        let policy = self.policy(how);
        let done = if how.together {
            self.deliver_together(number, how, &policy, order).await
        } else if fault == Some(Fault::OutOfOrder) {
            self.deliver_out_of_order(number, how, &policy, order).await
        } else {
            let mut done = Vec::with_capacity(order.len());
            for delivery in order {
                let coordination = Coordination::Independent;
                done.push(
                    self.deliver_one(number, how, &policy, delivery, coordination)
                        .await,
                );
            }
            done
        };
        let sent = order.iter().zip(done);
        let is_forged = how.forge.is_some();
        let ended = sent
            .map(|(delivery, done)| self.delivery_ended(step, is_forged, &policy, delivery, &done));
        Ok(ended.collect())
    }

    /// Sends all deliveries at the same time, or as many at once as the profile's `max_rate`
    /// allows.
    async fn deliver_together(
        &self,
        number: usize,
        how: &Deliver,
        policy: &RetryPolicy,
        deliveries: &[PlannedDelivery],
    ) -> Vec<Delivery> {
        let limit = self.context.rate_limit.as_ref();
        let at_once = limit
            .map_or(deliveries.len(), RateLimit::max_at_once)
            .max(1);
        let mut done = Vec::with_capacity(deliveries.len());
        for group in deliveries.chunks(at_once) {
            let _permits = match limit {
                Some(limit) => Some(limit.acquire(group.len()).await),
                None => None,
            };
            let places = LastByteBarrier::for_participants(group.len()).into_iter();
            let sent = group.iter().zip(places).map(|(delivery, place)| {
                let coordination = Coordination::Together(place);
                self.deliver_one(number, how, policy, delivery, coordination)
            });
            done.extend(join_all(sent).await);
        }
        done
    }

    /// Sends the others between the first delivery's lost response and its retry.
    async fn deliver_out_of_order(
        &self,
        number: usize,
        how: &Deliver,
        policy: &RetryPolicy,
        deliveries: &[PlannedDelivery],
    ) -> Vec<Delivery> {
        let Some((first, others)) = deliveries.split_first() else {
            return Vec::new();
        };
        let (retry_barrier, reached) = RetryBarrier::new();
        let coordination = Coordination::RetryAfterOthers(retry_barrier);
        let first = self.deliver_one(number, how, policy, first, coordination);
        let between = async {
            let release = reached.await;
            let mut done = Vec::with_capacity(others.len());
            for delivery in others {
                let coordination = Coordination::Independent;
                done.push(
                    self.deliver_one(number, how, policy, delivery, coordination)
                        .await,
                );
            }
            drop(release);
            done
        };
        let (first, others) = join(first, between).await;
        std::iter::once(first).chain(others).collect()
    }

    /// A forgery is only retried if the step says so, because a forger would not follow Aghanim's
    /// policy.
    fn policy(&self, how: &Deliver) -> RetryPolicy {
        let own = self.context.retry.clone();
        let below = RetryPolicy {
            connection: how.connection.unwrap_or(own.connection),
            ..own
        };
        match &how.retry {
            Some(setting) => setting.over(&below),
            None if how.forge.is_some() => RetrySetting::Off.over(&below),
            None => below,
        }
    }

    async fn deliver_one(
        &self,
        step_number: usize,
        how: &Deliver,
        policy: &RetryPolicy,
        delivery: &PlannedDelivery,
        coordination: Coordination,
    ) -> Delivery {
        let context = self.context;
        let label = format!("delivery {} of step {step_number}", delivery.number);
        let mut random = self.plan.seed.derive(&label).random();
        let event_ids = self.plan.seed.derive(&format!("event IDs of {label}"));
        let (barrier, retry_barrier) = match coordination {
            Coordination::Independent => (None, None),
            Coordination::Together(place) => (Some(place), None),
            Coordination::RetryAfterOthers(retry_barrier) => (None, Some(retry_barrier)),
        };
        let delivery_plan = DeliveryPlan {
            forgery: how.forge,
            connection: how.connection.unwrap_or_default(),
            barrier,
            fault: how.fault(),
            event_ids: Some(Generator::new(event_ids, self.plan.start)),
            retry_barrier,
            ..DeliveryPlan::new(&context.target, delivery.body.clone(), policy)
        };
        let observe = |attempt: &Attempt| {
            let place = AttemptLocation {
                scenario: self.scenario,
                step: step_number,
                delivery: delivery.number,
            };
            let record = attempt_record(place, &delivery.name, attempt, &context.redaction);
            (self.events)(RunEvent::AttemptEnded(Box::new(record)));
        };
        // Boxed because each future holds a whole attempt, and there may be many at once.
        Box::pin(deliver(
            context.sender(),
            delivery_plan,
            &mut random,
            observe,
        ))
        .await
    }

    fn delivery_ended(
        &mut self,
        step: &PlannedStep,
        is_forged: bool,
        policy: &RetryPolicy,
        delivery: &PlannedDelivery,
        done: &Delivery,
    ) -> DeliveryEnded {
        let outcome = done.outcome;
        let mut checks = Vec::new();
        if let Some(last) = done.attempts.last() {
            let observed = Observed {
                response: last.exchange.result.as_ref(),
                took: last.exchange.timings.without_barrier_wait(),
                attempts: last.number,
                outcome: Some(outcome),
                first_response: self.first_responses.get(&delivery.name),
            };
            let expectations = step.expectations.iter();
            let redaction = &self.context.redaction;
            checks.extend(expectations.flat_map(|expected| check(expected, &observed, redaction)));
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
            outcome: Some(outcome),
            attempts: done.attempts.last().map_or(0, |attempt| attempt.number),
            checks,
        }
    }
}
