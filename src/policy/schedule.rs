//! Computes the waits of a retry policy.

use std::time::Duration;

use rand::{Rng, RngExt};

use super::percent::Percent;
use super::retry_policy::{Delays, RetryPolicy};

/// The wait before each retry: one fewer than the policy's attempts.
///
/// Jitter changes each wait by a random amount, uniformly distributed up to the policy's percentage
/// in either direction. The generator is used once per wait, and only if the policy has jitter.
pub(crate) fn schedule<R: Rng>(
    policy: &RetryPolicy,
    rng: &mut R,
) -> impl Iterator<Item = Duration> {
    let mut schedule = Schedule::new(policy);
    std::iter::from_fn(move || schedule.next_delay(rng))
}

/// How many waits to add up at most, to limit the run time.
const MAX_ADDED_WAITS: usize = 10_000;

/// The total wait from the first attempt to the last, excluding the attempts themselves. `None` if
/// the policy has a single attempt.
pub(crate) fn total_wait<R: Rng>(policy: &RetryPolicy, rng: &mut R) -> Option<Duration> {
    let waits = schedule(policy, rng).take(MAX_ADDED_WAITS);
    waits.reduce(Duration::saturating_add)
}

/// A policy's waits, one after the other. The caller passes the generator, which forgeries also use.
#[derive(Debug, Clone)]
pub(crate) struct Schedule<'a> {
    policy: &'a RetryPolicy,
    returned: u32,
    /// The last wait of an exponential backoff.
    last: Duration,
}

impl<'a> Schedule<'a> {
    pub(crate) fn new(policy: &'a RetryPolicy) -> Self {
        Self {
            policy,
            returned: 0,
            last: Duration::ZERO,
        }
    }

    /// A schedule that has returned this many waits already, perhaps in another process.
    pub(crate) fn resumed(policy: &'a RetryPolicy, returned: u32) -> Self {
        let last = match &policy.delays {
            Delays::Exponential(backoff) if returned > 0 => {
                let steps = i32::try_from(returned - 1).unwrap_or(i32::MAX);
                multiply(backoff.first.0, backoff.factor.powi(steps)).min(backoff.max.0)
            }
            _ => Duration::ZERO,
        };
        Self {
            policy,
            returned,
            last,
        }
    }

    pub(crate) fn next_delay(&mut self, rng: &mut (impl Rng + ?Sized)) -> Option<Duration> {
        if self.returned >= self.policy.attempts.saturating_sub(1) {
            return None;
        }
        let delay = match &self.policy.delays {
            Delays::List(delays) => {
                let index = usize::try_from(self.returned).unwrap_or(usize::MAX);
                let delay = delays.get(index).or(delays.last());
                delay.map_or(Duration::ZERO, |delay| delay.0)
            }
            Delays::Exponential(backoff) => {
                let longer = match self.returned {
                    0 => backoff.first.0,
                    _ => multiply(self.last, backoff.factor),
                };
                longer.min(backoff.max.0)
            }
        };
        self.last = delay;
        self.returned += 1;
        Some(apply_jitter(delay, self.policy.jitter, rng))
    }
}

