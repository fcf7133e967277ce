//! The HTTP version to use.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::de::{Error, Unexpected};
use serde_json::Value;

use super::written::{Written, deserialize_written};

/// Which HTTP version to use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, ValueEnum, JsonSchema)]
#[schemars(with = "Value", description = "", extend("enum" = ["1.1", "2", "auto", 1.1, 2]))]
pub enum HttpVersion {
    // The descriptions are the help of `--http-version`.
    /// HTTP/1.1
    #[default]
    #[value(name = "1.1")]
    Http1,
    /// HTTP/2; with prior knowledge on `http://` URLs
    #[value(name = "2")]
    Http2,
    /// The version negotiated by TLS
    #[value(name = "auto")]
    Auto,
}

impl Written for HttpVersion {
    const EXPECTED: &'static str = "`1.1`, `2` or `auto`";

    fn from_scalar<E: Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        let text = match scalar {
            Unexpected::Str(text) => text.to_owned(),
            Unexpected::Unsigned(number) => number.to_string(),
            Unexpected::Float(number) => number.to_string(),
            other => return Err(E::invalid_type(other, &Self::EXPECTED)),
        };
        Self::from_str(&text, false)
            .map_err(|_| E::invalid_value(Unexpected::Str(&text), &Self::EXPECTED))
    }
}

deserialize_written!(HttpVersion);
