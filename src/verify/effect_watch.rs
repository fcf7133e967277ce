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
/// Without a grace period, the first reading that is as expected is final, and others are repeated
/// for a while. With one, the effects must be as expected at its end, because a receiver that grants
/// late may also grant too much late.
#[derive(Debug)]
pub(crate) struct EffectWatch {
    started: Instant,
    /// How long to look again.
    limit: Duration,
    pause: Duration,
}

impl EffectWatch {
    /// Waits for the longest grace period that is set, for effects of which each has its own. Then
    /// the first reading is due.
    pub(crate) async fn after_settling(
        settles: impl IntoIterator<Item = Option<Duration>>,
    ) -> Self {
        let (mut settle, mut limit) = (Duration::ZERO, Duration::ZERO);
        for own in settles {
            settle = settle.max(own.unwrap_or_default());
            limit = limit.max(own.unwrap_or(DEFAULT_SETTLE));
        }
        let watch = Self::for_up_to(limit);
        tokio::time::sleep(settle).await;
        watch
    }

    /// The first reading is due now, and others for this long.
    pub(crate) fn for_up_to(limit: Duration) -> Self {
        Self {
            started: Instant::now(),
            limit,
            pause: FIRST_PAUSE,
        }
    }

    /// The time since the watch began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits until the next reading is due. Returns `false` at once if the last one is final.
    pub(crate) async fn look_again(&mut self) -> bool {
        let left = self.limit.saturating_sub(self.elapsed());
        if left.is_zero() {
            return false;
        }
        tokio::time::sleep(self.pause.min(left)).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn with_a_grace_period_only_the_reading_at_its_end_counts() {
        let settle = Duration::from_millis(20);
        let mut watch = EffectWatch::after_settling([Some(settle), Some(settle / 2)]).await;
        assert!(watch.elapsed() >= settle);
        assert!(!watch.look_again().await);
    }

    #[tokio::test]
    async fn without_a_grace_period_readings_are_repeated_for_a_while() {
        let mut watch = EffectWatch::after_settling([None]).await;
        assert!(watch.elapsed() < DEFAULT_SETTLE);
        assert!(watch.look_again().await);
        let mut watch = EffectWatch::for_up_to(Duration::from_mins(1));
        assert!(watch.look_again().await && watch.look_again().await);
        assert!(watch.elapsed() >= FIRST_PAUSE * 3);
        assert!(!EffectWatch::for_up_to(Duration::ZERO).look_again().await);
    }

    #[tokio::test]
    async fn effects_without_a_grace_period_are_read_again_after_those_of_others() {
        let settle = Some(Duration::from_millis(1));
        let mut watch = EffectWatch::after_settling([settle, None]).await;
        assert!(watch.look_again().await);
        assert!(EffectWatch::after_settling([]).await.elapsed() < DEFAULT_SETTLE);
    }
}
