//! How far the sender's clock is ahead of or behind the real time: `+2s`, `-1m`.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::{self, Unexpected};

use super::duration_text::DurationText;
use super::written::{Written, deserialize_written};

/// The offset of a clock in whole seconds: positive if it is ahead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(
    rename = "ClockOffset",
    with = "String",
    description = "How far a clock is ahead (`+`) or behind (`-`), in whole seconds.",
    extend("pattern" = "^[+-](?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "examples" = ["+2s", "-1m"])
)]
pub struct ClockOffset(i64);

impl ClockOffset {
    /// What such a clock shows, in Unix seconds.
    pub(crate) fn shown_at(self, now: u64) -> u64 {
        now.saturating_add_signed(self.0)
    }
}

impl fmt::Display for ClockOffset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let size = DurationText(Duration::from_secs(self.0.unsigned_abs()));
        write!(formatter, "{sign}{size}")
    }
}

impl Written for ClockOffset {
    const EXPECTED: &'static str = "a sign and a duration in whole seconds, such as `+2s` or `-1m`";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        let invalid = || E::invalid_value(scalar, &Self::EXPECTED);
        let Unexpected::Str(text) = scalar else {
            return Err(invalid());
        };
        let (sign, size) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(size), _) => (1, size),
            (_, Some(size)) => (-1, size),
            (None, None) => return Err(invalid()),
        };
        let DurationText(size) = size.parse().map_err(|_| invalid())?;
        let seconds = i64::try_from(size.as_secs()).map_err(|_| invalid())?;
        if size.subsec_nanos() != 0 {
            return Err(invalid());
        }
        Ok(Self(sign * seconds))
    }
}

deserialize_written!(ClockOffset);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ClockOffset, serde_json::Error> {
        serde_json::from_value(text.into())
    }

    #[test]
    fn an_offset_has_a_sign_and_whole_seconds() {
        for (text, shown, time) in [
            ("+2s", "+2s", 102),
            ("-60s", "-1m", 40),
            ("-2m", "-2m", 0),
            ("+0s", "+0s", 100),
            ("+1m30s", "+1m30s", 190),
        ] {
            let offset = read(text).expect("an offset");
            assert_eq!(offset.to_string(), shown);
            assert_eq!(offset.shown_at(100), time);
        }
        for bad in [
            "2s",
            "",
            "+",
            "+500ms",
            "-1s500ms",
            "--1s",
            "+2",
            "+99999999999999999d",
        ] {
            let error = read(bad).expect_err("refused").to_string();
            assert!(error.contains("such as `+2s` or `-1m`"), "{bad}: {error}");
        }
        assert!(serde_json::from_str::<ClockOffset>("2").is_err());
    }
}
