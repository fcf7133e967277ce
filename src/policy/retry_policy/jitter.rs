//! How files write a policy's jitter: as a percentage or as a fraction of the delay.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Unexpected};

use crate::policy::percent::Percent;
use crate::policy::written::{Written, deserialize_written};

/// Rounds to millionths, unlike a percentage on the command line, which must be exact.
impl Written for Percent {
    const EXPECTED: &'static str =
        "a percentage such as `10%`, from 0% to 100%, or a number from 0 to 1";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        let (fraction, found) = match scalar {
            Unexpected::Str(text) => {
                let percent = text.strip_suffix('%').unwrap_or_default();
                let is_number = percent.starts_with(|first: char| first.is_ascii_digit());
                let percent = percent.parse().ok().filter(|_: &f64| is_number);
                (percent.map(|percent| percent / 100.0), text.to_owned())
            }
            Unexpected::Float(fraction) => (Some(fraction), fraction.to_string()),
            Unexpected::Unsigned(whole @ 0..=1) => {
                (Some([0.0, 1.0][usize::from(whole == 1)]), String::new())
            }
            Unexpected::Unsigned(number) => (None, number.to_string()),
            Unexpected::Signed(number) => (None, number.to_string()),
            other => return Err(E::invalid_type(other, &Self::EXPECTED)),
        };
        fraction
            .and_then(Self::from_fraction)
            .ok_or_else(|| E::custom(format_args!("expected {}, found `{found}`", Self::EXPECTED)))
    }
}

deserialize_written!(Percent);

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Jitter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How much a delay may randomly vary in either direction: 10% or 0.1.",
            "oneOf": [
                { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?%$" },
                { "type": "number", "minimum": 0, "maximum": 1 },
            ],
        })
    }
}
