//! A percentage, such as `5%` of the events.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Unexpected};
use serde::{Serialize, Serializer};

use super::decimal;
use super::written::{Written, deserialize_written, written_schema};

/// A percentage from 0% to 100%, stored in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u32);

impl Percent {
    pub const WHOLE: u32 = 1_000_000;

    pub const ZERO: Self = Self(0);

    /// The percentage for a fraction from 0 to 1, rounded to millionths.
    pub fn from_fraction(fraction: f64) -> Option<Self> {
        // The check ensures a value from 0 to a million, which fits without loss.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let millionths = |fraction: f64| Self((fraction * f64::from(Self::WHOLE)).round() as u32);
        (0.0..=1.0)
            .contains(&fraction)
            .then(|| millionths(fraction))
    }

    /// Splits it into one part of `divisor` and the remainder.
    #[must_use]
    pub fn split(self, divisor: std::num::NonZeroU32) -> (Self, Self) {
        let part = self.0 / divisor;
        (Self(part), Self(self.0 - part))
    }

    pub fn millionths(self) -> u32 {
        self.0
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let millionths = text.strip_suffix('%').and_then(|percent| {
            let (whole, fraction) = decimal(percent.trim(), 4)?;
            let millionths = whole.checked_mul(10_000)?.checked_add(fraction.into())?;
            u32::try_from(millionths)
                .ok()
                .filter(|millionths| *millionths <= Self::WHOLE)
        });
        millionths.map(Self).ok_or_else(|| {
            format!("expected a percentage from 0% to 100% such as `5%` or `0.1%`; found `{text}`")
        })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, rest) = (self.0 / 10_000, self.0 % 10_000);
        let fraction = format!("{rest:04}");
        match fraction.trim_end_matches('0') {
            "" => write!(formatter, "{percent}%"),
            fraction => write!(formatter, "{percent}.{fraction}%"),
        }
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How files write a policy's jitter. Rounds to millionths, unlike a percentage on the command line,
/// which must be exact.
impl Written for Percent {
    const EXPECTED: &'static str =
        "a percentage such as `10%`, from 0% to 100%, or a number from 0 to 1";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        let (fraction, found) = match scalar {
            Unexpected::Str(text) => {
                let percent = text.strip_suffix('%').unwrap_or_default();
                let is_number = percent.starts_with(|first: char| first.is_ascii_digit());
                let percent = percent.parse().ok().filter(|_: &f64| is_number);
                (percent.map(|percent| percent / 100.0), text.to_owned())
            }
            Unexpected::Float(fraction) => (Some(fraction), fraction.to_string()),
            Unexpected::Unsigned(0) => (Some(0.0), String::new()),
            Unexpected::Unsigned(1) => (Some(1.0), String::new()),
            Unexpected::Unsigned(number) => (None, number.to_string()),
            Unexpected::Signed(number) => (None, number.to_string()),
            other => return Err(E::invalid_type(other, &Self::EXPECTED)),
        };
        fraction
            .and_then(Self::from_fraction)
            .ok_or_else(|| E::custom(format_args!("expected {}, found `{found}`", Self::EXPECTED)))
    }
}

deserialize_written!(Percent);

written_schema!(Percent, "Jitter", |_| {
    "description": "How much a delay may randomly vary in either direction: 10% or 0.1.",
    "oneOf": [
        { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?%$" },
        { "type": "number", "minimum": 0, "maximum": 1 },
    ],
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_exact() {
        for (text, millionths) in [
            ("0%", 0),
            ("5%", 50_000),
            ("0.1%", 1000),
            ("100%", 1_000_000),
        ] {
            let percent: Percent = text.parse().expect(text);
            assert_eq!(percent.millionths(), millionths);
            assert_eq!(percent.to_string(), text);
        }
    }

    #[test]
    fn splitting_loses_nothing() {
        let divisor = std::num::NonZeroU32::new(5).expect("not zero");
        for (text, part, rest) in [
            ("10%", "2%", "8%"),
            ("0%", "0%", "0%"),
            ("0.0003%", "0%", "0.0003%"),
            ("0.0006%", "0.0001%", "0.0005%"),
        ] {
            let percent: Percent = text.parse().expect(text);
            let (split, remainder) = percent.split(divisor);
            assert_eq!(
                (split.to_string(), remainder.to_string()),
                (part.into(), rest.into())
            );
        }
    }

    #[test]
    fn invalid_percentages_are_refused() {
        for text in [
            "",
            "5",
            "%",
            "-1%",
            "100.1%",
            "1.%",
            ".5%",
            "0.00001%",
            "x%",
            "99999999999%",
        ] {
            let error = text.parse::<Percent>().expect_err(text);
            assert!(error.contains("`0.1%`"), "{error}");
        }
    }
}
