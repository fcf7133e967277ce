//! Turns a case that failed beside others into the smallest scenario that fails alone.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::json;

use super::case_runner::{CaseRunner, Repeated, Try};
use super::deadlines::Deadlines;
use super::failure_class::FailureClass;
use super::found_failure::{FoundFailure, Origin};
use super::history::History;
use super::kind::Kind;
use super::restarts::may_undo;
use super::same_failure::SameFailure;
use super::shrinker::Shrinker;
use crate::policy::Outcome;
use crate::run::RunEvent;

/// How often a failing case is tried again before it is shrunk.
const RETRIES: u32 = 3;
/// How often a candidate is tried if the failure does not show every time.
const TRIES_OF_UNSTABLE: u32 = 4;
/// How often the shrunk scenario is tried.
const CONFIRMATIONS: u32 = 5;

pub(super) struct Isolation<'explorer, 'run> {
    pub(super) runner: &'explorer CaseRunner<'run>,
    pub(super) class: FailureClass,
    /// The chosen kinds.
    pub(super) kinds: &'explorer BTreeSet<Kind>,
    pub(super) stop: &'explorer AtomicBool,
    pub(super) deadlines: Deadlines,
    /// The number of events of the smallest history that failed.
    pub(super) events_left: &'explorer AtomicUsize,
}

impl Isolation<'_, '_> {
    /// The smallest scenario that fails like this case, which may need what other cases did.
    ///
    /// `None` if the case only failed because effects took longer than expected.
    pub(super) async fn isolate(
        &self,
        history: History,
        first: Try,
        others: &[Vec<History>],
        origin: Origin,
    ) -> Option<FoundFailure> {
        let alone = self.shown(&history).await;
        let crowd = match alone.failed {
            0 if !self.is_late(self.deadlines.shrinking) => {
                self.with_others(&history, others).await
            }
            _ => None,
        };
        let needs_others = crowd.is_some();
        let (start, shown) = crowd.unwrap_or_else(|| (history.clone(), alone.failed));
        if shown > 0 && !self.runner.target.stopped() {
            let shrunk = Box::pin(self.shrink(start, shown)).await;
            let shrunk = self.better(shrunk.clone(), shrunk.renamed()).await;
            let confirmed = self.confirm(&shrunk).await;
            if confirmed.failed > 0 {
                return Some(FoundFailure {
                    class: self.class,
                    history: shrunk,
                    seen: (confirmed.failed, confirmed.tries),
                    showed_again: true,
                    origin: if needs_others {
                        Origin::Elsewhere
                    } else {
                        origin
                    },
                    events: confirmed.events,
                });
            }
        }
        // What was seen once is reported, too, unless it may only have been slow.
        let may_be_slow = self.class.may_be_slow();
        let again = if may_be_slow || !self.is_late(self.deadlines.confirming) {
            self.confirm(&history).await
        } else {
            Repeated::default()
        };
        let was_slow = again.failed == 0 && may_be_slow;
        (!was_slow).then(|| FoundFailure {
            class: self.class,
            history,
            seen: (
                again.failed + alone.failed + 1,
                again.tries + alone.tries + 1,
            ),
            showed_again: again.failed + alone.failed > 0,
            origin,
            events: if again.events.is_empty() {
                first.events
            } else {
                again.events
            },
        })
    }

    /// The second of these histories, if it fails in all of a few tries.
    async fn better(&self, one: History, other: History) -> History {
        if !self.is_late(self.deadlines.confirming) && self.shown(&other).await.failed_always() {
            other
        } else {
            one
        }
    }

    /// How often a history fails, as patiently as the profile wants, and the events of a failed try.
    /// It is tried at least once.
    async fn confirm(&self, history: &History) -> Repeated {
        let patience = CaseRunner::full_patience(self.class);
        let is_late = |tries| tries > 0 && self.is_late(self.deadlines.confirming);
        let repeated = self
            .runner
            .repeat(history, self.class, CONFIRMATIONS, patience, is_late);
        repeated.await
    }

