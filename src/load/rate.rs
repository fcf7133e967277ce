//! The rate of events, and when the n-th event is due.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::policy::DurationText;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rate {
    Max,
    Constant(f64),
    /// A linear change from one rate to another, which then stays.
    Ramp {
        from: f64,
        /// The rate at the end, and after it.
        to: f64,
        over: Duration,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected events per second such as `5000` or `0.5` (at most {MOST}), a ramp such as \
     `100..5000 over 60s`, or `max`; found `{0}`"
)]
pub(crate) struct RateError(String);

/// More events per second than any sender can reach.
const MOST: f64 = 10_000_000.0;
const NANOSECONDS: f64 = 1e9;

impl Rate {
    /// When event `number`, counted from 0, is due after the start; `None` at the rate `max`.
    pub(crate) fn due(&self, number: u64) -> Option<Duration> {
        let seconds = match *self {
            Self::Max => return None,
            Self::Constant(rate) => as_float(number) / rate,
            Self::Ramp { from, to, over } => {
                let over = over.as_secs_f64();
                let in_ramp = f64::midpoint(from, to) * over;
                let number = as_float(number);
                if number >= in_ramp {
                    over + (number - in_ramp) / to
                } else if number == 0.0 {
                    0.0
                } else {
                    // The number of events until t is from·t + slope·t²/2. This solves for t in the
                    // form that stays accurate for a small slope.
                    let slope = (to - from) / over;
                    2.0 * number / (from + (from * from + 2.0 * slope * number).sqrt())
                }
            }
        };
        Some(nanoseconds(seconds * NANOSECONDS))
    }

    /// How many events are due before a time after the start; `None` at the rate `max`.
    pub(crate) fn events_before(&self, time: Duration) -> Option<u64> {
        let seconds = time.as_secs_f64();
        let about = match *self {
            Self::Max => return None,
            Self::Constant(rate) => rate * seconds,
            Self::Ramp { from, to, over } => {
                let over = over.as_secs_f64();
                if seconds >= over {
                    f64::midpoint(from, to) * over + to * (seconds - over)
                } else {
                    from * seconds + (to - from) / over * seconds * seconds / 2.0
                }
            }
        };
        // The estimate may be off by one; the due times decide.
        let mut count = to_integer(about.ceil());
        let is_before = |number: u64| self.due(number).is_some_and(|due| due < time);
        while count > 0 && !is_before(count - 1) {
            count -= 1;
        }
        while is_before(count) {
            count += 1;
        }
        Some(count)
    }

    /// The rate at the start as a constant rate, for the warm-up.
    #[must_use]
    pub(crate) fn at_start(&self) -> Self {
        match *self {
            Self::Ramp { from, to, .. } => Self::Constant(if from > 0.0 { from } else { to }),
            rate => rate,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts stay far below 2^53, where all are exact"
)]
pub(super) fn as_float(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and rates and times are not negative"
)]
pub(super) fn to_integer(number: f64) -> u64 {
    number as u64
}

fn nanoseconds(number: f64) -> Duration {
    Duration::from_nanos(to_integer(number.round()))
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || RateError(text.to_owned());
        if text == "max" {
            return Ok(Self::Max);
        }
        let Some((from, rest)) = text.split_once("..") else {
            let rate = per_second(text).filter(|rate| *rate > 0.0);
            return rate.map(Self::Constant).ok_or_else(invalid);
        };
        let (to, over) = rest.split_once(" over ").ok_or_else(invalid)?;
        let DurationText(over) = over.trim().parse().map_err(|_| invalid())?;
        let from = per_second(from).ok_or_else(invalid)?;
        let to = per_second(to).filter(|to| *to > 0.0 && !over.is_zero());
        let to = to.ok_or_else(invalid)?;
        Ok(Self::Ramp { from, to, over })
    }
}

fn per_second(text: &str) -> Option<f64> {
    let text = text.trim();
    let rate = decimal(text.strip_suffix("/s").unwrap_or(text))?;
    (0.0..=MOST).contains(&rate).then_some(rate)
}

