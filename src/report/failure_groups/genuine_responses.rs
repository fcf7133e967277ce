//! The responses to the genuinely signed deliveries of a run, and advice if many of them are wrong in
//! the same way.

use std::collections::{BTreeMap, BTreeSet};

use super::response_bodies::ResponseBodies;
use crate::diagnose::{MARK_BUNDLES, SetupMistake, token_help};
use crate::report::scenario_record::responses;
use crate::run::{AttemptEnded, DeliveredItems, ResponseRecord, setup_mistake};

/// The fewest responses that show a mistake in the set-up for it to be named.
const MIN_MISTAKES: usize = 2;

#[derive(Debug, Default)]
pub(super) struct GenuineResponses {
    statuses: BTreeMap<u16, usize>,
    mistakes: BTreeMap<SetupMistake, usize>,
    bodies: ResponseBodies,
    /// The names of the headers that the profile adds.
    own_headers: BTreeSet<String>,
    plain: Acceptance,
    bundles: Acceptance,
    /// Whether any check of a genuine delivery has a problem.
    pub(super) has_problems: bool,
}

/// How often a kind of item was accepted, and refused with a status that is about the item.
#[derive(Debug, Default)]
struct Acceptance {
    accepted: usize,
    refused: usize,
}

impl Acceptance {
    fn add(&mut self, status: Option<u16>) {
        match status {
            Some(200..300) => self.accepted += 1,
            Some(400 | 404 | 422) => self.refused += 1,
            _ => {}
        }
    }
}

impl GenuineResponses {
    pub(super) fn observe(&mut self, attempts: &[AttemptEnded]) {
        let genuine = attempts
            .iter()
            .filter(|attempt| attempt.event_name.is_some() && attempt.forgery.is_none());
        for attempt in genuine {
            let has_credentials = attempt.request.has_credentials();
            responses(attempt).for_each(|response| self.add(response, has_credentials));
            let names = attempt.request.credential_names();
            self.own_headers.extend(names.map(str::to_owned));
            if attempt.fault.is_none() {
                let kind = if DeliveredItems::of(attempt).has_bundle {
                    &mut self.bundles
                } else {
                    &mut self.plain
                };
                kind.add(attempt.response.status());
            }
        }
    }

    fn add(&mut self, response: &ResponseRecord, has_credentials: bool) {
        self.bodies.observe(response);
        if let ResponseRecord::Response { status, .. } = response {
            *self.statuses.entry(*status).or_default() += 1;
        }
        if let Some(mistake) = setup_mistake(response, has_credentials) {
            *self.mistakes.entry(mistake).or_default() += 1;
        }
    }

    /// What many responses have in common, and what to do about it.
    pub(super) fn advice(&self) -> Option<String> {
        if !self.has_problems || self.statuses.is_empty() {
            return None;
        }
        let refuses_bundles = self.bundles.accepted == 0 && self.bundles.refused >= MIN_MISTAKES;
        if refuses_bundles && self.plain.accepted > 0 {
            let count = self.bundles.refused;
            return Some(format!(
                "bundles were refused {count} times, and plain items accepted: {MARK_BUNDLES}"
            ));
        }
        let counts = || self.statuses.iter();
        let all: usize = counts().map(|(_, count)| count).sum();
        let named = self
            .mistakes
            .iter()
            .filter(|(mistake, count)| match mistake {
                SetupMistake::RateLimit(_) => true,
                // A wrong address answers all deliveries.
                SetupMistake::HtmlPage(..) => **count * 2 > all,
                _ => **count >= MIN_MISTAKES,
            });
        let named = named.map(|(mistake, count)| {
            format!(
                "{mistake} in {count} responses to genuine deliveries: {}",
                mistake.help()
            )
        });
        let named: Vec<String> = named.collect();
        if !named.is_empty() {
            return Some(named.join(". "));
        }
        // The statuses of most responses, if they match.
        let most = |matches: fn(u16) -> bool| {
            let matching = counts().filter(|(status, _)| matches(**status));
            let (statuses, counts): (Vec<&u16>, Vec<&usize>) = matching.unzip();
            let statuses: Vec<String> = statuses.into_iter().map(u16::to_string).collect();
            let is_most = counts.into_iter().sum::<usize>() * 2 > all;
            is_most.then(|| statuses.join(", "))
        };
        let body = self.bodies.most_frequent();
        let body = body.map_or_else(String::new, |body| format!(": {body}"));
        if let Some(statuses) = most(|status| matches!(status, 400 | 401 | 403 | 422)) {
            let has_401 = self.statuses.contains_key(&401);
            let own: Vec<String> = self.own_headers.iter().cloned().collect();
            let token = has_401.then(|| format!(". Or {}", token_help(&own)));
            let token = token.unwrap_or_default();
            return Some(format!(
                "most genuine deliveries were refused ({statuses}{body}). Check that the receiver has \
                 the same secret. If so, log in the receiver the raw body, the timestamp and the \
                 signature that it computes: `aghook verify BODY --timestamp SECONDS --signature \
                 COMPUTED_HEX` finds the mistake. If the response complains about a player or an \
                 item instead, list existing ones under `players` and `items` in the profile{token}"
            ));
        }
        most(|status| status >= 500).map(|statuses| {
            format!(
                "most genuine deliveries failed ({statuses}{body}): see the receiver's log for the \
                 reason"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::BodyRecord;

    fn genuine(has_problems: bool, responses: &[(u16, &str)]) -> GenuineResponses {
        let mut genuine = GenuineResponses {
            has_problems,
            ..GenuineResponses::default()
        };
        for (status, body) in responses {
            let response = ResponseRecord::Response {
                status: *status,
                headers: Vec::new(),
                body: BodyRecord::new(body.as_bytes(), body.len() as u64, false),
            };
            genuine.add(&response, false);
        }
        genuine
    }

    #[test]
    fn advice_needs_the_same_wrong_response_to_most_deliveries() {
        for (responses, text) in [
            (
                &[(403, "")][..],
                "refused (403). Check that the receiver has the same secret",
            ),
            (
                &[(400, ""), (401, ""), (200, "")],
                "refused (400, 401). Check",
            ),
            (&[(404, ""), (404, "")], "check the path"),
            (&[(200, ""), (429, "")], "set `max_rate` in the profile"),
            (
                &[(500, ""), (503, "")],
                "failed (500, 503): see the receiver's log",
            ),
            (
                &[
                    (200, ""),
                    (200, ""),
                    (404, "no such player"),
                    (422, "unknown player"),
                ],
                "the game does not know the player in 2 responses",
            ),
        ] {
            let advised = genuine(true, responses).advice().expect("advice");
            assert!(advised.contains(text), "{advised}");
            assert_eq!(genuine(false, responses).advice(), None);
        }
        let page = "<!doctype html><title>Error response</title>";
        for mixed in [
            &[][..],
            &[(200, ""), (400, page), (200, ""), (400, page)],
            &[(200, ""), (403, "")],
            &[(403, ""), (500, "")],
            &[(409, "")],
        ] {
            assert_eq!(genuine(true, mixed).advice(), None, "{mixed:?}");
        }
    }
}