    /// How often a history fails in a few tries.
    async fn shown(&self, history: &History) -> Repeated {
        let until = self.deadlines.confirming;
        let patience = self.runner.patience_for(self.class, until);
        let is_late = |_| self.is_late(until);
        let repeated = self
            .runner
            .repeat(history, self.class, RETRIES, patience, is_late);
        repeated.await
    }

    fn is_late(&self, deadline: Instant) -> bool {
        Instant::now() >= deadline || self.stop.load(Ordering::Relaxed)
    }

    /// The same steps with those of other cases in between, and how often this fails.
    async fn with_others(
        &self,
        history: &History,
        others: &[Vec<History>],
    ) -> Option<(History, u32)> {
        for others in others {
            let mut histories = vec![history.clone()];
            for other in others.iter().filter(|other| *other != history) {
                if !may_undo(histories.iter().chain([other])) {
                    histories.push(other.clone());
                }
            }
            if histories.len() == 1 {
                continue;
            }
            let crowd = History::interleaved(&histories);
            let shown = self.shown(&crowd).await.failed;
            if shown > 0 {
                return Some((crowd, shown));
            }
        }
        None
    }

    /// Each try has other random values, and a failure that shows every time must not become one that
    /// needs luck, or what the receiver keeps of earlier tries. Most failures do not depend on either, so
    /// one try for each candidate comes first.
    async fn shrink(&self, history: History, shown: u32) -> History {
        if shown < RETRIES {
            return self.shrink_with(history, TRIES_OF_UNSTABLE, 1, false).await;
        }
        let shrunk = self.shrink_with(history.clone(), 1, 1, false).await;
        let is_stable = self.shown(&shrunk).await.failed_always();
        let shrunk = if is_stable || self.is_late(self.deadlines.shrinking) {
            shrunk
        } else {
            self.shrink_with(history, RETRIES, RETRIES, true).await
        };
        if !self.is_late(self.deadlines.confirming) && self.refuses_all(&shrunk).await {
            self.better(shrunk.clone(), shrunk.with_plain_delivery())
                .await
        } else {
            shrunk
        }
    }

    /// Whether each delivery is refused, so that a run of this scenario would blame the set-up.
    async fn refuses_all(&self, history: &History) -> bool {
        let until = self.deadlines.confirming;
        let patience = self.runner.patience_for(self.class, until);
        let tried = self.runner.attempt_alone(history, patience).await;
        self.class != FailureClass::ForgeryAccepted
            && tried.is_some_and(|tried| !has_accepted(&tried.events))
    }

    async fn shrink_with(
        &self,
        history: History,
        tries: u32,
        needed: u32,
        forgets: bool,
    ) -> History {
        let trial = SameFailure {
            runner: self.runner,
            class: self.class,
            kinds: self.kinds | &history.kinds(),
            tries,
            needed,
            forgets,
            stop: self.stop,
            deadline: self.deadlines.shrinking,
            events_left: self.events_left,
        };
        let mut shrinker = Shrinker {
            trial: &trial,
            tries: 0,
        };
        shrinker.shrink(history).await
    }
}

/// Whether the receiver accepted a delivery.
fn has_accepted(events: &[RunEvent]) -> bool {
    let mut deliveries = events.iter().flat_map(|event| match event {
        RunEvent::StepEnded(step) => step.deliveries.as_slice(),
        _ => &[],
    });
    deliveries.any(|delivery| delivery.outcome == Some(Outcome::Delivered))
}

impl History {
    /// The same history after a plain delivery, which shows that the receiver does not refuse everything.
    fn with_plain_delivery(mut self) -> Self {
        let name = "plain";
        self.events.insert(name.to_owned(), json!({}));
        self.steps.insert(0, json!({ "deliver": name }));
        self
    }
}
