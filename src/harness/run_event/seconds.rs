//! Lengths of time as seconds with a fraction.
//!
//! What is written is read back as the length of time that writes the same number again.

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

/// A length of time; the longest there is for more, since that is written as one more than it is.
fn duration(seconds: f64) -> Result<Duration, String> {
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) => Ok(duration),
        Err(_) if seconds.is_finite() && seconds > 0.0 => Ok(Duration::MAX),
        Err(_) => Err(format!("{seconds} seconds are no length of time")),
    }
}

/// The same, where there may be none.
pub(super) mod optional {
    use serde::Serialize as _;

    use super::*;

    #[expect(clippy::ref_option, reason = "serde hands the field over as it stands")]
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
        fn any_length_is_written_the_same_again(seconds: u64, nanos in 0_u32..1_000_000_000) {
            let written = Duration::new(seconds, nanos).as_secs_f64();
            let read = duration(written).expect("a length of time");
            prop_assert_eq!(read.as_secs_f64().to_bits(), written.to_bits());
        }

        #[test]
        fn a_length_of_weeks_is_read_back_to_the_nanosecond(
            seconds in 0_u64..4_000_000,
            nanos in 0_u32..1_000_000_000,
        ) {
            let length = Duration::new(seconds, nanos);
            prop_assert_eq!(duration(length.as_secs_f64()), Ok(length));
        }
    }

    #[test]
    fn the_longest_is_read_back() {
        assert_eq!(duration(Duration::MAX.as_secs_f64()), Ok(Duration::MAX));
        for no_length in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(duration(no_length).is_err(), "{no_length}");
        }
    }
}
