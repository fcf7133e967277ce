//! The random seed.

use std::fmt;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The seed of all random values. The same seed gives the same values on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Seed(u64);

impl Seed {
    /// The seed with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The seed for a text: the first eight bytes of its SHA-256.
    pub fn of_text(text: &str) -> Self {
        Self::first_of(&Sha256::digest(text).into())
    }

    /// Derives an independent seed for another purpose. The same label gives the same seed.
    #[must_use]
    pub fn derive(&self, label: &str) -> Self {
        Self::first_of(&self.digest(label))
    }

    /// The seed's number, as [`Seed::new`] takes it.
    pub const fn number(&self) -> u64 {
        self.0
    }

    /// A new random generator. `ChaCha8` has the same output on every machine.
    pub fn random(&self) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(self.digest(""))
    }

    fn digest(self, label: &str) -> [u8; 32] {
        let number = Sha256::new().chain_update(self.0.to_be_bytes());
        number.chain_update(label).finalize().into()
    }

    fn first_of(digest: &[u8; 32]) -> Self {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        Self(u64::from_be_bytes(bytes))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn seeds_are_the_same_on_every_machine() {
        // The first eight bytes of `printf crystals | sha256sum`.
        assert_eq!(Seed::of_text("crystals").number(), 0xb1e6_202b_119e_1407);
        // The first eight bytes of `printf '\0\0\0\0\0\0\0\x2aevents' | sha256sum`.
        assert_eq!(
            Seed::new(42).derive("events").number(),
            0x63f3_5fa5_926e_91d1
        );
    }

    #[test]
    fn labels_and_numbers_give_different_streams() {
        let seed = Seed::new(42);
        let first = |seed: Seed| seed.random().next_u64();
        assert_eq!(first(seed), first(Seed::new(42)));
        assert_ne!(first(seed), first(Seed::new(43)));
        assert_ne!(seed.derive("a"), seed.derive("b"));
        assert_ne!(first(seed.derive("a")), first(seed.derive("b")));
    }

    #[test]
    fn displays_and_serialises_its_number() {
        assert_eq!(Seed::new(u64::MAX).to_string(), u64::MAX.to_string());
        let json = serde_json::to_string(&Seed::new(7)).expect("serialises");
        assert_eq!(json, "7");
    }
}
