//! Durations as people write them: `300ms`, `2s`, `1m30s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::{self, Unexpected};
use serde::{Serialize, Serializer};

use super::written::{Written, deserialize_written};

const EXPECTED: &str = "a duration such as `300ms`, `2s`, `5m`, `1h`, `2d` or `1m30s`";

/// The units and their lengths in nanoseconds, largest first.
const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Displayed with the largest possible units, so `90s` becomes `1m30s`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(
    rename = "Duration",
    with = "String",
    description = "A duration in whole numbers with units (d, h, m, s, ms, us, ns), the largest unit first.",
    extend(
        "pattern" = "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?([0-9]+us)?([0-9]+ns)?$",
        "examples" = ["300ms", "2s", "5m", "1m30s"],
    )
)]
pub struct DurationText(pub Duration);

impl FromStr for DurationText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let too_long = || format!("the duration `{text}` is too long");
        let (mut rest, mut next_unit, mut nanoseconds) = (text, 0, 0_u128);
        while !rest.is_empty() || next_unit == 0 {
            let (number, after) = split_at_first(rest, |c| !c.is_ascii_digit());
            let (unit, after) = split_at_first(after, |c| c.is_ascii_digit());
            if number.is_empty() {
                return Err(format!("expected {EXPECTED}, found `{text}`"));
            }
            if unit.is_empty() {
                return Err(format!(
                    "expected a unit after `{number}` (d, h, m, s, ms, us or ns), as in `300ms` or \
                     `1m30s`"
                ));
            }
            let Some(index) = UNITS.iter().position(|(name, _)| *name == unit) else {
                return Err(format!(
                    "expected one of the units d, h, m, s, ms, us and ns, found `{unit}`"
                ));
            };
            if index < next_unit {
                return Err(format!(
                    "expected each unit once, the largest first, as in `1h30m`, found `{text}`"
                ));
            }
            let number: u128 = number.parse().map_err(|_| too_long())?;
            nanoseconds = number
                .checked_mul(UNITS[index].1)
                .and_then(|part| nanoseconds.checked_add(part))
                .ok_or_else(too_long)?;
            (rest, next_unit) = (after, index + 1);
        }
        if nanoseconds > Duration::MAX.as_nanos() {
            return Err(too_long());
        }
        Ok(Self(Duration::from_nanos_u128(nanoseconds)))
    }
}

fn split_at_first(text: &str, stops: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stops).unwrap_or(text.len()))
}

impl fmt::Display for DurationText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_nanos();
        if rest == 0 {
            return formatter.write_str("0s");
        }
        for (unit, length) in UNITS {
            let count = rest / length;
            rest %= length;
            if count > 0 {
                write!(formatter, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

impl From<Duration> for DurationText {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl Serialize for DurationText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Written for DurationText {
    const EXPECTED: &'static str = EXPECTED;

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(text) => text.parse().map_err(E::custom),
            other => Err(E::invalid_type(other, &EXPECTED)),
        }
    }
}

deserialize_written!(DurationText);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<Duration, String> {
        text.parse::<DurationText>().map(|duration| duration.0)
    }

    #[test]
    fn reads_common_durations() {
        for (text, milliseconds) in [
            ("300ms", 300),
            ("2s", 2_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("2d", 172_800_000),
            ("1m30s", 90_000),
            ("0s", 0),
        ] {
            assert_eq!(parsed(text), Ok(Duration::from_millis(milliseconds)));
        }
    }

    #[test]
    fn says_what_it_expected() {
        let message = |text| parsed(text).expect_err(text);
        let expected = |found: &str| format!("expected {EXPECTED}, found `{found}`");
        for text in ["", "fast", "-5s", "1s x", " 1s"] {
            let message = message(text);
            assert!(message.starts_with("expected "), "{text}: {message}");
        }
        assert_eq!(message("fast"), expected("fast"));
        assert!(message("5").contains("expected a unit after `5`"));
        assert!(message("5sec").contains("found `sec`"));
        assert!(message("5µs").contains("found `µs`"));
        assert!(message("1.5s").contains("found `.`"));
        assert!(message("30s1m").contains("the largest first"));
        assert!(message("1s1s").contains("each unit once"));
        assert!(message("999999999999999999999d").contains("too long"));
        assert!(message(&format!("{}s", u128::MAX)).contains("too long"));

        let number =
            serde_json::from_str::<DurationText>("5").expect_err("a number without a unit");
        let shown = format!("invalid type: integer `5`, expected {EXPECTED}");
        assert!(number.to_string().starts_with(&shown), "{number}");
    }

    proptest! {
        #[test]
        fn the_canonical_text_reads_back(seconds: u64, nanoseconds in 0_u32..1_000_000_000) {
            let duration = DurationText(Duration::new(seconds, nanoseconds));
            let text = duration.to_string();
            prop_assert_eq!(text.parse::<DurationText>(), Ok(duration));
            let json = serde_json::to_string(&duration).expect("serialises");
            let back: DurationText = serde_json::from_str(&json).expect("reads back");
            prop_assert_eq!(back, duration);
        }

        #[test]
        fn any_text_is_parsed_or_rejected(text: String) {
            let _ = text.parse::<DurationText>();
        }
    }
}
