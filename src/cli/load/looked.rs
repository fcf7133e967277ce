//! `--check-effects`: of how many events it is looked at what they brought.

use std::str::FromStr;

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
