//! Watches the first responses of a load, to stop it if they show that the set-up is wrong: a login page
//! in front, another path, another secret.
//!
//! Nothing is decided by a receiver that is only busy: it may answer its first deliveries with a 5xx.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::diagnose::{ResponseText, SetupMistake};
use crate::run::{RunContext, SetupProblem};
use crate::transport::{Failure, ResponseExcerpt};

/// After how many suspicious responses in a row, without another one between them, a load stops.
const ENOUGH: u64 = 10;
/// The same for responses that a receiver or a proxy may give while it is busy.
const ENOUGH_IF_BUSY: u64 = 100;
/// How long a receiver or a proxy may be busy, such as at its start.
const BUSY_FOR: Duration = Duration::from_secs(3);

/// What a response says about the set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Evidence {
    Mistake(SetupMistake),
    Refused {
        status: u16,
        body: String,
    },
    /// The connection was closed, as a port that expects TLS does.
    Closed(Failure),
}

/// The responses to genuine deliveries so far, none of which is an acceptance.
#[derive(Debug, Default)]
struct FirstResponses {
    seen: u64,
    /// How many of the last ones were suspicious, without another one between them.
    in_a_row: u64,
    /// How many of these can't come from a busy receiver or proxy.
    lasting: u64,
    row_began: Option<Instant>,
    evidence: Option<Evidence>,
}

impl FirstResponses {
    /// Adds a response; `None` is one that says nothing about the set-up. Returns whether the load
    /// should stop.
    fn add(&mut self, evidence: Option<Evidence>, now: Instant) -> bool {
        self.seen += 1;
        let Some(evidence) = evidence else {
            let seen = self.seen;
            *self = Self {
                seen,
                ..Self::default()
            };
            return false;
        };
        self.in_a_row += 1;
        self.lasting += u64::from(!evidence.may_pass());
        let began = *self.row_began.get_or_insert(now);
        // A mistake says more than a refusal.
        let says_more = matches!(evidence, Evidence::Mistake(_));
        if self.evidence.is_none() || says_more && !self.has_mistake() {
            self.evidence = Some(evidence);
        }
        let is_long = now.saturating_duration_since(began) >= BUSY_FOR;
        self.lasting >= ENOUGH || self.in_a_row >= ENOUGH_IF_BUSY && is_long
    }

    fn has_mistake(&self) -> bool {
        matches!(self.evidence, Some(Evidence::Mistake(_)))
    }

    /// What all responses say, if they agree.
    fn of_all(&self) -> Option<Evidence> {
        let evidence = self.evidence.clone();
        evidence.filter(|_| self.in_a_row == self.seen)
    }
}

impl Evidence {
    /// What a response without an acceptance says; `None` if it may be the receiver's own.
    fn of(status: u16, excerpt: &ResponseExcerpt) -> Option<Self> {
        let body = String::from_utf8_lossy(&excerpt.body);
        let response = ResponseText {
            status,
            headers: &excerpt.headers,
            body: &body,
        };
        match SetupMistake::in_response(response) {
            Some(mistake) => Some(Self::Mistake(mistake)),
            None => (400..500).contains(&status).then(|| Self::Refused {
                status,
                body: body.into_owned(),
            }),
        }
    }

    /// Whether a receiver or a proxy that is busy or starting can answer like this.
    fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Mistake(SetupMistake::RateLimit(_) | SetupMistake::ProxyError(_))
        )
    }

    async fn problem(self, context: &RunContext) -> Option<SetupProblem> {
        let problem = match self {
            Self::Mistake(mistake) => SetupProblem::of_mistake(&mistake),
            Self::Refused { status, body } => {
                // The message shows the beginning of the body, which may end within a secret.
                let body = context.redaction.text(&body);
                let response = ResponseText {
                    status,
                    headers: &[],
                    body: &body,
                };
                SetupProblem::of_refusals(response, &context.headers.names())
            }
            Self::Closed(failure) => {
                let explained = context.client.explain_closed(&context.target, &failure);
                SetupProblem::of_failure(&explained.await?)
            }
        };
        Some(SetupProblem {
            reason: context.shown(&problem.reason),
            help: problem.help,
        })
    }
}

/// Shared by the workers of a load until its set-up is known to work.
#[derive(Debug, Default)]
pub(crate) struct SetupWatch {
    /// Whether it is known that the set-up works, or does not.
    is_decided: AtomicBool,
    responses: Mutex<FirstResponses>,
    suspicious: Notify,
}

