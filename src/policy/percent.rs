//! A percentage, such as `5%` of the events.

use std::fmt;
use std::str::FromStr;

/// A percentage from 0% to 100%, stored in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u32);

/// An invalid percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a percentage from 0% to 100% such as `5%` or `0.1%`; found `{0}`")]
pub struct PercentError(String);

impl Percent {
    /// 100% in millionths.
    pub const WHOLE: u32 = 1_000_000;

    /// 0%.
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

    /// The percentage in millionths.
    pub fn millionths(self) -> u32 {
        self.0
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || PercentError(text.to_owned());
        let percent = text.strip_suffix('%').ok_or_else(invalid)?.trim();
        let (whole, fraction) = percent.split_once('.').unwrap_or((percent, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 4 {
            return Err(invalid());
        }
        let fraction: u32 = format!("{fraction:0<4}").parse().map_err(|_| invalid())?;
        let whole: u32 = whole.parse().map_err(|_| invalid())?;
        let millionths = whole
            .checked_mul(10_000)
            .and_then(|millionths| millionths.checked_add(fraction));
        match millionths {
            Some(millionths) if millionths <= Self::WHOLE => Ok(Self(millionths)),
            _ => Err(invalid()),
        }
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
            let error = text.parse::<Percent>().expect_err(text).to_string();
            assert!(error.contains("`0.1%`"), "{error}");
        }
    }
}
