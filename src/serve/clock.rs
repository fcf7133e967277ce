//! The hub's time: real time for what receivers and players see, and waits that may pass faster.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::delivery::Clock;

/// How many times faster than real time the waits between attempts pass, such as `60x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeScale(u32);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number from 1 to {max} with an `x`, such as `60x`", max = TimeScale::MAX)]
pub(crate) struct InvalidTimeScale;

impl TimeScale {
    pub(crate) const REAL_TIME: Self = Self(1);
    const MAX: u32 = 1_000_000;
}

impl FromStr for TimeScale {
    type Err = InvalidTimeScale;

    fn from_str(text: &str) -> Result<Self, InvalidTimeScale> {
        let factor = text
            .strip_suffix('x')
            .and_then(|factor| factor.parse().ok());
        let in_range = factor.filter(|factor| (1..=Self::MAX).contains(factor));
        in_range.map(Self).ok_or(InvalidTimeScale)
    }
}

impl fmt::Display for TimeScale {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x", self.0)
    }
}

/// The hub's source of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HubClock {
    pub(crate) clock: Clock,
    pub(crate) scale: TimeScale,
}

impl HubClock {
    /// Now, in Unix milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Now, in Unix seconds.
    pub(crate) fn unix_seconds(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// How long a wait takes in real time, in milliseconds.
    pub(crate) fn scaled(&self, wait: Duration) -> i64 {
        i64::try_from((wait / self.scale.0).as_millis()).unwrap_or(i64::MAX)
    }

    /// When a wait that begins now ends, in Unix milliseconds.
    pub(crate) fn after(&self, wait: Duration) -> i64 {
        self.now().saturating_add(self.scaled(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_divided_by_the_scale() {
        let scale: TimeScale = "60x".parse().expect("a scale");
        let clock = HubClock {
            clock: Clock::fixed(1_725_548_450),
            scale,
        };
        assert_eq!(clock.scaled(Duration::from_mins(5)), 5_000);
        assert_eq!(clock.after(Duration::from_mins(1)), 1_725_548_451_000);
        assert_eq!(scale.to_string(), "60x");
    }

    #[test]
    fn a_scale_is_a_factor_from_1() {
        for invalid in ["", "60", "0x", "-1x", "1.5x", "x", "1000001x"] {
            assert!(invalid.parse::<TimeScale>().is_err(), "{invalid}");
        }
        assert_eq!("1x".parse(), Ok(TimeScale::REAL_TIME));
    }
}