/// A number without a sign or an exponent.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    text.parse().ok().filter(|_| text.bytes().all(is_plain))
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => formatter.write_str("max"),
            Self::Constant(rate) => rate.fmt(formatter),
            Self::Ramp { from, to, over } => {
                write!(formatter, "{from}..{to} over {}", DurationText(*over))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().expect(text)
    }

    #[test]
    fn display_matches_the_parsed_text() {
        for text in ["max", "5000", "0.5", "100..5000 over 1m", "0..7 over 500ms"] {
            assert_eq!(rate(text).to_string(), text);
        }
        assert_eq!(rate("5000/s"), rate(" 5000 "));
    }

    #[test]
    fn an_invalid_rate_shows_valid_examples() {
        for text in [
            "",
            "fast",
            "0",
            "-5",
            "1e3",
            "nan",
            "inf",
            "99999999",
            "1..",
            "1..2",
            "1..2 over",
            "1..2 over 0s",
            "1..0 over 5s",
            "1..2 over 5",
            "1..2..3 over 5s",
        ] {
            let error = text.parse::<Rate>().expect_err(text).to_string();
            assert!(error.contains("`100..5000 over 60s`"), "{error}");
        }
    }

    #[test]
    fn a_constant_rate_is_even() {
        let rate = rate("4");
        let due: Vec<_> = (0..5).filter_map(|number| rate.due(number)).collect();
        assert_eq!(due, [0, 250, 500, 750, 1000].map(Duration::from_millis));
        assert_eq!(rate.events_before(Duration::from_secs(30)), Some(120));
        assert_eq!(rate.events_before(Duration::from_nanos(1)), Some(1));
        assert_eq!(rate.events_before(Duration::ZERO), Some(0));
    }

    #[test]
    fn a_ramp_sends_its_mean_rate() {
        let up = rate("0..100 over 10s");
        assert_eq!(up.events_before(Duration::from_secs(10)), Some(500));
        assert_eq!(up.events_before(Duration::from_secs(20)), Some(1500));
        let down = rate("100..50 over 10s");
        assert_eq!(down.events_before(Duration::from_secs(10)), Some(750));
        assert_eq!(up.at_start(), rate("100"));
        assert_eq!(down.at_start(), rate("100"));
    }

    #[test]
    fn the_rate_max_has_no_due_times() {
        assert_eq!(Rate::Max.due(3), None);
        assert_eq!(Rate::Max.events_before(Duration::from_secs(1)), None);
    }

    fn rates() -> impl Strategy<Value = Rate> {
        let number = 1..200_000_u32;
        let ramp = (0..200_000_u32, number.clone(), 1..600_000_u64);
        prop_oneof![
            number.prop_map(|rate| Rate::Constant(f64::from(rate) / 7.0)),
            ramp.prop_map(|(from, to, over)| Rate::Ramp {
                from: f64::from(from) / 7.0,
                to: f64::from(to) / 7.0,
                over: Duration::from_millis(over),
            }),
        ]
    }

    proptest! {
        #[test]
        fn due_times_never_decrease(rate in rates(), first in 0..5_000_000_u64) {
            let due: Vec<_> = (first..first + 50).filter_map(|number| rate.due(number)).collect();
            prop_assert!(due.is_sorted(), "{:?}", due);
        }

        #[test]
        fn events_before_agrees_with_the_due_times(
            rate in rates(),
            milliseconds in 0..900_000_u64,
        ) {
            let time = Duration::from_millis(milliseconds);
            let count = rate.events_before(time).expect("times");
            prop_assert!(count == 0 || rate.due(count - 1).expect("a time") < time);
            prop_assert!(rate.due(count).expect("a time") >= time);
        }

        #[test]
        fn parsing_never_panics(text in ".{0,30}") {
            let _ = text.parse::<Rate>();
        }
    }
}
