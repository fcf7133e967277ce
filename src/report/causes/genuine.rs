//! How the genuinely signed deliveries of a run were answered, and what to do where all of them were
//! answered wrong in the same way.

use std::collections::BTreeMap;

use super::answered_bodies::AnsweredBodies;
use super::key::checks;
use crate::harness::ResponseRecord;
use crate::report::scenario_story::{ScenarioStory, is_trouble};

/// The statuses that the genuine deliveries of a run were answered with.
#[derive(Debug, Default)]
pub(super) struct GenuineAnswers {
    statuses: BTreeMap<u16, usize>,
    bodies: AnsweredBodies,
    /// Whether anybody minds.
    in_trouble: bool,
}

impl GenuineAnswers {
    /// Takes a scenario that is over. One that told the receiver how to answer says nothing of what
    /// the receiver would have answered.
    pub(super) fn observe(&mut self, story: &ScenarioStory) {
        if story.steps.iter().any(|step| step.script.is_some()) {
            return;
        }
        let genuine = story
            .attempts
            .iter()
            .filter(|attempt| attempt.event_name.is_some() && attempt.forgery.is_none());
        for attempt in genuine {
            let heard = [Some(&attempt.answer), attempt.unheard_answer.as_deref()];
            for answer in heard.into_iter().flatten() {
                self.bodies.observe(answer);
                if let ResponseRecord::Response { status, .. } = answer {
                    *self.statuses.entry(*status).or_default() += 1;
                }
            }
        }
        self.in_trouble |=
            checks(story).any(|placed| placed.is_genuine() && is_trouble(placed.check));
    }

    /// What all of them have in common, and what to do about it.
    pub(super) fn advice(&self) -> Option<String> {
        if !self.in_trouble || self.statuses.is_empty() {
            return None;
        }
        if let Some(turned_away) = self.statuses.get(&429) {
            return Some(format!(
                "429 was answered to genuine deliveries, {turned_away} times: where the receiver takes \
                 only so many in a time, say how many by `max_rate` in the profile"
            ));
        }
        let all = |means: fn(u16) -> bool| self.statuses.keys().all(|status| means(*status));
        let statuses: Vec<String> = self.statuses.keys().map(u16::to_string).collect();
        let body = self.bodies.most_frequent();
        let body = body.map_or_else(String::new, |body| format!(": {body}"));
        let statuses = format!("{}{body}", statuses.join(", "));
        if all(|status| matches!(status, 400 | 401 | 403)) {
            return Some(format!(
                "every genuinely signed delivery was refused ({statuses}). Where that names a player \
                 or an item, tell those that the game knows by `players` and `items` of the profile. \
                 Else it looks like another secret, or a signature that is checked in another way. Let \
                 the receiver log the body, the timestamp and the signature that it computes; then \
                 `aghook verify BODY --timestamp SECONDS --signature HEX` names the mistake"
            ));
        }
        if all(|status| matches!(status, 404 | 405)) {
            return Some(format!(
                "every genuine delivery was refused ({statuses}): look at the path of the target, \
                 whether the receiver takes POST there, and whether it knows the players and items \
                 (`players` and `items` of the profile)"
            ));
        }
        all(|status| status >= 500).then(|| {
            format!(
                "every genuine delivery failed ({statuses}): look for the reason in the receiver's \
                 log"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(in_trouble: bool, statuses: &[u16]) -> Option<String> {
        let genuine = GenuineAnswers {
            statuses: statuses.iter().map(|status| (*status, 1)).collect(),
            bodies: AnsweredBodies::default(),
            in_trouble,
        };
        genuine.advice()
    }

    #[test]
    fn only_what_all_answers_have_in_common_is_advised_on() {
        for (statuses, words) in [
            (&[403][..], "refused (403). Where that names a player"),
            (&[400, 401], "refused (400, 401). Where that names"),
            (&[404], "look at the path"),
            (&[200, 429], "say how many by `max_rate`"),
            (&[500, 503], "failed (500, 503): look for the reason"),
        ] {
            let told = advice(true, statuses).expect("advice");
            assert!(told.contains(words), "{told}");
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
