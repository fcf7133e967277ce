//! Headers that a profile or an option adds to every delivery.

use std::borrow::Cow;
use std::path::Path;

use http::HeaderName;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    USER_AGENT,
};
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::HeaderSource;
use crate::protocol::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// Headers to add to every delivery, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "IndexMap<String, HeaderSource>")]
pub struct DeliveryHeaders(Vec<(String, HeaderSource)>);

/// Why a header can't be added to deliveries. No message contains the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryHeaderError {
    /// The option has no colon.
    #[error("expected `Name: value`, such as `X-Api-Key: $API_KEY`")]
    NoColon,
    /// The name is not an HTTP token.
    #[error("invalid header name `{0}`\nuse letters, digits and `-`")]
    Name(String),
    /// Every delivery has this header.
    #[error("the header `{0}` can't be set: every delivery has its own\nremove it")]
    Own(String),
    /// The header describes the connection.
    #[error("the header `{0}` can't be set: it describes the connection\nremove it")]
    Connection(String),
}

impl DeliveryHeaders {
    /// The names, and where the values come from.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &HeaderSource)> {
        self.0.iter().map(|(name, source)| (name.as_str(), source))
    }

    /// Adds headers. They replace those of the same name.
    #[must_use]
    pub(crate) fn replaced_by(mut self, others: &[DeliveryHeader]) -> Self {
        let is_replaced = |name: &str| {
            let mut others = others.iter();
            others.any(|other| other.name.eq_ignore_ascii_case(name))
        };
        self.0.retain(|(name, _)| !is_replaced(name));
        let others = others.iter().cloned();
        self.0
            .extend(others.map(|other| (other.name, other.source)));
        self
    }

    /// Makes paths relative to `folder`.
    pub(super) fn resolve(&mut self, folder: &Path) {
        for (_, source) in &mut self.0 {
            source.resolve(folder);
        }
    }
}

impl TryFrom<IndexMap<String, HeaderSource>> for DeliveryHeaders {
    type Error = DeliveryHeaderError;

    fn try_from(headers: IndexMap<String, HeaderSource>) -> Result<Self, DeliveryHeaderError> {
        headers.keys().try_for_each(|name| check_name(name))?;
        Ok(Self(headers.into_iter().collect()))
    }
}

/// One header of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliveryHeader {
    name: String,
    source: HeaderSource,
}

impl std::str::FromStr for DeliveryHeader {
    type Err = DeliveryHeaderError;

    /// Parses `Name: value`.
    fn from_str(text: &str) -> Result<Self, DeliveryHeaderError> {
        let (name, value) = text.split_once(':').ok_or(DeliveryHeaderError::NoColon)?;
        let name = name.trim();
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            source: HeaderSource::Text(value.trim().to_owned()),
        })
    }
}

/// Refuses headers that a delivery has anyway, and those of the connection.
fn check_name(name: &str) -> Result<(), DeliveryHeaderError> {
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| DeliveryHeaderError::Name(name.to_owned()))?;
    let signed = [SIGNATURE_HEADER, TIMESTAMP_HEADER];
    if [CONTENT_TYPE, HOST, USER_AGENT, CONTENT_LENGTH].contains(&parsed)
        || signed.iter().any(|own| own.eq_ignore_ascii_case(name))
    {
        return Err(DeliveryHeaderError::Own(name.to_owned()));
    }
    if [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE].contains(&parsed)
        || ["keep-alive", "proxy-connection"].contains(&parsed.as_str())
    {
        return Err(DeliveryHeaderError::Connection(name.to_owned()));
    }
    Ok(())
}

impl JsonSchema for DeliveryHeaders {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DeliveryHeaders".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        IndexMap::<String, HeaderSource>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::document::SourceFile;
    use super::*;

    fn config(headers: &str) -> Result<DeliveryHeaders, String> {
        let text = format!("profiles:\n  a:\n    headers: {headers}\n");
        let config = Config::parse(&SourceFile::new("aghook.yaml", text));
        let config = config.map_err(|problems| problems.to_string())?;
        Ok(config.profiles["a"].headers.clone())
    }

    #[test]
    fn a_value_is_a_text_a_variable_or_a_file() {
        let headers = config("{ a: b $C, d: { env: E }, f: { file: g.txt } }").expect("valid");
        let sources: Vec<_> = headers.iter().collect();
        let file = HeaderSource::File("g.txt".into());
        assert_eq!(
            sources,
            [
                ("a", &HeaderSource::Text("b $C".to_owned())),
                ("d", &HeaderSource::Env("E".to_owned())),
                ("f", &file),
            ]
        );
        assert!(!format!("{headers:?}").contains("b $C"));
    }

    #[test]
    fn mistakes_say_what_to_do() {
        for (headers, expected) in [
            (
                "{ host: a }",
                "the header `host` can't be set: every delivery has its own",
            ),
            ("{ X-Aghanim-Signature: a }", "every delivery has its own"),
            ("{ content-length: '1' }", "every delivery has its own"),
            ("{ transfer-encoding: a }", "it describes the connection"),
            ("{ 'a b': c }", "invalid header name `a b`"),
            (
                "{ a: 1 }",
                "expected a text, `{ env: NAME }` or `{ file: PATH }`",
            ),
            (
                "{ a: { env: B, file: c } }",
                "exactly one of `env` and `file`",
            ),
            (
                "{ a: { env: tok-1 } }",
                "not the name of an environment variable",
            ),
            ("{ a: { evn: B } }", "unknown key `evn`"),
        ] {
            let problem = config(headers).expect_err(headers);
            assert!(problem.contains(expected), "{headers}: {problem}");
        }
    }

    #[test]
    fn an_option_replaces_the_profiles_header_of_the_same_name() {
        let headers = config("{ X-A: one, x-b: two }").expect("valid");
        let option: DeliveryHeader = "x-a:  $THREE ".parse().expect("a header");
        let headers = headers.replaced_by(&[option]);
        let names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["x-b", "x-a"]);
        let refused = |text: &str| text.parse::<DeliveryHeader>().expect_err("refused");
        assert_eq!(refused("X-A"), DeliveryHeaderError::NoColon);
        assert_eq!(
            refused("Host: a"),
            DeliveryHeaderError::Own("Host".to_owned())
        );
    }
}
