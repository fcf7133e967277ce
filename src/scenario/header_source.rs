//! Where the value of a request header comes from: the file itself, the environment or another file.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Error as _, MapAccess, Unexpected};

use crate::policy::{Written, deserialize_written};

/// Where the value of a header comes from. The value may be a credential, so `Debug` does not show a
/// text.
#[derive(Clone, PartialEq, Eq)]
pub enum HeaderSource {
    /// The text itself. `$NAME` is replaced with the environment variable `NAME`.
    Text(String),
    /// The environment variable of this name.
    Env(String),
    /// The text of a file, without one trailing newline.
    File(PathBuf),
}

/// A value that is not written here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HeaderReference {
    /// The environment variable with the value.
    #[serde(default)]
    env: Option<String>,
    /// The file with the value; the path is relative to this file. One trailing newline is removed.
    #[serde(default)]
    file: Option<PathBuf>,
}

impl HeaderSource {
    /// Makes a path relative to `folder`.
    pub(super) fn resolve(&mut self, folder: &Path) {
        if let Self::File(path) = self {
            *path = folder.join(&path);
        }
    }
}

impl fmt::Debug for HeaderSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => formatter.write_str("Text(…)"),
            Self::Env(name) => write!(formatter, "Env({name:?})"),
            Self::File(path) => write!(formatter, "File({path:?})"),
        }
    }
}

impl Written for HeaderSource {
    const EXPECTED: &'static str = "a text, `{ env: NAME }` or `{ file: PATH }`";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(text) => Ok(Self::Text(text.to_owned())),
            other => Err(E::invalid_type(other, &Self::EXPECTED)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        let reference = HeaderReference::deserialize(MapAccessDeserializer::new(map))?;
        match (reference.env, reference.file) {
            (Some(name), None) if is_variable(&name) => Ok(Self::Env(name)),
            (Some(_), None) => Err(M::Error::custom(
                "`env` is not the name of an environment variable\nwrite the name of the variable \
                 that holds the value, not the value",
            )),
            (None, Some(path)) => Ok(Self::File(path)),
            _ => Err(M::Error::custom(
                "a header needs exactly one of `env` and `file`",
            )),
        }
    }
}

/// Whether a text can be the name of an environment variable.
fn is_variable(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(is_part)
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
}

deserialize_written!(HeaderSource);

impl JsonSchema for HeaderSource {
    fn schema_name() -> Cow<'static, str> {
        "HeaderSource".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text, in which `$NAME` is replaced with the environment variable \
                `NAME`; or an environment variable or a file that holds the value.",
            "anyOf": [
                { "type": "string" },
                generator.subschema_for::<HeaderReference>(),
            ],
        })
    }
}
