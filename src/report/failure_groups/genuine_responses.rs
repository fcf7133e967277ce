//! The responses to the genuinely signed deliveries of a run, and advice if all of them are wrong in
//! the same way.

use std::collections::BTreeMap;

use super::response_bodies::ResponseBodies;
use crate::report::scenario_record::responses;
use crate::run::{AttemptEnded, ResponseRecord};

#[derive(Debug, Default)]
pub(super) struct GenuineResponses {
    statuses: BTreeMap<u16, usize>,
    bodies: ResponseBodies,
    /// Whether any check of a genuine delivery has a problem.
    pub(super) has_problems: bool,
}

impl GenuineResponses {
    pub(super) fn observe(&mut self, attempts: &[AttemptEnded]) {
        let genuine = attempts
            .iter()
            .filter(|attempt| attempt.event_name.is_some() && attempt.forgery.is_none());
        for response in genuine.flat_map(responses) {
            self.bodies.observe(response);
            if let ResponseRecord::Response { status, .. } = response {
                *self.statuses.entry(*status).or_default() += 1;
            }
        }
    }

    /// What all responses have in common, and what to do about it.
    pub(super) fn advice(&self) -> Option<String> {
        if !self.has_problems || self.statuses.is_empty() {
            return None;
        }
        if let Some(count) = self.statuses.get(&429) {
            return Some(format!(
                "the receiver responded with 429 to genuine deliveries ({count} times); if it limits \
                 the request rate, set `max_rate` in the profile"
            ));
        }
        let all = |matches: fn(u16) -> bool| self.statuses.keys().all(|status| matches(*status));
        let statuses: Vec<String> = self.statuses.keys().map(u16::to_string).collect();
        let body = self.bodies.most_frequent();
        let body = body.map_or_else(String::new, |body| format!(": {body}"));
        let statuses = format!("{}{body}", statuses.join(", "));
        if all(|status| matches!(status, 400 | 401 | 403)) {
            return Some(format!(
                "every genuine delivery was refused ({statuses}). Check that the receiver has the \
                 same secret. If so, log in the receiver the raw body, the timestamp and the \
                 signature that it computes: `aghook verify BODY --timestamp SECONDS --signature \
                 COMPUTED_HEX` finds the mistake. If the response complains about a player or an \
                 item instead, list existing ones under `players` and `items` in the profile"
            ));
        }
        if all(|status| matches!(status, 404 | 405)) {
            return Some(format!(
                "every genuine delivery was refused ({statuses}): check the target's path, that the \
                 receiver accepts POST there, and that it knows the players and items (`players` \
                 and `items` in the profile)"
            ));
        }
        all(|status| status >= 500).then(|| {
            format!(
                "every genuine delivery failed ({statuses}): see the receiver's log for the reason"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(has_problems: bool, statuses: &[u16]) -> Option<String> {
        let genuine = GenuineResponses {
            statuses: statuses.iter().map(|status| (*status, 1)).collect(),
            bodies: ResponseBodies::default(),
            has_problems,
        };
        genuine.advice()
    }

    #[test]
    fn advice_needs_the_same_wrong_response_to_all_deliveries() {
        for (statuses, text) in [
            (
                &[403][..],
                "refused (403). Check that the receiver has the same secret",
            ),
            (&[400, 401], "refused (400, 401). Check"),
            (&[404], "check the target's path"),
            (&[200, 429], "set `max_rate` in the profile"),
            (&[500, 503], "failed (500, 503): see the receiver's log"),
        ] {
            let advised = advice(true, statuses).expect("advice");
            assert!(advised.contains(text), "{advised}");
            assert_eq!(advice(false, statuses), None);
        }
        for mixed in [
            &[][..],
            &[200, 403],
            &[403, 404],
            &[403, 500],
            &[409],
            &[302],
        ] {
            assert_eq!(advice(true, mixed), None, "{mixed:?}");
        }
    }
}
