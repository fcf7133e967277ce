//! A share of events, as `5%`.

use std::fmt;
use std::str::FromStr;

/// A share in millionths, from nothing to all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

/// A text that is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a share such as `5%` or `0.1%`, from 0% to 100%, found `{0}`")]
pub struct ShareError(String);

impl Share {
    /// All of them.
    pub const WHOLE: u32 = 1_000_000;

    /// The `divisor`-th part of it, and the rest; together they are all of it.
    #[must_use]
    pub fn split(self, divisor: std::num::NonZeroU32) -> (Self, Self) {
        let part = self.0 / divisor;
        (Self(part), Self(self.0 - part))
    }

    /// The share in millionths.
    pub fn millionths(self) -> u32 {
        self.0
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ShareError(text.to_owned());
        let percent = text.strip_suffix('%').ok_or_else(refused)?.trim();
        let (whole, fraction) = percent.split_once('.').unwrap_or((percent, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 4 {
            return Err(refused());
        }
        let fraction: u32 = format!("{fraction:0<4}").parse().map_err(|_| refused())?;
        let whole: u32 = whole.parse().map_err(|_| refused())?;
        let millionths = whole
            .checked_mul(10_000)
            .and_then(|millionths| millionths.checked_add(fraction));
        match millionths {
            Some(millionths) if millionths <= Self::WHOLE => Ok(Self(millionths)),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for Share {
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
    fn shares_are_exact() {
        for (text, millionths) in [
            ("0%", 0),
            ("5%", 50_000),
            ("0.1%", 1000),
            ("100%", 1_000_000),
        ] {
            let share: Share = text.parse().expect(text);
            assert_eq!(share.millionths(), millionths);
            assert_eq!(share.to_string(), text);
        }
    }

    #[test]
    fn a_share_is_split_without_a_rest() {
        let divisor = std::num::NonZeroU32::new(5).expect("not zero");
        for (text, part, rest) in [
            ("10%", "2%", "8%"),
            ("0%", "0%", "0%"),
            ("0.0003%", "0%", "0.0003%"),
            ("0.0006%", "0.0001%", "0.0005%"),
        ] {
            let share: Share = text.parse().expect(text);
            let (of_it, others) = share.split(divisor);
            assert_eq!(
                (of_it.to_string(), others.to_string()),
                (part.into(), rest.into())
            );
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
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
            let error = text.parse::<Share>().expect_err(text).to_string();
            assert!(error.contains("`0.1%`"), "{error}");
        }
    }
}
