//! Durations as seconds with a fraction.
//!
//! Reading a written number gives a duration that is written as the same number.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    duration(f64::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Converts seconds to a duration. Larger values become `Duration::MAX`, because that is written as
/// a number that is slightly too large.
fn duration(seconds: f64) -> Result<Duration, String> {
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) => Ok(duration),
        Err(_) if seconds.is_finite() && seconds > 0.0 => Ok(Duration::MAX),
        Err(_) => Err(format!("{seconds} seconds is not a valid duration")),
    }
}

pub(super) mod optional {
    use serde::Serialize as _;

    use super::*;

    #[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub(in super::super) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration
            .map(|duration| duration.as_secs_f64())
            .serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let seconds = Option::<f64>::deserialize(deserializer)?;
        seconds.map(duration).transpose().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_duration_round_trips(seconds: u64, nanos in 0_u32..1_000_000_000) {
            let written = Duration::new(seconds, nanos).as_secs_f64();
            let read = duration(written).expect("a duration");
            prop_assert_eq!(read.as_secs_f64().to_bits(), written.to_bits());
        }

        #[test]
        fn weeks_round_trip_to_the_nanosecond(
            seconds in 0_u64..4_000_000,
            nanos in 0_u32..1_000_000_000,
        ) {
            let weeks = Duration::new(seconds, nanos);
            prop_assert_eq!(duration(weeks.as_secs_f64()), Ok(weeks));
        }
    }

    #[test]
    fn the_maximum_duration_round_trips() {
        assert_eq!(duration(Duration::MAX.as_secs_f64()), Ok(Duration::MAX));
        for invalid in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(duration(invalid).is_err(), "{invalid}");
        }
    }
}
