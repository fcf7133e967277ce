//! Which treatment each event gets: a pure function of the seed and the event's number.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::generate::Seed;
use crate::policy::{Forgery, Percent};

/// The percentage of events for each treatment. An event gets at most one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TreatmentMix {
    forgeries: Percent,
    lost_acks: Percent,
    together: Percent,
    duplicates: Percent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the percentages of --duplicates, --together, --forgeries and --lost-acks add up to more than 100%"
)]
pub(crate) struct TreatmentMixError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Treatment {
    Plain,
    /// Delivered, and delivered again this long after the first attempt.
    Duplicate(Duration),
    Together,
    /// The response to the first attempt is lost, so the retry policy applies.
    LostAck,
    /// Replaced by a forgery, which must be refused.
    Forged(Forgery),
}

/// The forgeries that every receiver must refuse and that need only the current secret. They exclude
/// wrong timestamps, because Aghanim's own handler template does not check the timestamp's age.
const FORGERIES: [Forgery; 10] = [
    Forgery::MissingSignature,
    Forgery::MissingTimestamp,
    Forgery::EmptySignature,
    Forgery::WrongSecret,
    Forgery::TruncatedSignature,
    Forgery::GarbageSignature,
    Forgery::TamperedBody,
    Forgery::SwappedTimestamp,
    Forgery::BodyOnlySignature,
    Forgery::WrongAlgorithm,
];

/// The delay of a duplicate, in milliseconds.
const DUPLICATE_DELAY: std::ops::RangeInclusive<u64> = 10..=1000;

impl TreatmentMix {
    pub(crate) fn percentages(self) -> BTreeMap<String, String> {
        [
            ("forgeries", self.forgeries),
            ("lost_acks", self.lost_acks),
            ("together", self.together),
            ("duplicates", self.duplicates),
        ]
        .map(|(name, percent)| (name.to_owned(), percent.to_string()))
        .into()
    }

    /// Whether some events are delivered over two connections at the same time.
    pub(crate) fn uses_twins(self) -> bool {
        self.together > Percent::default() || self.duplicates > Percent::default()
    }

    /// Combines the percentages, which must not exceed 100% together.
    pub(crate) fn new(
        forgeries: Percent,
        lost_acks: Percent,
        together: Percent,
        duplicates: Percent,
    ) -> Result<Self, TreatmentMixError> {
        let all = [forgeries, lost_acks, together, duplicates];
        let all = all.map(|percent| u64::from(percent.millionths()));
        if all.iter().sum::<u64>() > u64::from(Percent::WHOLE) {
            return Err(TreatmentMixError);
        }
        Ok(Self {
            forgeries,
            lost_acks,
            together,
            duplicates,
        })
    }
}

#[derive(Debug, Clone)]
pub(super) struct Treatments {
    mix: TreatmentMix,
    random: ChaCha8Rng,
}

impl Treatments {
    pub(super) fn new(mix: TreatmentMix, seed: Seed) -> Self {
        let random = seed.derive("treatments").random();
        Self { mix, random }
    }

    pub(super) fn of(&mut self, number: u64) -> Treatment {
        if self.mix == TreatmentMix::default() {
            return Treatment::Plain;
        }
        self.random.set_word_pos(0);
        self.random.set_stream(number);
        let drawn: u32 = self.random.random_range(0..Percent::WHOLE);
        let mut bound = 0;
        let mut falls_below = |percent: Percent| {
            bound += percent.millionths();
            drawn < bound
        };
        if falls_below(self.mix.forgeries) {
            let place = self.random.random_range(..FORGERIES.len());
            Treatment::Forged(FORGERIES[place])
        } else if falls_below(self.mix.lost_acks) {
            Treatment::LostAck
        } else if falls_below(self.mix.together) {
            Treatment::Together
        } else if falls_below(self.mix.duplicates) {
            let after = self.random.random_range(DUPLICATE_DELAY);
            Treatment::Duplicate(Duration::from_millis(after))
        } else {
            Treatment::Plain
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(text: &str) -> Percent {
        text.parse().expect("a percentage")
    }

    fn mix(forgeries: &str, lost_acks: &str, together: &str, duplicates: &str) -> TreatmentMix {
        TreatmentMix::new(
            percent(forgeries),
            percent(lost_acks),
            percent(together),
            percent(duplicates),
        )
        .expect("at most 100%")
    }

    #[test]
    fn a_treatment_depends_only_on_the_seed_and_the_number() {
        let mix = mix("5%", "5%", "5%", "5%");
        let mut treatments = Treatments::new(mix, Seed::new(1));
        let forwards: Vec<_> = (0..500).map(|number| treatments.of(number)).collect();
        let mut backwards: Vec<_> = (0..500).rev().map(|number| treatments.of(number)).collect();
        backwards.reverse();
        assert_eq!(forwards, backwards);
        let mut others = Treatments::new(mix, Seed::new(2));
        assert_ne!(
            forwards,
            (0..500).map(|number| others.of(number)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn treatments_follow_the_percentages() {
        let mut treatments = Treatments::new(mix("1%", "5%", "2%", "10%"), Seed::new(7));
        let mut counts = [0_u32; 5];
        for number in 0..100_000 {
            let place = match treatments.of(number) {
                Treatment::Forged(_) => 0,
                Treatment::LostAck => 1,
                Treatment::Together => 2,
                Treatment::Duplicate(_) => 3,
                Treatment::Plain => 4,
            };
            counts[place] += 1;
        }
        for (count, expected) in counts.into_iter().zip([1000, 5000, 2000, 10_000, 82_000]) {
            // Far more than chance explains; deterministic, so the same in every run.
            assert!(count.abs_diff(expected) < expected / 5, "{counts:?}");
        }
    }

    #[test]
    fn zero_and_100_percent_are_exact() {
        let mut none = Treatments::new(TreatmentMix::default(), Seed::new(7));
        let mut all = Treatments::new(mix("100%", "0%", "0%", "0%"), Seed::new(7));
        for number in 0..1000 {
            assert_eq!(none.of(number), Treatment::Plain);
            assert!(matches!(all.of(number), Treatment::Forged(_)));
        }
    }

    #[test]
    fn more_than_100_percent_is_refused() {
        let half = percent("50%");
        assert!(TreatmentMix::new(half, half, Percent::default(), Percent::default()).is_ok());
        assert_eq!(
            TreatmentMix::new(half, half, percent("0.1%"), half),
            Err(TreatmentMixError)
        );
    }
}
