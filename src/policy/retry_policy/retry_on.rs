//! The responses and failures that are followed by a retry.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Unexpected};

use crate::policy::status_class::StatusPattern;
use crate::policy::written::{Written, deserialize_written};

/// What error messages say is expected.
const EXPECTED: &str = "a status such as `429`, a class such as `5xx`, `timeout` or `connection`";

/// A reason for a retry: a status (`5xx`, `429`), `timeout` or `connection`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetryOn {
    /// A response with a matching status.
    Status(StatusPattern),
    /// No complete response in time.
    Timeout,
    /// No connection, or a connection that broke before the response was complete.
    Connection,
}

/// A text that is not a valid reason for a retry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {EXPECTED}, found `{0}`")]
pub struct RetryOnError(String);

impl FromStr for RetryOn {
    type Err = RetryOnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "timeout" => Ok(Self::Timeout),
            "connection" => Ok(Self::Connection),
            status => {
                let pattern = status.parse().map_err(|_| RetryOnError(text.to_owned()))?;
                Ok(Self::Status(pattern))
            }
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
            Unexpected::Unsigned(number) => {
                let status = StatusPattern::try_from(number);
                status.map(Self::Status).map_err(E::custom)
            }
            Unexpected::Signed(number) => Err(E::custom(RetryOnError(number.to_string()))),
            other => Err(E::invalid_type(other, &EXPECTED)),
        }
    }
}

deserialize_written!(RetryOn);

impl JsonSchema for RetryOn {
    fn schema_name() -> Cow<'static, str> {
        "RetryOn".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A reason for a retry.",
            "anyOf": [
                generator.subschema_for::<StatusPattern>(),
                { "const": "timeout", "description": "No complete response in time." },
                {
                    "const": "connection",
                    "description": "No connection, or a connection that broke before the response was complete.",
                },
            ],
        })
    }
}
