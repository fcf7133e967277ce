//! Whether the target went away in the middle of the run: it had answered, and from some delivery on
//! it refused every connection until the end. Known from the run's events alone.

use std::collections::BTreeMap;

use super::printable::printable;
use crate::harness::{ResponseRecord, RunEvent};

/// Watches the deliveries of a run.
#[derive(Debug, Default)]
pub(super) struct GoneTarget {
    /// The names of the scenarios that are under way.
    names: BTreeMap<usize, String>,
    /// Whether a delivery was ever answered.
    answered: bool,
    /// The scenario and the step since which nothing but refusals came.
    since: Option<(String, usize)>,
}

impl GoneTarget {
    /// Takes an event.
    pub(super) fn observe(&mut self, event: &RunEvent) {
        match event {
            RunEvent::ScenarioStarted(started) => {
                self.names.insert(started.scenario, started.name.clone());
            }
            RunEvent::ScenarioEnded(ended) => _ = self.names.remove(&ended.scenario),
            // A request that is no delivery may go elsewhere.
            RunEvent::AttemptEnded(attempt) if attempt.event_name.is_some() => {
                match &attempt.answer {
                    ResponseRecord::Failure { name, .. } if name == "refused" => {
                        let name = self.names.get(&attempt.scenario);
                        let name = name.cloned().unwrap_or_default();
                        self.since.get_or_insert((name, attempt.step));
                    }
                    ResponseRecord::Failure { .. } => self.since = None,
                    ResponseRecord::Response { .. } => {
                        self.answered = true;
                        self.since = None;
                    }
                }
            }
            _ => {}
        }
    }

    /// What to say of it at the end of the run.
    pub(super) fn in_words(&self) -> Option<String> {
        let (name, step) = self.since.as_ref().filter(|_| self.answered)?;
        let name = printable(name);
        Some(format!(
            "the target has refused connections since step {step} of “{name}”: look for a crash in \
             its log"
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attempt(step: usize, event_name: Option<&str>, failure: Option<&str>) -> RunEvent {
        let body = json!({ "text": "", "length": 0, "truncated": false });
        let answer = match failure {
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
            "answer": answer, "unheard_answer": null,
        });
        RunEvent::from_json(line.to_string().as_bytes()).expect("an event")
    }

    fn told(attempts: &[(usize, Option<&str>)]) -> Option<String> {
        let mut target = GoneTarget::default();
        target.names.insert(1, "a coupon".to_owned());
        for (step, failure) in attempts {
            target.observe(&attempt(*step, Some("welcome"), *failure));
        }
        // What goes elsewhere says nothing.
        target.observe(&attempt(9, None, None));
        target.in_words()
    }

    #[test]
    fn a_target_that_is_gone_until_the_end_is_told_with_its_place() {
        let refused = Some("refused");
        let gone = told(&[(1, None), (2, refused), (3, refused)]).expect("gone");
        assert!(
            gone.starts_with("the target has refused connections since step 2 of “a coupon”"),
            "{gone}"
        );
        for still_there in [
            &[(1, None), (2, None)][..],
            &[(1, None), (2, refused), (3, None)],
            &[(1, None), (2, refused), (3, Some("timeout"))],
            // That it never was there is said otherwise.
            &[(1, refused), (2, refused)],
        ] {
            assert_eq!(told(still_there), None, "{still_there:?}");
        }
    }
}
