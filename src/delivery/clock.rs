//! The sender's only source of time: the wall clock for headers, and waits that may be skipped.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Provides the time, and waits.
///
/// Header timestamps always use the wall clock, since receivers compare them with their own clocks.
/// Waits are compressed by default: they return at once, and the caller adds up the skipped time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    /// The time that it always shows, as Unix seconds and as an instant, in place of the machine's.
    fixed: Option<(u64, Instant)>,
    waits: bool,
}

impl Clock {
    pub(crate) fn system() -> Self {
        Self {
            fixed: None,
            waits: false,
        }
    }

    /// A clock that always shows the same time, with compressed waits.
    #[cfg(test)]
    pub(crate) fn fixed(unix_seconds: u64) -> Self {
        Self {
            fixed: Some((unix_seconds, Instant::now())),
            waits: false,
        }
    }

    #[must_use]
    pub(crate) fn real_time(self) -> Self {
        Self {
            waits: true,
            ..self
        }
    }

    pub(crate) fn is_compressed(&self) -> bool {
        !self.waits
    }

    /// The current time in Unix seconds; 0 before 1970.
    pub(crate) fn unix_seconds(&self) -> u64 {
        match self.fixed {
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            Some((unix_seconds, _)) => unix_seconds,
        }
    }

    /// The current time; the start of 1970 if it is out of range.
    pub(crate) fn now(&self) -> Timestamp {
        let now = match self.fixed {
            None => Timestamp::try_from(SystemTime::now()).ok(),
            Some((unix_seconds, _)) => i64::try_from(unix_seconds)
                .ok()
                .and_then(|seconds| Timestamp::from_second(seconds).ok()),
        };
        now.unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The current instant, for measuring durations. Always the same for a fixed clock.
    pub(crate) fn instant(&self) -> Instant {
        match self.fixed {
            None => Instant::now(),
            Some((_, instant)) => instant,
        }
    }

    /// Waits, or returns at once if waits are compressed. Returns the skipped time.
    pub(crate) async fn pause(&self, duration: Duration) -> Duration {
        if self.is_compressed() {
            return duration;
        }
        tokio::time::sleep(duration).await;
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_compressed_wait_is_skipped_and_returned() {
        let days = Duration::from_hours(9 * 24);
        assert_eq!(Clock::system().pause(days).await, days);
        let real = Clock::fixed(7).real_time();
        assert_eq!(real.pause(Duration::ZERO).await, Duration::ZERO);
        assert!(Clock::fixed(7).is_compressed() && !real.is_compressed());
    }

    #[test]
    fn a_fixed_clock_does_not_advance() {
        let clock = Clock::fixed(1_725_548_450);
        assert_eq!(clock.unix_seconds(), 1_725_548_450);
        assert_eq!(clock.instant(), clock.instant());
        assert_eq!(clock.now().to_string(), "2024-09-05T15:00:50Z");
        assert_eq!(Clock::fixed(u64::MAX).now(), Timestamp::UNIX_EPOCH);
    }
}
