//! The file of the events that went wrong: which they are, and that it is written.

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

/// The longest first line that is looked at, in bytes.
const LONGEST_HEAD: u64 = 64 * 1024;

/// The events that went wrong.
struct Failures {
    /// By their numbers, what is wrong with each.
    listed: BTreeMap<u64, String>,
    /// How many more there are.
    left_out: u64,
}

/// Makes sure that the file could be written, before anything is sent. One that is there keeps what
/// is in it, and none is left that was not there.
pub(super) fn check_writable(path: &Path) -> Result<(), CommandError> {
    if is_of_something_else(path).unwrap_or(false) {
        let message = format!(
            "{} is there, and it is no file of failed events: it could be written over",
            path.display()
        );
        let help = "name another file with `--failures FILE`";
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
            "events that go wrong could not be written to {}: {error}",
            path.display()
        );
        let help = "nothing was sent; name another file with `--failures FILE`";
        CommandError::not_completed(message, help.to_owned())
    })
}

/// Whether there is a file with anything but failed events.
fn is_of_something_else(path: &Path) -> io::Result<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    let mut line = Vec::new();
    let mut file = BufReader::new(File::open(path)?.take(LONGEST_HEAD));
    file.read_until(b'\n', &mut line)?;
    Ok(!line.is_empty() && !begins_failed_events(&line))
}

/// Writes the events whose effects are wrong, those that were not acknowledged and the forgeries that
/// were accepted, and says how many there are. Without any, no file is made.
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
            "the events that went wrong can't be written to {}: {error}",
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
            let told = listed.entry(number).or_default();
            if !told.is_empty() {
                told.push_str(", and ");
            }
            told.push_str(problem);
        };
        let accepted = &result.accepted_forgeries;
        for number in accepted {
            list(*number, "a forgery was accepted");
        }
        let unacknowledged: Vec<u64> = result.unacknowledged.blamed().collect();
        for number in unacknowledged.iter().take(MOST_LISTED) {
            list(*number, "it was not acknowledged");
        }
        let wrong = effects.map_or(&[][..], |effects| effects.wrong.as_slice());
        for one in wrong {
            list(one.number, &one.problem);
        }
        let (counts, warmup) = (&result.figures.counts, &result.figures.warmup);
        let all_accepted = counts.accepted_forgeries + warmup.accepted_forgeries;
        let beyond = |all: u64, listed: usize| all.saturating_sub(listed as u64);
        let left_out = beyond(all_accepted, accepted.len())
            + beyond(unacknowledged.len() as u64, MOST_LISTED)
            + beyond(effects.map_or(0, EffectsReport::wrong), wrong.len());
        Self { listed, left_out }
    }

    /// The events as they are written; each is made again from its number.
    fn events(&self, check: &EffectCheck<'_>) -> impl Iterator<Item = FailedEvent> {
        let mut source = check.source.clone();
        let events_of = self.events_of_players(check);
        self.listed.iter().map(move |(number, problem)| {
            let event = source.event(*number);
            let player_id = event.event_data.player_id.to_string();
            let mut body = Vec::new();
            source.write_body(*number, &mut body);
            let treatment = source.treatment(*number);
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
                origin: source.origin(*number),
                body: String::from_utf8_lossy(&body).into_owned(),
            }
        })
    }

    /// How many events of the load each of these players has.
    fn events_of_players(&self, check: &EffectCheck<'_>) -> HashMap<String, u64> {
        let mut source = check.source.clone();
        let mut player = |number: u64| source.event(number).event_data.player_id.to_string();
        let numbers = self.listed.keys();
        let mut counts: HashMap<String, u64> = numbers.map(|number| (player(*number), 0)).collect();
        for index in 0..check.result.begun {
            if let Some(count) = counts.get_mut(&player(check.partition.number(index))) {
                *count += 1;
            }
        }
        counts
    }
}
