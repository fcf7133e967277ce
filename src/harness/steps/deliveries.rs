//! The deliveries of one step: in which order, at the same moment or one around the others, and what
//! came of what is expected of them.

use futures_util::future::{join, join_all};

use super::Steps;
use crate::delivery::{
    Attempt, Delivery, DeliveryPlan, HttpVersion, LastByteBarrier, Outcome, RateLimit,
    RetryBarrier, deliver,
};
use crate::generate::Generator;
use crate::harness::expectation::{Observed, check};
use crate::harness::lacking::Lacking;
use crate::harness::order::{Numbered, in_order};
use crate::harness::record::{AttemptPlace, attempt_record};
use crate::harness::retry_check::self_check;
use crate::harness::run_event::{DeliveryEnded, RunEvent};
use crate::harness::verdict::Check;
use crate::scenario::{Fault, OutcomeName, RetryPolicy, RetrySetting, Step};

/// A delivery's part among those of its step.
enum Part {
    /// It is made when it is its turn.
    OfItsOwn,
    /// It is made at the same moment as the others, who meet at this barrier.
    At(LastByteBarrier),
    /// The others pass between its first attempt and its retry.
    Around(RetryBarrier),
}

impl<'run> Steps<'run> {
    /// Makes the deliveries of a step and judges each.
    pub(super) async fn deliver(
        &mut self,
        number: usize,
        step: &'run Step,
    ) -> Result<Vec<DeliveryEnded>, Check> {
        let fault = step.fault.map(|fault| fault.value);
        if let Some(fault) = fault.filter(|fault| fault.needs_http1())
            && self.harness.client.http_version() == HttpVersion::Http2
        {
            let expected = "the fault happens and the receiver survives it";
            return Err(Lacking::Http1(fault).not_checked(&self.plan.demand, "fault", expected));
        }
        let policy = self.policy(step);
        let deliveries = in_order(self.plan, number, step);
        let done = if step.together {
            self.deliver_together(number, step, &policy, &deliveries)
                .await
        } else if fault == Some(Fault::OutOfOrder) {
            self.deliver_out_of_order(number, step, &policy, &deliveries)
                .await
        } else {
            let mut done = Vec::with_capacity(deliveries.len());
            for delivery in &deliveries {
                let part = Part::OfItsOwn;
                done.push(
                    self.deliver_one(number, step, &policy, delivery, part)
                        .await,
                );
            }
            done
        };
        let judged = deliveries.iter().zip(done);
        let judged =
            judged.map(|(delivery, done)| self.judge(number, step, &policy, delivery, &done));
        Ok(judged.collect())
    }

    /// All at the same moment, or, where the receiver takes only so many, as many as it takes.
    async fn deliver_together(
        &self,
        number: usize,
        step: &Step,
        policy: &RetryPolicy,
        deliveries: &[Numbered<'run>],
    ) -> Vec<Delivery> {
        let limit = self.harness.rate_limit.as_ref();
        let at_once = limit
            .map_or(deliveries.len(), RateLimit::max_at_once)
            .max(1);
        let mut done = Vec::with_capacity(deliveries.len());
        for group in deliveries.chunks(at_once) {
            let _turns = match limit {
                Some(limit) => Some(limit.acquire(group.len()).await),
                None => None,
            };
            let places = LastByteBarrier::for_participants(group.len()).into_iter();
            let sent = group.iter().zip(places).map(|(delivery, place)| {
                let part = Part::At(place);
                self.deliver_one(number, step, policy, delivery, part)
            });
            done.extend(join_all(sent).await);
        }
        done
    }

    /// The others pass between the first delivery's lost answer and its retry.
    async fn deliver_out_of_order(
        &self,
        number: usize,
        step: &Step,
        policy: &RetryPolicy,
        deliveries: &[Numbered<'run>],
    ) -> Vec<Delivery> {
        let Some((first, others)) = deliveries.split_first() else {
            return Vec::new();
        };
        let (retry_barrier, mut handle) = RetryBarrier::new();
        let part = Part::Around(retry_barrier);
        let first = self.deliver_one(number, step, policy, first, part);
        let between = async {
            handle.reached().await;
            let mut done = Vec::with_capacity(others.len());
            for delivery in others {
                let part = Part::OfItsOwn;
                done.push(self.deliver_one(number, step, policy, delivery, part).await);
            }
            handle.release();
            done
        };
        let (first, others) = join(first, between).await;
        std::iter::once(first).chain(others).collect()
    }

    /// A forgery is not retried unless the step says so: it is not the sender who makes it.
    fn policy(&self, step: &Step) -> RetryPolicy {
        let own = self.harness.retry.clone();
        let below = RetryPolicy {
            connection: step.connection.unwrap_or(own.connection),
            ..own
        };
        match &step.retry {
            Some(setting) => setting.over(&below),
            None if step.forge.is_some() => RetrySetting::Off.over(&below),
            None => below,
        }
    }

    async fn deliver_one(
        &self,
        step_number: usize,
        step: &Step,
        policy: &RetryPolicy,
        delivery: &Numbered<'run>,
        part: Part,
    ) -> Delivery {
        let harness = self.harness;
        let label = format!("delivery {} of step {step_number}", delivery.number);
        let mut random = self.plan.seed.derive(&label).random();
        let event_ids = self.plan.seed.derive(&format!("event IDs of {label}"));
        let (barrier, retry_barrier) = match part {
            Part::OfItsOwn => (None, None),
            Part::At(place) => (Some(place), None),
            Part::Around(retry_barrier) => (None, Some(retry_barrier)),
        };
        let delivery_plan = DeliveryPlan {
            forgery: step.forge.map(|forgery| forgery.value),
            connection: step.connection.unwrap_or_default().into(),
            barrier,
            fault: step.fault.map(|fault| fault.value),
            event_ids: Some(Generator::new(event_ids, self.plan.start)),
            retry_barrier,
            ..DeliveryPlan::new(&harness.target, delivery.event.body.clone(), policy)
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
        // Boxed, for each holds all of an attempt, and there may be many at once.
        Box::pin(deliver(
            harness.sender(),
            delivery_plan,
            &mut random,
            observe,
        ))
        .await
    }

    fn judge(
        &mut self,
        step_number: usize,
        step: &Step,
        policy: &RetryPolicy,
        delivery: &Numbered<'run>,
        done: &Delivery,
    ) -> DeliveryEnded {
        let outcome = outcome_name(done.outcome);
        let mut checks = Vec::new();
        if let Some(last) = done.attempts.last() {
            let observed = Observed {
                answer: last.exchange.result.as_ref(),
                took: last.exchange.timings.without_barrier_wait(),
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
        if step.forge.is_none() {
            self.answered.add(delivery.name, done);
        }
        checks.extend(self_check(policy, done));
        DeliveryEnded {
            delivery: delivery.number,
            event_name: Some(delivery.name.to_owned()),
            outcome: Some(outcome),
            attempts: done.attempts.last().map_or(0, |attempt| attempt.number),
            checks,
        }
    }
}

fn outcome_name(outcome: Outcome) -> OutcomeName {
    match outcome {
        Outcome::Delivered => OutcomeName::Delivered,
        Outcome::Refused => OutcomeName::Refused,
        Outcome::Exhausted => OutcomeName::Exhausted,
    }
}
