//! `--check-effects`: of how many events it is looked at what they brought.

use std::str::FromStr;

use super::super::command_error::CommandError;
use super::effect_check::PROBE;
use crate::harness::RunContext;

/// The effects that are looked at where nothing is said.
const LOOKED_AT: u64 = 1000;

/// Of how many events the effects are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    All,
    Some(u64),
    None,
}

impl FromStr for Looked {
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

/// Of how many events the effects are looked at, by what was asked for; none where they can't be.
pub(super) fn at(
    asked: Option<Looked>,
    harness: &RunContext,
    players_hold_something: bool,
) -> Result<Option<Looked>, CommandError> {
    let has_probe = harness.probes.contains_key(PROBE);
    match asked {
        Some(Looked::None) => Ok(None),
        Some(_) if !has_probe => {
            let help = "add `probes: { quantity: … }` to a profile of aghook.yaml, or leave \
                        `--check-effects` out";
            let message = "effects can't be looked at without the probe `quantity`";
            Err(CommandError::usage(message, help.to_owned()))
        }
        Some(_) if players_hold_something => {
            let help = "leave `--check-effects` out, or take a profile without `players`";
            let message = "effects of a load can be looked at for new players only, and the \
                           profile's `players` can hold something already";
            Err(CommandError::usage(message, help.to_owned()))
        }
        None if players_hold_something => Ok(None),
        Some(looked) => Ok(Some(looked)),
        None => Ok(has_probe.then_some(Looked::Some(LOOKED_AT))),
    }
}
