//! Detects that the target stopped during the run: it responded at first, then refused every
//! connection until the end. Names the requests that were open when it stopped.

use jiff::{SignedDuration, Timestamp};

use super::sanitize::sanitize;
use crate::run::{AttemptEnded, ResponseRecord};
use crate::transport::Failure;

/// How long before the first refused connection a request may have ended that was open when the target
/// stopped.
const BEFORE: SignedDuration = SignedDuration::from_secs(2);
/// The most requests that are listed.
const LISTED: usize = 8;

#[derive(Debug, Default)]
pub(super) struct LostTarget {
    /// Whether the target ever responded to a delivery.
    responded: bool,
    /// The first refused connection since the last response.
    refused_since: Option<Place>,
    /// The requests whose connections the target closed.
    closed: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    scenario: String,
    step: usize,
    at: Timestamp,
}

impl LostTarget {
    pub(super) fn observe(&mut self, attempt: &AttemptEnded, scenario: &str) {
        // Other requests may go to other servers.
        if attempt.event_name.is_none() {
            return;
        }
        let place = || Place {
            scenario: sanitize(scenario),
            step: attempt.step,
            at: attempt.started_at,
        };
        match &attempt.response {
            ResponseRecord::Failure { name, .. } if *name == Failure::REFUSED => {
                self.refused_since.get_or_insert_with(place);
            }
            ResponseRecord::Failure { name, .. } if Failure::CLOSED.contains(&&**name) => {
                let at = SignedDuration::try_from(attempt.took);
                let at = at.map_or(attempt.started_at, |took| attempt.started_at + took);
                self.closed.push(Place { at, ..place() });
            }
            response => {
                self.responded |= response.status().is_some();
                self.refused_since = None;
            }
        }
    }

    pub(super) fn note(&self) -> Option<String> {
        let refused = self.refused_since.as_ref().filter(|_| self.responded)?;
        let was_open = |place: &&Place| place.at.duration_until(refused.at).abs() <= BEFORE;
        let mut open: Vec<String> = Vec::new();
        for place in self.closed.iter().filter(was_open) {
            let text = format!("step {} of “{}”", place.step, place.scenario);
            if !open.contains(&text) {
                open.push(text);
            }
        }
        let more = match open.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        open.truncate(LISTED);
        Some(if open.is_empty() {
            format!(
                "the receiver stopped before step {} of “{}”; check its log for a crash",
                refused.step, refused.scenario
            )
        } else {
            format!(
                "the receiver stopped while these requests were open: {}{more}; check its log for a \
                 crash",
                open.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attempt(step: usize, event_name: Option<&str>, failure: Option<&str>) -> AttemptEnded {
        let body = json!({ "text": "", "length": 0, "truncated": false });
        let response = match failure {
            None => json!({ "response": { "status": 503, "headers": [], "body": body } }),
            Some(name) => json!({ "failure": { "name": name, "message": "", "hint": "" } }),
        };
        let line = json!({
            "scenario": 1, "step": step, "delivery": 1,
            "event_name": event_name, "forgery": null, "fault": null, "attempt": 1,
            "started_at": "2024-09-05T15:00:50Z", "virtual_offset_seconds": 0.0,
            "delay_before_seconds": 0.0, "took_seconds": 0.1,
            "timings": { "connect_seconds": null, "first_byte_seconds": null, "held_seconds": 0.0 },
            "connection": null,
            "request": { "method": "POST", "url": "http://a/", "headers": [], "body": body },
            "answer": response, "unheard_answer": null,
        });
        serde_json::from_value(line).expect("an event")
    }

    fn note(attempts: &[(usize, Option<&str>)]) -> Option<String> {
        let mut target = LostTarget::default();
        for (step, failure) in attempts {
            target.observe(&attempt(*step, Some("welcome"), *failure), "a coupon");
        }
        // A request to another server is ignored.
        target.observe(&attempt(9, None, None), "a coupon");
        target.note()
    }

    #[test]
    fn a_target_that_refuses_until_the_end_has_stopped() {
        let refused = Some("refused");
        let gone = note(&[(1, None), (2, refused), (3, refused)]).expect("gone");
        assert!(
            gone.starts_with("the receiver stopped before step 2 of “a coupon”"),
            "{gone}"
        );
        let open = note(&[(1, None), (2, Some("closed_early")), (3, refused)]).expect("gone");
        assert!(
            open.contains("while these requests were open: step 2 of “a coupon”;"),
            "{open}"
        );
        for still_there in [
            &[(1, None), (2, None)][..],
            &[(1, None), (2, refused), (3, None)],
            &[(1, None), (2, refused), (3, Some("timeout"))],
            // A target that never responded is another problem.
            &[(1, refused), (2, refused)],
        ] {
            assert_eq!(note(still_there), None, "{still_there:?}");
        }
    }
}
