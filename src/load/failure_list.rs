//! Collects the failed events of a load: those with unexpected effects, the unacknowledged ones and the
//! accepted forgeries.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::effect_check::MOST_LISTED;
use super::effects_report::EffectsReport;
use super::failed_events::{FailedEvent, FailedEventsHead, FailedTreatment, write_failed_line};
use super::report::LoadReport;
use super::run::LoadResult;
use super::sent_events::SentEvents;
use super::treatment_mix::Treatment;

#[derive(Debug, Default)]
pub(crate) struct FailureList {
    /// The problem of each event, by number.
    listed: BTreeMap<u64, String>,
    left_out: u64,
}

impl FailureList {
    pub(crate) fn new(result: &LoadResult, effects: Option<&EffectsReport>) -> Self {
        let mut listed: BTreeMap<u64, String> = BTreeMap::new();
        let mut list = |number: u64, problem: &str| {
            let problems = listed.entry(number).or_default();
            if !problems.is_empty() {
                problems.push_str(", and ");
            }
            problems.push_str(problem);
        };
        let accepted = &result.accepted_forgeries;
        for number in accepted {
            list(*number, "a forgery was accepted");
        }
        let unacknowledged: Vec<u64> = result.unacknowledged.unexpected().collect();
        for number in unacknowledged.iter().take(MOST_LISTED) {
            list(*number, "it was not acknowledged");
        }
        let wrong = effects.map_or(&[][..], |effects| effects.wrong.as_slice());
        for effect in wrong {
            list(effect.number, &effect.problem);
        }
        let (counts, warmup) = (&result.measurements.counts, &result.measurements.warmup);
        let all_accepted = counts.accepted_forgeries + warmup.accepted_forgeries;
        let beyond = |all: u64, listed: usize| all.saturating_sub(listed as u64);
        let left_out = beyond(all_accepted, accepted.len())
            + beyond(unacknowledged.len() as u64, MOST_LISTED)
            + beyond(effects.map_or(0, EffectsReport::wrong), wrong.len());
        Self { listed, left_out }
    }

    pub(crate) fn len(&self) -> u64 {
        self.listed.len() as u64
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Writes the failures file: the head, and every event with what is needed to send it again.
    pub(crate) fn write(
        &self,
        report: &LoadReport,
        events: &mut SentEvents<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let head = FailedEventsHead::new(report, self.len(), self.left_out);
        write_failed_line(&head, out)?;
        let of_players = events.of_same_players(self.listed.keys().copied());
        for (number, problem) in &self.listed {
            let sent = events.get(*number);
            let player_id = sent.event.event_data.player_id.to_string();
            let failed = FailedEvent {
                number: sent.number,
                event_id: sent.event.event_id.to_string(),
                shares_player: of_players.get(&player_id).is_some_and(|all| all.len() > 1),
                player_id,
                treatment: FailedTreatment::from(sent.treatment),
                forgery: match sent.treatment {
                    Treatment::Forged(forgery) => Some(forgery),
                    _ => None,
                },
                problem: problem.clone(),
                origin: sent.origin,
                body: events.body(*number),
            };
            write_failed_line(&failed, out)?;
        }
        out.flush()
    }
}
