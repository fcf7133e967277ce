//! What befalls which event: a pure function of the seed and the event's number.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::share::Share;
use crate::generate::Seed;
use crate::scenario::Forgery;

/// Which share of the events is treated in which way. An event gets one treatment at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mix {
    forgeries: Share,
    lost_acks: Share,
    together: Share,
    duplicates: Share,
}

/// Shares that are more than all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the shares of --duplicates, --together, --forgeries and --lost-acks are more than 100% together"
)]
pub struct MixError;

/// What befalls an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// It is delivered.
    Plain,
    /// It is delivered, and once more so long after the first attempt.
    Duplicate(Duration),
    /// It is delivered twice at the same moment.
    Together,
    /// The answer to its first attempt is lost, so it is delivered again by the retry policy.
    LostAck,
    /// A forgery is sent in its place, which must be refused.
    Forged(Forgery),
}

/// The forgeries that every receiver must refuse, and that need no secret but the present one. A
/// wrong age is not among them, since Aghanim's own template does not look at it.
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

/// How much later a duplicate is delivered, in milliseconds.
const LATER: std::ops::RangeInclusive<u64> = 10..=1000;

impl Mix {
    /// The shares by their names, as they are reported and compared.
    pub fn shares(self) -> BTreeMap<String, String> {
        [
            ("forgeries", self.forgeries),
            ("lost_acks", self.lost_acks),
            ("together", self.together),
            ("duplicates", self.duplicates),
        ]
        .map(|(name, share)| (name.to_owned(), share.to_string()))
        .into()
    }

    /// Puts the shares together; they can't be more than all.
    pub fn new(
        forgeries: Share,
        lost_acks: Share,
        together: Share,
        duplicates: Share,
    ) -> Result<Self, MixError> {
        let all = [forgeries, lost_acks, together, duplicates];
        let sum: u64 = all.iter().map(|share| u64::from(share.millionths())).sum();
        if sum > u64::from(Share::WHOLE) {
            return Err(MixError);
        }
        Ok(Self {
            forgeries,
            lost_acks,
            together,
            duplicates,
        })
    }
}

/// Draws the treatments.
#[derive(Debug, Clone)]
pub(super) struct Treatments {
    mix: Mix,
    random: ChaCha8Rng,
}

impl Treatments {
    pub(super) fn new(mix: Mix, seed: Seed) -> Self {
        let random = seed.derive("treatments").random();
        Self { mix, random }
    }

    /// What befalls the event of this number.
    pub(super) fn of(&mut self, number: u64) -> Treatment {
        if self.mix == Mix::default() {
            return Treatment::Plain;
        }
        self.random.set_word_pos(0);
        self.random.set_stream(number);
        let drawn: u32 = self.random.random_range(0..Share::WHOLE);
        let mut bound = 0;
        let mut falls_below = |share: Share| {
            bound += share.millionths();
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
            let after = self.random.random_range(LATER);
            Treatment::Duplicate(Duration::from_millis(after))
        } else {
            Treatment::Plain
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Share {
        text.parse().expect("a share")
    }

    fn mix(forgeries: &str, lost_acks: &str, together: &str, duplicates: &str) -> Mix {
        Mix::new(
            share(forgeries),
            share(lost_acks),
            share(together),
            share(duplicates),
        )
        .expect("not more than all")
    }

    #[test]
    fn a_treatment_follows_from_the_seed_and_the_number_alone() {
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
    fn the_shares_are_kept() {
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
            // Far beyond what chance does to either side; the same in every run.
            assert!(count.abs_diff(expected) < expected / 5, "{counts:?}");
        }
    }

    #[test]
    fn all_and_nothing_are_exact() {
        let mut none = Treatments::new(Mix::default(), Seed::new(7));
        let mut all = Treatments::new(mix("100%", "0%", "0%", "0%"), Seed::new(7));
        for number in 0..1000 {
            assert_eq!(none.of(number), Treatment::Plain);
            assert!(matches!(all.of(number), Treatment::Forged(_)));
        }
    }

    #[test]
    fn more_than_all_is_refused() {
        let half = share("50%");
        assert!(Mix::new(half, half, Share::default(), Share::default()).is_ok());
        assert_eq!(Mix::new(half, half, share("0.1%"), half), Err(MixError));
    }
}
