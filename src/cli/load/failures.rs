//! Collects the failed events and writes them to the failures file.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use super::super::command_error::CommandError;
use super::effect_check::{EffectCheck, MOST_LISTED};
use crate::load::{
    EffectsReport, FailedEvent, FailedEventsHead, FailedTreatment, Treatment, begins_failed_events,
    write_failed_line,
};

/// The longest first line to read, in bytes.
const LONGEST_HEAD: u64 = 64 * 1024;

/// The failed events.
struct Failures {
    /// The problem of each event, by number.
    listed: BTreeMap<u64, String>,
    /// How many more failed events are not listed.
    left_out: u64,
}

/// Checks before anything is sent that the file can be written. Neither changes an existing file nor
/// leaves a new one.
pub(super) fn check_writable(path: &Path) -> Result<(), CommandError> {
    if has_other_content(path).unwrap_or(false) {
        let message = format!(
            "{} exists and is not a failures file, so the load could overwrite other data",
            path.display()
        );
        let help = "choose another file with `--failures FILE`";
        return Err(CommandError::usage(message, help.to_owned()));
    }
    let opened = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| OpenOptions::new().write(true).create_new(true).open(path));
    let checked = match opened {
        Ok(_) => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().append(true).open(path).map(|_| ())
        }
        Err(error) => Err(error),
    };
    checked.map_err(|error| {
        let message = format!(
            "failed events could not be written to {}: {error}",
            path.display()
        );
        let help = "nothing was sent; choose another file with `--failures FILE`";
        CommandError::not_completed(message, help.to_owned())
    })
}

/// Whether the file exists and is not a failures file.
fn has_other_content(path: &Path) -> io::Result<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    let mut line = Vec::new();
    let mut file = BufReader::new(File::open(path)?.take(LONGEST_HEAD));
    file.read_until(b'\n', &mut line)?;
    Ok(!line.is_empty() && !begins_failed_events(&line))
}

/// Writes the events with unexpected effects, the unacknowledged events and the accepted forgeries, and
/// returns how many it wrote. Creates no file if there are none.
pub(super) fn write(
    path: &Path,
    mut head: FailedEventsHead,
    check: &EffectCheck<'_>,
    effects: Option<&EffectsReport>,
) -> Result<u64, CommandError> {
    let failures = Failures::of(check, effects);
    if failures.listed.is_empty() {
        return Ok(0);
    }
    let count = failures.listed.len() as u64;
    head.events = count;
    head.left_out = failures.left_out;
    let written = File::create(path).and_then(|file| {
        let mut out = BufWriter::new(file);
        write_failed_line(&head, &mut out)?;
        for event in failures.events(check) {
            write_failed_line(&event, &mut out)?;
        }
        out.flush()
    });
    written.map_err(|error| {
        let message = format!(
            "can't write the failed events to {}: {error}",
            path.display()
        );
        CommandError::not_completed(message, None)
    })?;
    Ok(count)
}

impl Failures {
    fn of(check: &EffectCheck<'_>, effects: Option<&EffectsReport>) -> Self {
        let result = check.result;
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

    /// The failed events, each rebuilt from its number.
    fn events(&self, check: &EffectCheck<'_>) -> impl Iterator<Item = FailedEvent> {
        let mut source = check.source.clone();
        let events_of = self.events_of_players(check);
        self.listed.iter().map(move |(number, problem)| {
            let treatment = source.treatment(*number);
            let derived = source.derive(*number);
            let (mut body, origin) = (Vec::new(), derived.origin());
            derived.write_body(&mut body);
            let event = derived.into_event();
            let player_id = event.event_data.player_id.to_string();
            FailedEvent {
                number: *number,
                event_id: event.event_id.to_string(),
                shares_player: events_of.get(&player_id).is_some_and(|count| *count > 1),
                player_id,
                treatment: FailedTreatment::from(treatment),
                forgery: match treatment {
                    Treatment::Forged(forgery) => Some(forgery),
                    _ => None,
                },
                problem: problem.clone(),
                origin,
                body: String::from_utf8_lossy(&body).into_owned(),
            }
        })
    }

    /// How many events of the load each of these players has.
    fn events_of_players(&self, check: &EffectCheck<'_>) -> HashMap<String, u64> {
        let mut source = check.source.clone();
        let mut player = |number: u64| {
            let event = source.derive(number).into_event();
            event.event_data.player_id.to_string()
        };
        let numbers = self.listed.keys();
        let mut counts: HashMap<String, u64> = numbers.map(|number| (player(*number), 0)).collect();
        for index in 0..check.result.started {
            if let Some(count) = counts.get_mut(&player(check.shard.number(index))) {
                *count += 1;
            }
        }
        counts
    }
}
