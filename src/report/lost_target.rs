//! Detects that the target went away during the run: it responded at first, then refused every
//! connection until the end.

use super::sanitize::sanitize;
use crate::run::{AttemptEnded, ResponseRecord};
use crate::transport::Failure;

#[derive(Debug, Default)]
pub(super) struct LostTarget {
    /// Whether the target ever responded to a delivery.
    responded: bool,
    /// The scenario and step of the first refused connection since the last other result.
    refused_since: Option<(String, usize)>,
}

impl LostTarget {
    pub(super) fn observe(&mut self, attempt: &AttemptEnded, scenario: &str) {
        // Other requests may go to other servers.
        if attempt.event_name.is_none() {
            return;
        }
        match &attempt.response {
            ResponseRecord::Failure { name, .. } if *name == Failure::REFUSED => {
                let place = || (scenario.to_owned(), attempt.step);
                self.refused_since.get_or_insert_with(place);
            }
            response => {
                self.responded |= response.status().is_some();
                self.refused_since = None;
            }
        }
    }

    pub(super) fn note(&self) -> Option<String> {
        let (name, step) = self.refused_since.as_ref().filter(|_| self.responded)?;
        let name = sanitize(name);
        Some(format!(
            "the target has refused connections since step {step} of “{name}”; check its log for a \
             crash"
        ))
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
    fn a_target_that_refuses_until_the_end_is_reported_with_the_first_step() {
        let refused = Some("refused");
        let gone = note(&[(1, None), (2, refused), (3, refused)]).expect("gone");
        assert!(
            gone.starts_with("the target has refused connections since step 2 of “a coupon”"),
            "{gone}"
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
