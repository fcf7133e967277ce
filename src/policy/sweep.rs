//! Several durations that the deliveries of a step use in turn.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration_text::DurationText;

/// How many there can be.
const MOST: usize = 8;

/// From one to eight durations. The first delivery uses the first, and so on; after the last, the first
/// follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<DurationText>", into = "Vec<DurationText>")]
#[schemars(with = "Vec<DurationText>", extend("minItems" = 1, "maxItems" = MOST))]
pub struct Sweep {
    durations: [DurationText; MOST],
    length: usize,
}

impl Sweep {
    pub(super) const fn of_one(duration: DurationText) -> Self {
        let mut durations = [DurationText(Duration::ZERO); MOST];
        durations[0] = duration;
        Self {
            durations,
            length: 1,
        }
    }

    fn as_slice(&self) -> &[DurationText] {
        &self.durations[..self.length]
    }

    /// How many there are; never 0.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The one for a delivery, counted from 1.
    pub fn of_delivery(&self, number: usize) -> Duration {
        let index = number.saturating_sub(1) % self.length;
        self.durations[index].0
    }
}

impl TryFrom<Vec<DurationText>> for Sweep {
    type Error = String;

    fn try_from(given: Vec<DurationText>) -> Result<Self, String> {
        let length = given.len();
        if length == 0 || length > MOST {
            return Err(format!(
                "expected from 1 to {MOST} durations, found {length}"
            ));
        }
        let mut durations = [DurationText(Duration::ZERO); MOST];
        durations[..length].copy_from_slice(&given);
        Ok(Self { durations, length })
    }
}

impl From<Sweep> for Vec<DurationText> {
    fn from(sweep: Sweep) -> Self {
        sweep.as_slice().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_use_the_durations_in_turn() {
        let texts = ["5ms", "20ms"].map(|text| text.parse::<DurationText>().expect("a duration"));
        let sweep = Sweep::try_from(texts.to_vec()).expect("a sweep");
        let used: Vec<_> = (1..=3).map(|number| sweep.of_delivery(number)).collect();
        assert_eq!(used, [5, 20, 5].map(Duration::from_millis));
        assert_eq!(Vec::from(sweep), texts);
        for length in [0, MOST + 1] {
            assert!(Sweep::try_from(vec![texts[0]; length]).is_err());
        }
    }
}
