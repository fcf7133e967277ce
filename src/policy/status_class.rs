//! Patterns for HTTP statuses: a single status (`200`) or a class (`2xx`).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::{self, Unexpected};
use serde_json::Value;

use super::written::{Written, deserialize_written};

const EXPECTED: &str = "a status such as `200` or a class such as `2xx`";

/// The value is the first digit of the class's statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusClass {
    Informational = 1,
    /// The delivery succeeded. `[S]`
    Success,
    /// aghook never follows a redirect.
    Redirection,
    /// The receiver refused the delivery. `[S]`
    ClientError,
    /// The receiver failed. `[S]`
    ServerError,
}

impl StatusClass {
    pub const ALL: [Self; 5] = [
        Self::Informational,
        Self::Success,
        Self::Redirection,
        Self::ClientError,
        Self::ServerError,
    ];

    /// The class of a status; `None` outside of 100 to 599.
    pub fn of(status: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.matches(status))
    }

    pub fn matches(self, status: u16) -> bool {
        status / 100 == self as u16
    }
}

impl fmt::Display for StatusClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}xx", *self as u16)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(
    with = "Value",
    description = "An HTTP status such as 200, or a class of statuses such as 2xx.",
    extend("oneOf" = [
        { "type": "integer", "minimum": 100, "maximum": 599 },
        { "type": "string", "pattern": "^([1-5][xX][xX]|[1-5][0-9][0-9])$" },
    ])
)]
pub enum StatusPattern {
    /// Exactly this status, from 100 to 599.
    Exact(u16),
    Class(StatusClass),
}

impl StatusPattern {
    pub fn matches(self, status: u16) -> bool {
        match self {
            Self::Exact(exact) => exact == status,
            Self::Class(class) => class.matches(status),
        }
    }
}

fn invalid_status(written: impl fmt::Display) -> String {
    format!("invalid status `{written}`: expected {EXPECTED}, from 100 to 599 or from 1xx to 5xx")
}

impl TryFrom<u64> for StatusPattern {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        match u16::try_from(number) {
            Ok(status @ 100..=599) => Ok(Self::Exact(status)),
            _ => Err(invalid_status(number)),
        }
    }
}

impl FromStr for StatusPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pattern = match text.as_bytes() {
            [digit @ b'1'..=b'5', b'x' | b'X', b'x' | b'X'] => {
                StatusClass::of(u16::from(digit - b'0') * 100).map(Self::Class)
            }
            [b'0'..=b'9', ..] => text
                .parse()
                .ok()
                .and_then(|number: u64| number.try_into().ok()),
            _ => None,
        };
        pattern.ok_or_else(|| invalid_status(text))
    }
}

impl fmt::Display for StatusPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(status) => write!(formatter, "{status}"),
            Self::Class(class) => write!(formatter, "{class}"),
        }
    }
}

impl Written for StatusPattern {
    const EXPECTED: &'static str = EXPECTED;

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(text) => text.parse().map_err(E::custom),
            Unexpected::Unsigned(number) => Self::try_from(number).map_err(E::custom),
            Unexpected::Signed(number) => Err(E::custom(invalid_status(number))),
            other => Err(E::invalid_type(other, &EXPECTED)),
        }
    }
}

deserialize_written!(StatusPattern);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Result<StatusPattern, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_and_texts_are_read() {
        assert_eq!(read("200"), Ok(StatusPattern::Exact(200)));
        assert_eq!(read("\"404\""), Ok(StatusPattern::Exact(404)));
        let class = StatusPattern::Class(StatusClass::Success);
        assert_eq!(read("\"2xx\""), Ok(class));
        assert_eq!(read("\"2XX\""), Ok(class));
    }

    #[test]
    fn says_what_it_expected() {
        for json in [
            "99", "600", "-1", "\"6xx\"", "\"ok\"", "\"2x\"", "\"+200\"", "\"\"", "true", "2.5",
        ] {
            let message = read(json).expect_err(json);
            assert!(message.contains(EXPECTED), "{json}: {message}");
        }
    }

    proptest! {
        #[test]
        fn every_status_belongs_to_exactly_one_class(status in 0_u16..1000) {
            let matching = StatusClass::ALL.into_iter().filter(|class| class.matches(status)).count();
            prop_assert_eq!(matching, usize::from((100..600).contains(&status)));
        }

        #[test]
        fn the_canonical_text_reads_back(status in 100_u16..600, class: bool) {
            let pattern = match StatusClass::of(status) {
                Some(of_status) if class => StatusPattern::Class(of_status),
                _ => StatusPattern::Exact(status),
            };
            prop_assert!(pattern.matches(status));
            prop_assert_eq!(pattern.to_string().parse(), Ok(pattern));
            prop_assert_eq!(read(&format!("\"{pattern}\"")), Ok(pattern));
        }
    }
}
