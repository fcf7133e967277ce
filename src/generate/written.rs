//! Reads values that files can write in several forms, such as `off` or a mapping, with one serde
//! visitor.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};

/// A type whose values files can write in several forms. A form that it does not read is an error.
/// [`deserialize_written`] implements `Deserialize` for it.
pub(crate) trait Written: Sized {
    const EXPECTED: &'static str;

    /// Reads a text, a number, or `true` or `false`.
    fn from_scalar<E: Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        Err(E::invalid_type(scalar, &Self::EXPECTED))
    }

    /// Reads a list.
    fn from_list<'de, L: Deserializer<'de>>(_list: L) -> Result<Self, L::Error> {
        Err(L::Error::invalid_type(Unexpected::Seq, &Self::EXPECTED))
    }

    /// Reads a mapping.
    fn from_map<'de, M: MapAccess<'de>>(_map: M) -> Result<Self, M::Error> {
        Err(M::Error::invalid_type(Unexpected::Map, &Self::EXPECTED))
    }
}

struct WrittenVisitor<T>(PhantomData<T>);

impl<'de, T: Written> Visitor<'de> for WrittenVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_scalar(Unexpected::Str(text))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        T::from_scalar(Unexpected::Bool(value))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::from_scalar(Unexpected::Unsigned(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        let unsigned = u64::try_from(number).map(Unexpected::Unsigned);
        T::from_scalar(unsigned.unwrap_or(Unexpected::Signed(number)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::from_scalar(Unexpected::Float(number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::from_list(SeqAccessDeserializer::new(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_map(map)
    }
}

pub(crate) fn read_written<'de, T: Written, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(WrittenVisitor(PhantomData))
}

/// Implements `Deserialize` for a type that is [`Written`] in several forms.
macro_rules! deserialize_written {
    ($type:ty) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::generate::written::read_written(deserializer)
            }
        }
    };
}

pub(crate) use deserialize_written;

/// Implements `JsonSchema` with a name and the JSON of the schema.
macro_rules! written_schema {
    ($type:ty, $name:literal, |$generator:pat_param| $schema:tt) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

pub(crate) use written_schema;