fn multiply(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

fn apply_jitter(delay: Duration, jitter: Percent, rng: &mut (impl Rng + ?Sized)) -> Duration {
    if jitter == Percent::ZERO {
        return delay;
    }
    let delay = delay.as_nanos();
    let most = delay.saturating_mul(u128::from(jitter.millionths())) / 1_000_000;
    let jittered = delay.saturating_sub(most) + rng.random_range(0..=2 * most);
    Duration::from_nanos_u128(jittered.min(Duration::MAX.as_nanos()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::policy::duration_text::DurationText;
    use crate::policy::retry_policy::Exponential;

    fn waits(policy: &RetryPolicy, seed: u64) -> Vec<Duration> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        schedule(policy, &mut rng).take(300).collect()
    }

    fn seconds(seconds: u64) -> DurationText {
        DurationText(Duration::from_secs(seconds))
    }

    #[test]
    fn the_default_policy_has_four_waits() {
        let waits: Vec<_> = waits(&RetryPolicy::default(), 1)
            .iter()
            .map(Duration::as_secs)
            .collect();
        assert_eq!(waits, [1, 5, 30, 300]);
    }

    #[test]
    fn the_last_delay_of_a_list_repeats() {
        let policy = RetryPolicy {
            attempts: 6,
            delays: Delays::List(vec![seconds(1), seconds(2)]),
            ..RetryPolicy::default()
        };
        let waits: Vec<_> = waits(&policy, 1).iter().map(Duration::as_secs).collect();
        assert_eq!(waits, [1, 2, 2, 2, 2]);
    }

    #[test]
    fn an_exponential_backoff_grows_to_its_maximum() {
        let policy = RetryPolicy {
            attempts: 7,
            delays: Delays::Exponential(Exponential {
                first: seconds(1),
                factor: 2.0,
                max: seconds(10),
            }),
            ..RetryPolicy::default()
        };
        let waits: Vec<_> = waits(&policy, 1).iter().map(Duration::as_secs).collect();
        assert_eq!(waits, [1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn a_resumed_schedule_continues_where_it_was() {
        let list = Delays::List(vec![seconds(1), seconds(2)]);
        let exponential = Delays::Exponential(Exponential {
            first: seconds(1),
            factor: 3.0,
            max: seconds(50),
        });
        for delays in [list, exponential] {
            let policy = RetryPolicy {
                attempts: 7,
                delays,
                ..RetryPolicy::default()
            };
            let whole = waits(&policy, 1);
            for returned in 0..=7 {
                let mut schedule = Schedule::resumed(&policy, returned);
                let mut rng = ChaCha8Rng::seed_from_u64(1);
                let rest: Vec<_> = std::iter::from_fn(|| schedule.next_delay(&mut rng)).collect();
                assert_eq!(rest, whole[whole.len().min(returned as usize)..]);
            }
        }
    }

    prop_compose! {
        fn delays()(
            list in prop::collection::vec(any::<u64>(), 1..6),
            factor in 1.0..1e9_f64,
            exponential: bool,
        ) -> Delays {
            let delay = |nanoseconds: u64| DurationText(Duration::from_nanos(nanoseconds));
            match list[..] {
                [first, max, ..] if exponential => {
                    Delays::Exponential(Exponential { first: delay(first), factor, max: delay(max) })
                }
                _ => Delays::List(list.into_iter().map(delay).collect()),
            }
        }
    }

    proptest! {
        #[test]
        fn waits_stay_within_their_bounds(
            attempts in 1_u32..200,
            delays in delays(),
            millionths in 0_u32..=1_000_000,
            seed: u64,
        ) {
            let share = f64::from(millionths) / 1e6;
            let exact = RetryPolicy { attempts, delays, ..RetryPolicy::default() };
            let jitter = Percent::from_fraction(share).expect("a jitter");
            let policy = RetryPolicy { jitter, ..exact.clone() };
            let (plain, jittered) = (waits(&exact, seed), waits(&policy, seed));

            prop_assert_eq!(plain.len(), attempts as usize - 1);
            prop_assert_eq!(jittered.len(), plain.len());
            prop_assert_eq!(&jittered, &waits(&policy, seed));
            for (delay, jittered) in plain.iter().zip(&jittered) {
                let most = delay.as_nanos() * u128::from(millionths) / 1_000_000;
                prop_assert!(jittered.as_nanos().abs_diff(delay.as_nanos()) <= most);
            }
            match &policy.delays {
                Delays::List(list) => {
                    for (index, wait) in plain.iter().enumerate() {
                        prop_assert_eq!(*wait, list[index.min(list.len() - 1)].0);
                    }
                }
                Delays::Exponential(backoff) => {
                    prop_assert!(plain.iter().all(|wait| *wait <= backoff.max.0));
                    // Floating-point seconds are exact to about 15 digits.
                    let grows = |pair: &[Duration]| {
                        pair[1].as_secs_f64() >= pair[0].as_secs_f64() * (1.0 - 1e-12)
                    };
                    prop_assert!(plain.windows(2).all(grows));
                }
            }
        }

        #[test]
        fn no_policy_overflows(seconds: u64, factor in 1.0..f64::MAX, seed: u64) {
            let longest = DurationText(Duration::new(u64::MAX, 999_999_999));
            let first = DurationText(Duration::from_secs(seconds));
            let policy = RetryPolicy {
                attempts: u32::MAX,
                delays: Delays::Exponential(Exponential { first, factor, max: longest }),
                jitter: Percent::from_fraction(1.0).expect("a jitter"),
                ..RetryPolicy::default()
            };
            prop_assert_eq!(waits(&policy, seed).len(), 300);
        }
    }
}
