//! Decides how long to wait for effects to show, and how often to look. Reading them is left to the
//! caller.

use std::time::{Duration, Instant};

/// The grace period if neither an effect nor the profile sets one.
const DEFAULT_SETTLE: Duration = Duration::from_secs(2);
/// The first and the longest pause between two readings.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Waits for effects.
///
/// If the first reading is as expected and no grace period is set, it is final. Otherwise the effects
/// must still be as expected at the end of the grace period, because a receiver that grants late may
/// also grant too much late.
#[derive(Debug)]
pub(crate) struct EffectWatch {
    started: Instant,
    read_after: Duration,
    /// When a reading is final if it is as expected.
    settle: Duration,
    /// When any reading is final.
    limit: Duration,
    pause: Duration,
}

impl EffectWatch {
    /// Watches effects, each of which has the grace period that it or the profile sets. The first
    /// reading is due now.
    pub(crate) fn new(settles: impl IntoIterator<Item = Option<Duration>>) -> Self {
        let mut watch = Self::for_up_to(Duration::ZERO);
        for settle in settles {
            watch.settle = watch.settle.max(settle.unwrap_or_default());
            watch.limit = watch.limit.max(settle.unwrap_or(DEFAULT_SETTLE));
        }
        watch
    }

    /// Without grace periods: a reading is final if it is as expected, or after this long.
    pub(crate) fn for_up_to(limit: Duration) -> Self {
        Self {
            started: Instant::now(),
            read_after: Duration::ZERO,
            settle: Duration::ZERO,
            limit,
            pause: FIRST_PAUSE,
        }
    }

    /// Does not wait longer than this for a reading that is not as expected, unless a grace period is
    /// set.
    pub(crate) fn for_at_most(mut self, patience: Option<Duration>) -> Self {
        if let Some(patience) = patience {
            self.limit = self.limit.min(patience).max(self.settle);
        }
        self
    }

    /// Waits for the end of the grace period, if one is set, so that each effect has to be read only
    /// once.
    pub(crate) async fn settled(mut self) -> Self {
        self.wait(self.settle).await;
        self
    }

    /// The time from the start of the watch to the last reading.
    pub(crate) fn read_after(&self) -> Duration {
        self.read_after
    }

    /// Waits until the next reading is due. Returns `false` at once if the last one is final.
    pub(crate) async fn look_again(&mut self, as_expected: bool) -> bool {
        if !as_expected {
            self.settle = self.limit;
        }
        let left = self.settle.saturating_sub(self.read_after);
        if left.is_zero() {
            return false;
        }
        self.wait(if as_expected {
            left
        } else {
            left.min(self.pause)
        })
        .await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }

    async fn wait(&mut self, pause: Duration) {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
            self.read_after = self.started.elapsed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn with_a_grace_period_the_reading_at_its_end_is_final() {
        let mut watch = EffectWatch::new([Some(SETTLE), Some(SETTLE / 2)]);
        assert!(watch.look_again(true).await);
        assert!(watch.read_after() >= SETTLE);
        assert!(!watch.look_again(true).await);
        assert!(!watch.look_again(false).await);
        let mut watch = EffectWatch::new([Some(SETTLE)]).settled().await;
        assert!(watch.read_after() >= SETTLE);
        assert!(!watch.look_again(false).await);
    }

    #[tokio::test]
    async fn without_a_grace_period_the_first_reading_is_final_if_it_is_as_expected() {
        let mut watch = EffectWatch::new([None]).settled().await;
        assert_eq!(watch.read_after(), Duration::ZERO);
        assert!(!watch.look_again(true).await);
        assert!(watch.look_again(false).await);
        assert!(watch.read_after() < DEFAULT_SETTLE);
        // It was not as expected before, so more may come late.
        assert!(watch.look_again(true).await);
        assert!(watch.read_after() >= DEFAULT_SETTLE);
        assert!(!watch.look_again(true).await);
    }

    #[tokio::test]
    async fn readings_are_repeated_until_the_limit() {
        let mut watch = EffectWatch::for_up_to(Duration::from_mins(1));
        assert!(watch.look_again(false).await && watch.look_again(false).await);
        assert!(watch.read_after() >= FIRST_PAUSE * 3);
        assert!(
            !EffectWatch::for_up_to(Duration::ZERO)
                .look_again(false)
                .await
        );
        assert!(!EffectWatch::new([]).look_again(false).await);
    }
}
