//! The file of the events that went wrong: a JSON object a line, with the exact body.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use super::super::command_error::CommandError;
use super::effect_check::{EffectCheck, treatment_words};
use crate::load::{EffectsReport, EventOrigin};

/// An event that went wrong, as it can be sent again.
#[derive(Serialize)]
struct Failure<'check> {
    number: u64,
    event_id: &'check str,
    player_id: &'check str,
    treatment: String,
    problem: &'check str,
    #[serde(flatten)]
    origin: Option<EventOrigin>,
    body: &'check str,
}

/// Writes the events whose effects are wrong and the forgeries that were accepted, and says how many
/// there are. Without any, no file is made.
pub(super) fn write(
    path: &Path,
    check: &EffectCheck<'_>,
    effects: Option<&EffectsReport>,
) -> Result<usize, CommandError> {
    let wrong = effects.map_or(&[][..], |effects| effects.wrong.as_slice());
    let of_effects = wrong.iter().map(|one| (one.number, one.problem.as_str()));
    let accepted = check.result.accepted_forgeries.iter();
    let accepted = accepted.map(|number| (*number, "a forgery was accepted"));
    let failures: Vec<(u64, &str)> = of_effects.chain(accepted).collect();
    if failures.is_empty() {
        return Ok(0);
    }
    let written = File::create(path).and_then(|file| {
        let mut out = BufWriter::new(file);
        let mut source = check.source.clone();
        let mut body = Vec::new();
        for (number, problem) in &failures {
            let event = source.event(*number);
            source.write_body(*number, &mut body);
            let failure = Failure {
                number: *number,
                event_id: &event.event_id,
                player_id: &event.event_data.player_id,
                treatment: treatment_words(source.treatment(*number)),
                problem,
                origin: source.origin(*number),
                body: &String::from_utf8_lossy(&body),
            };
            serde_json::to_writer(&mut out, &failure)?;
            out.write_all(b"\n")?;
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
    Ok(failures.len())
}
