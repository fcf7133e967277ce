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
    /// How far the header timestamps are ahead, like the receiver's clock.
    ahead: Duration,
}

impl Clock {
    pub(crate) fn system() -> Self {
        Self {
            fixed: None,
            waits: false,
            ahead: Duration::ZERO,
        }
    }

    /// A clock that always shows the same time, with compressed waits.
    #[cfg(test)]
    pub(crate) fn fixed(unix_seconds: u64) -> Self {
        Self {
            fixed: Some((unix_seconds, Instant::now())),
            waits: false,
            ahead: Duration::ZERO,
        }
    }

    #[must_use]
    pub(crate) fn real_time(self) -> Self {
        Self {
            waits: true,
            ..self
        }
    }

    /// The same clock with header timestamps that are ahead of real time by this much, for a receiver
    /// whose clock was moved.
    #[must_use]
    pub(crate) fn ahead_by(self, ahead: Duration) -> Self {
        Self { ahead, ..self }
    }

    pub(crate) fn ahead(&self) -> Duration {
        self.ahead
    }

    pub(crate) fn is_compressed(&self) -> bool {
        !self.waits
    }

    /// The current time on the receiver's clock in Unix seconds, for headers; 0 before 1970.
    pub(crate) fn unix_seconds(&self) -> u64 {
        let now = match self.fixed {
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            Some((unix_seconds, _)) => unix_seconds,
        };
        now.saturating_add(self.ahead.as_secs())
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
        let ahead = clock.ahead_by(Duration::from_hours(1));
        assert_eq!(ahead.unix_seconds(), 1_725_552_050);
        assert_eq!(ahead.now(), clock.now());
        assert_eq!(Clock::fixed(u64::MAX).now(), Timestamp::UNIX_EPOCH);
    }
}
