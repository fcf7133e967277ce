//! Parsers of whole numbers on the command line, with helpful errors.

use std::num::{NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};
use std::str::FromStr;

use super::InvalidValue;

pub(super) fn whole(text: &str) -> Result<u64, InvalidValue> {
    read(
        text,
        "a whole number from 0 to 18446744073709551615, such as `42`",
    )
}

pub(super) fn events(text: &str) -> Result<NonZeroU64, InvalidValue> {
    read(text, "a whole number of events from 1, such as `1000`")
}

pub(super) fn cases(text: &str) -> Result<NonZeroU64, InvalidValue> {
    read(text, "a whole number of cases from 1, such as `1000`")
}

pub(super) fn connections(text: &str) -> Result<NonZeroUsize, InvalidValue> {
    const EXPECTED: &str = "a whole number of connections from 1 to 65535, such as `50`";
    // No more connections to one port are possible from one address.
    let connections: NonZeroU16 = read(text, EXPECTED)?;
    Ok(connections.into())
}

pub(super) fn scenarios(text: &str) -> Result<NonZeroUsize, InvalidValue> {
    read(text, "a whole number of scenarios from 1, such as `8`")
}

pub(super) fn repetitions(text: &str) -> Result<NonZeroU32, InvalidValue> {
    read(text, "a whole number from 1, such as `2`")
}

pub(super) fn unix_seconds(text: &str) -> Result<u64, InvalidValue> {
    read(text, "Unix seconds, such as `1763889831`")
}

fn read<T: FromStr>(text: &str, expected: &str) -> Result<T, InvalidValue> {
    text.parse().map_err(|_| InvalidValue::expected(expected))
}
