//! The sender's only source of time: the wall clock for headers, and waits that may be skipped.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Provides the time, and waits.
///
/// Header timestamps always use the wall clock, since receivers compare them with their own clocks.
/// Waits are compressed by default: they return at once, and the caller adds up the skipped time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: WallClock,
    waits: bool,
}

#[derive(Debug, Clone, Copy)]
enum WallClock {
    System,
    Fixed { unix_seconds: u64, instant: Instant },
}

impl Clock {
    /// The machine's clock, with compressed waits.
    pub fn system() -> Self {
        Self {
            wall: WallClock::System,
            waits: false,
        }
    }

    /// A clock that always shows the same time, with compressed waits. For tests.
    pub fn fixed(unix_seconds: u64) -> Self {
        Self {
            wall: WallClock::Fixed {
                unix_seconds,
                instant: Instant::now(),
            },
            waits: false,
        }
    }

    /// The same clock with real waits.
    #[must_use]
    pub fn real_time(self) -> Self {
        Self {
            waits: true,
            ..self
        }
    }

    /// Whether waits are skipped.
    pub fn is_compressed(&self) -> bool {
        !self.waits
    }

    /// The current time in Unix seconds; 0 before 1970.
    pub fn unix_seconds(&self) -> u64 {
        match self.wall {
            WallClock::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            WallClock::Fixed { unix_seconds, .. } => unix_seconds,
        }
    }

    /// The current time; the start of 1970 if it is out of range.
    pub fn now(&self) -> Timestamp {
        let now = match self.wall {
            WallClock::System => Timestamp::try_from(SystemTime::now()).ok(),
            WallClock::Fixed { unix_seconds, .. } => i64::try_from(unix_seconds)
                .ok()
                .and_then(|seconds| Timestamp::from_second(seconds).ok()),
        };
        now.unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The current instant, for measuring durations. Always the same for a fixed clock.
    pub fn instant(&self) -> Instant {
        match self.wall {
            WallClock::System => Instant::now(),
            WallClock::Fixed { instant, .. } => instant,
        }
    }

    /// Waits, or returns at once if waits are compressed. Returns the skipped time.
    pub async fn pause(&self, duration: Duration) -> Duration {
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