impl SetupWatch {
    /// Whether responses are still of interest.
    pub(super) fn is_open(&self) -> bool {
        !self.is_decided.load(Ordering::Relaxed)
    }

    /// Observes the result of a genuine delivery that the receiver has no reason to refuse.
    pub(super) fn observe(&self, result: Result<u16, &Failure>, excerpt: &ResponseExcerpt) {
        // Others were sent before the first acceptance.
        if !self.is_open() {
            return;
        }
        let evidence = match result {
            Ok(status) => Evidence::of(status, excerpt),
            Err(failure) if failure.is_closed() => Some(Evidence::Closed(failure.clone())),
            Err(_) => None,
        };
        if evidence.is_none() && matches!(result, Ok(200..300)) {
            self.is_decided.store(true, Ordering::Relaxed);
        } else if self.responses().add(evidence, Instant::now()) {
            self.suspicious.notify_one();
        }
    }

    /// Completes with the problem as soon as the responses show one.
    pub(crate) async fn problem(&self, context: &RunContext) -> SetupProblem {
        loop {
            self.suspicious.notified().await;
            // Meanwhile another worker may have seen an acceptance.
            if !self.is_open() {
                continue;
            }
            if let Some(problem) = self.problem_of_all(context).await {
                return problem;
            }
            // What closes connections is the receiver itself, so its failures count.
            self.is_decided.store(true, Ordering::Relaxed);
        }
    }

    /// The problem that all responses of a load show, at its end.
    pub(crate) async fn final_problem(&self, context: &RunContext) -> Option<SetupProblem> {
        if !self.is_open() {
            return None;
        }
        let evidence = self.responses().of_all();
        evidence?.problem(context).await
    }

    async fn problem_of_all(&self, context: &RunContext) -> Option<SetupProblem> {
        let evidence = self.responses().evidence.clone();
        evidence?.problem(context).await
    }

    fn responses(&self) -> MutexGuard<'_, FirstResponses> {
        self.responses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(body: &str) -> ResponseExcerpt {
        ResponseExcerpt {
            headers: Vec::new(),
            body: body.into(),
        }
    }

    fn evidence(status: u16, body: &str) -> Option<Evidence> {
        Evidence::of(status, &excerpt(body))
    }

    #[test]
    fn a_wrong_set_up_is_known_after_a_few_responses() {
        let page = "<html><title>Sign in</title></html>";
        for (status, body) in [(404, ""), (403, "bad signature"), (200, page), (302, "")] {
            let mut first = FirstResponses::default();
            let now = Instant::now();
            for _ in 1..ENOUGH {
                assert!(!first.add(evidence(status, body), now), "{status}");
            }
            assert!(first.add(evidence(status, body), now), "{status}");
            assert!(first.of_all().is_some());
        }
    }

    #[test]
    fn a_busy_receiver_is_no_wrong_set_up() {
        let mut first = FirstResponses::default();
        let now = Instant::now();
        for status in [503, 500, 503].iter().cycle().take(1000) {
            assert!(!first.add(evidence(*status, "{\"error\":\"busy\"}"), now));
        }
        assert_eq!(first.of_all(), None);
        // A few refusals after them are not all that there is.
        assert!(!first.add(evidence(404, ""), now));
        assert_eq!(first.of_all(), None);
    }

    #[test]
    fn a_busy_proxy_has_some_time() {
        let mut first = FirstResponses::default();
        let now = Instant::now();
        for _ in 0..1000 {
            assert!(!first.add(evidence(502, ""), now));
        }
        assert!(first.add(evidence(502, ""), now + BUSY_FOR));
        assert_eq!(
            first.of_all(),
            Some(Evidence::Mistake(SetupMistake::ProxyError(502)))
        );
    }

    #[test]
    fn a_mistake_says_more_than_a_refusal() {
        let mut first = FirstResponses::default();
        first.add(evidence(400, "no"), Instant::now());
        first.add(evidence(404, "player not found"), Instant::now());
        let expected = Evidence::Mistake(SetupMistake::UnknownPlayer);
        assert_eq!(first.of_all(), Some(expected));
    }

    #[test]
    fn an_acceptance_ends_the_watch() {
        let watch = SetupWatch::default();
        let page = "<!doctype html><html></html>";
        watch.observe(Ok(200), &excerpt(page));
        assert!(watch.is_open());
        watch.observe(Ok(204), &excerpt(""));
        assert!(!watch.is_open());
        // These were sent before it.
        for _ in 0..ENOUGH {
            watch.observe(Ok(404), &excerpt(""));
        }
        assert_eq!(watch.responses().seen, 1);
    }
}
