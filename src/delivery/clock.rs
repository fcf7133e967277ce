//! The one source of time that is handed in: the wall clock of the headers, and whether a wait
//! really waits.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Tells the time and waits.
///
/// Header timestamps are always the wall clock, since receivers compare them with theirs. Waits
/// are compressed by default: they return at once, and whoever waits keeps count of what was
/// skipped.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: Wall,
    waits: bool,
}

#[derive(Debug, Clone, Copy)]
enum Wall {
    System,
    Fixed { unix_seconds: u64, instant: Instant },
}

impl Clock {
    /// The machine's clock, with compressed waits.
    pub fn system() -> Self {
        Self {
            wall: Wall::System,
            waits: false,
        }
    }

    /// A clock that stands still, with compressed waits: for tests.
    pub fn fixed(unix_seconds: u64) -> Self {
        Self {
            wall: Wall::Fixed {
                unix_seconds,
                instant: Instant::now(),
            },
            waits: false,
        }
    }

    /// The same clock, whose waits take their time.
    #[must_use]
    pub fn real_time(self) -> Self {
        Self {
            waits: true,
            ..self
        }
    }

    /// Whether waits return at once.
    pub fn is_compressed(&self) -> bool {
        !self.waits
    }

    /// The wall clock in Unix seconds; 0 for a clock that is set before 1970.
    pub fn unix_seconds(&self) -> u64 {
        match self.wall {
            Wall::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            Wall::Fixed { unix_seconds, .. } => unix_seconds,
        }
    }

    /// The wall clock as a moment; 1970 for a clock that is set outside of what a calendar can hold.
    pub fn now(&self) -> Timestamp {
        let moment = match self.wall {
            Wall::System => Timestamp::try_from(SystemTime::now()).ok(),
            Wall::Fixed { unix_seconds, .. } => i64::try_from(unix_seconds)
                .ok()
                .and_then(|seconds| Timestamp::from_second(seconds).ok()),
        };
        moment.unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// A point in time to measure from; a clock that stands still gives the same one each time.
    pub fn instant(&self) -> Instant {
        match self.wall {
            Wall::System => Instant::now(),
            Wall::Fixed { instant, .. } => instant,
        }
    }

    /// Waits, or returns at once where waits are compressed. Returns what was skipped.
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
    async fn a_compressed_wait_of_days_is_skipped_and_counted() {
        let days = Duration::from_hours(9 * 24);
        assert_eq!(Clock::system().pause(days).await, days);
        let real = Clock::fixed(7).real_time();
        assert_eq!(real.pause(Duration::ZERO).await, Duration::ZERO);
        assert!(Clock::fixed(7).is_compressed() && !real.is_compressed());
    }

    #[test]
    fn a_fixed_clock_stands_still() {
        let clock = Clock::fixed(1_725_548_450);
        assert_eq!(clock.unix_seconds(), 1_725_548_450);
        assert_eq!(clock.instant(), clock.instant());
        assert_eq!(clock.now().to_string(), "2024-09-05T15:00:50Z");
        assert_eq!(Clock::fixed(u64::MAX).now(), Timestamp::UNIX_EPOCH);
    }
}
