//! Detects that the target went away during the run: it responded at first, then refused every
//! connection until the end.

use std::collections::BTreeMap;

use super::sanitize::sanitize;
use crate::run::{ResponseRecord, RunEvent};

/// Watches the deliveries of a run.
#[derive(Debug, Default)]
pub(super) struct LostTarget {
    /// The names of the running scenarios.
    names: BTreeMap<usize, String>,
    /// Whether the target ever responded to a delivery.
    responded: bool,
    /// The scenario and step of the first refused connection since the last other result.
    refused_since: Option<(String, usize)>,
}

impl LostTarget {
    pub(super) fn observe(&mut self, event: &RunEvent) {
        match event {
            RunEvent::ScenarioStarted(started) => {
                self.names.insert(started.scenario, started.name.clone());
            }
            RunEvent::ScenarioEnded(ended) => _ = self.names.remove(&ended.scenario),
            // Other requests may go to other servers.
            RunEvent::AttemptEnded(attempt) if attempt.event_name.is_some() => {
                match &attempt.response {
                    ResponseRecord::Failure { name, .. } if name == "refused" => {
                        let name = self.names.get(&attempt.scenario);
                        let name = name.cloned().unwrap_or_default();
                        self.refused_since.get_or_insert((name, attempt.step));
                    }
                    ResponseRecord::Failure { .. } => self.refused_since = None,
                    ResponseRecord::Response { .. } => {
                        self.responded = true;
                        self.refused_since = None;
                    }
                }
            }
            _ => {}
        }
    }

    /// The note for the end of the run, if the target went away.
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

    fn attempt(step: usize, event_name: Option<&str>, failure: Option<&str>) -> RunEvent {
        let body = json!({ "text": "", "length": 0, "truncated": false });
        let response = match failure {
            None => json!({ "response": { "status": 503, "headers": [], "body": body } }),
            Some(name) => json!({ "failure": { "name": name, "message": "", "hint": "" } }),
        };
        let line = json!({
            "event": "attempt_ended", "scenario": 1, "step": step, "delivery": 1,
            "event_name": event_name, "forgery": null, "fault": null, "attempt": 1,
            "started_at": "2024-09-05T15:00:50Z", "virtual_offset_seconds": 0.0,
            "delay_before_seconds": 0.0, "took_seconds": 0.1,
            "timings": { "connect_seconds": null, "first_byte_seconds": null, "held_seconds": 0.0 },
            "connection": null,
            "request": { "method": "POST", "url": "http://a/", "headers": [], "body": body },
            "answer": response, "unheard_answer": null,
        });
        RunEvent::from_json(line.to_string().as_bytes()).expect("an event")
    }

    fn note(attempts: &[(usize, Option<&str>)]) -> Option<String> {
        let mut target = LostTarget::default();
        target.names.insert(1, "a coupon".to_owned());
        for (step, failure) in attempts {
            target.observe(&attempt(*step, Some("welcome"), *failure));
        }
        // A request to another server is ignored.
        target.observe(&attempt(9, None, None));
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
