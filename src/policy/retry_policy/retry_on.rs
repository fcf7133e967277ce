//! The responses and failures that are followed by a retry.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Unexpected};

use crate::policy::status_class::StatusPattern;
use crate::policy::written::{Written, deserialize_written, written_schema};

const EXPECTED: &str = "a status such as `429`, a class such as `5xx`, `timeout` or `connection`";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetryOn {
    Status(StatusPattern),
    Timeout,
    Connection,
}

impl FromStr for RetryOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "timeout" => Ok(Self::Timeout),
            "connection" => Ok(Self::Connection),
            status => status
                .parse()
                .map(Self::Status)
                .map_err(|_| format!("expected {EXPECTED}, found `{text}`")),
        }
    }
}

impl fmt::Display for RetryOn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(pattern) => write!(formatter, "{pattern}"),
            Self::Timeout => formatter.write_str("timeout"),
            Self::Connection => formatter.write_str("connection"),
        }
    }
}

impl Written for RetryOn {
    const EXPECTED: &'static str = EXPECTED;

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(text) => text.parse().map_err(E::custom),
            Unexpected::Unsigned(_) => StatusPattern::from_scalar(scalar).map(Self::Status),
            Unexpected::Signed(number) => Err(E::custom(format_args!(
                "expected {EXPECTED}, found `{number}`"
            ))),
            other => Err(E::invalid_type(other, &EXPECTED)),
        }
    }
}

deserialize_written!(RetryOn);

written_schema!(RetryOn, "RetryOn", |generator| {
    "description": "A reason for a retry.",
    "anyOf": [
        generator.subschema_for::<StatusPattern>(),
        { "const": "timeout", "description": "No complete response in time." },
        {
            "const": "connection",
            "description": "No connection, or a connection that broke before the response was complete.",
        },
    ],
});
