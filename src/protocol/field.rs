//! The parts that all objects of an event are made of: text, and a JSON field that distinguishes
//! absent, `null` and a value.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text in an event: borrowed if it comes from a built-in catalogue, otherwise owned.
pub(crate) type Text = Cow<'static, str>;

// A field of a JSON object that can be absent, null or a value. Each use needs
// `#[serde(default, skip_serializing_if = "Field::is_absent")]`. No doc comment: it would be a
// description in JSON Schemas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(with = "Option<T>")]
pub enum Field<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<T> Field<T> {
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The same field with its value converted by `convert`.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Absent => Field::Absent,
            Self::Null => Field::Null,
            Self::Value(value) => Field::Value(convert(value)),
        }
    }
}

impl<T> Field<Vec<T>> {
    /// The values of a list. An absent or null list has none.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::Value(values) => values,
            Self::Absent | Self::Null => &[],
        }
    }

    /// Like [`Self::as_slice`], but the values can be changed.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        match self {
            Self::Value(values) => values,
            Self::Absent | Self::Null => &mut [],
        }
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // `Absent` gets here only if `skip_serializing_if` is missing: JSON has no other way to
            // write an absent value.
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Value(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::deserialize(deserializer)?;
        Ok(value.map_or(Self::Null, Self::Value))
    }
}
