//! `--check-effects`: how many events to check after the load.

use std::str::FromStr;

use super::super::command_error::CommandError;
use super::effect_check::PROBE;
use crate::run::RunContext;

/// The default size of the sample.
const DEFAULT_SIZE: u64 = 1000;

/// How many events to check after the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EffectSample {
    All,
    Some(u64),
    None,
}

impl FromStr for EffectSample {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self::All),
            "none" | "0" => Ok(Self::None),
            number => number
                .parse()
                .map(Self::Some)
                .map_err(|_| "expected `all`, `none` or a number of events".to_owned()),
        }
    }
}

/// The sample to check; `None` if effects are not checked.
pub(super) fn choose(
    requested: Option<EffectSample>,
    context: &RunContext,
    has_listed_players: bool,
) -> Result<Option<EffectSample>, CommandError> {
    let has_probe = context.probes.contains_key(PROBE);
    match requested {
        Some(EffectSample::None) => Ok(None),
        Some(_) if !has_probe => {
            let help = "add `probes: { quantity: … }` to a profile in aghook.yaml, or remove \
                        `--check-effects`";
            let message = "effects can't be checked without the probe `quantity`";
            Err(CommandError::usage(message, help.to_owned()))
        }
        Some(_) if has_listed_players => {
            let help = "remove `--check-effects`, or use a profile without `players`";
            let message = "effects of a load can be checked only for new players, but the profile \
                           lists `players` that may already hold items";
            Err(CommandError::usage(message, help.to_owned()))
        }
        None if has_listed_players => Ok(None),
        Some(sample) => Ok(Some(sample)),
        None => Ok(has_probe.then_some(EffectSample::Some(DEFAULT_SIZE))),
    }
}
