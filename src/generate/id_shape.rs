//! An ID as an author writes it: given, or generated in one of several forms.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::Deserialize;

/// An ID that an event does not share with another. `EventShape` reads only given ones; scenario
/// files read all.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "String")]
#[schemars(with = "String")]
pub enum IdShape {
    /// This text.
    Given(String),
    /// A generated ID with this text at the end.
    Ending(String),
    /// A generated UUID.
    Uuid,
    /// A generated number of 18 digits, which a 64-bit floating-point number can't hold exactly.
    Digits,
    /// A generated ID of this many characters.
    Length(usize),
}

impl IdShape {
    /// The lengths that a generated ID can have. Shorter ones could be equal by chance.
    pub(crate) const LENGTHS: RangeInclusive<usize> = 16..=10_000;
}

impl From<String> for IdShape {
    fn from(text: String) -> Self {
        Self::Given(text)
    }
}
