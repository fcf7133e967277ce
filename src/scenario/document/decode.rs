//! A serde deserializer for the tree that gives every error a source span.

use std::iter::{self, Enumerate};
use std::slice;

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::one_or_many::ONE_OR_MANY_MARKER;
use super::spanned::SPANNED_MARKER;
use super::{DecodeError, Diagnostic, Node, NodeValue, SourceFile, Span, Spanned};

/// Decodes a tree of `source` into a type. Stops at the first mistake.
pub fn decode<T: DeserializeOwned>(source: &SourceFile, node: &Node) -> Result<T, Diagnostic> {
    decode_node(node).map_err(|error| error.into_diagnostic(source))
}

/// Like [`decode`], but the error keeps the path to the invalid value.
pub(super) fn decode_node<T: DeserializeOwned>(node: &Node) -> Result<T, DecodeError> {
    T::deserialize(NodeDeserializer(node))
}

#[derive(Clone, Copy)]
struct NodeDeserializer<'node>(&'node Node);

impl<'de> IntoDeserializer<'de, DecodeError> for NodeDeserializer<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl NodeDeserializer<'_> {
    /// Where an error about the whole node points: for a mapping, its first key.
    fn span(self) -> Span {
        match self.0.entries() {
            [(key, _), ..] => key.span,
            [] => self.0.span,
        }
    }
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.0.value {
            NodeValue::Null | NodeValue::Skipped => visitor.visit_unit(),
            NodeValue::Boolean(value) => visitor.visit_bool(*value),
            NodeValue::Unsigned(value) => visitor.visit_u64(*value),
            NodeValue::Signed(value) => visitor.visit_i64(*value),
            NodeValue::Float(value) => visitor.visit_f64(*value),
            NodeValue::Text(value) => visitor.visit_str(value),
            NodeValue::Sequence(items) => visitor.visit_seq(ListAccess(items.iter().enumerate())),
            NodeValue::Mapping(entries) => visitor.visit_map(MappingAccess {
                entries: entries.iter().enumerate(),
                current: None,
            }),
        }
        .map_err(|error| error.or_span(self.span()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0.value {
            NodeValue::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == ONE_OR_MANY_MARKER && !matches!(self.0.value, NodeValue::Sequence(_)) {
            return visitor.visit_newtype_struct(SeqDeserializer::new(iter::once(self)));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match name {
            SPANNED_MARKER => visitor.visit_seq(SpannedParts(self, 0)),
            _ => self.deserialize_any(visitor),
        }
    }

    /// Rejects lists: serde's derived code would read their items as the fields in order.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.0.value {
            NodeValue::Sequence(_) => {
                Err(DecodeError::invalid_type(Unexpected::Seq, &"a mapping").or_span(self.span()))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let (name, span, value) = match (&self.0.value, self.0.entries()) {
            (NodeValue::Text(name), _) => (name, self.0.span, None),
            (_, [(key, value)]) => (&key.value, key.span, Some(value)),
            (NodeValue::Mapping(_), _) => {
                let error = DecodeError::invalid_value(Unexpected::Map, &"a mapping with one key");
                return Err(error.or_span(self.span()));
            }
            _ => return self.deserialize_any(visitor),
        };
        visitor
            .visit_enum(EnumNode { name, span, value })
            .map_err(|error| error.or_span(self.span()))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple map identifier ignored_any
    }
}

/// The items that are not [skipped](NodeValue::Skipped).
struct ListAccess<'node>(Enumerate<slice::Iter<'node, Node>>);

impl<'de> SeqAccess<'de> for ListAccess<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let next = self.0.find(|(_, item)| item.value != NodeValue::Skipped);
        let decode = |(index, item)| {
            let item = NodeDeserializer(item);
            seed.deserialize(item).map_err(|error| {
                let shown = format!("[{index}]");
                error.or_span(item.span()).in_element(index, Some(shown))
            })
        };
        next.map(decode).transpose()
    }
}

/// The entries that are not [skipped](NodeValue::Skipped).
struct MappingAccess<'node> {
    entries: Enumerate<slice::Iter<'node, (Spanned<String>, Node)>>,
    /// The entry whose key was read last.
    current: Option<(usize, &'node (Spanned<String>, Node))>,
}

impl<'de> MapAccess<'de> for MappingAccess<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let entries = &mut self.entries;
        self.current = entries.find(|(_, (_, value))| value.value != NodeValue::Skipped);
        let decode = |(index, (key, _)): (usize, &(Spanned<String>, Node))| {
            let name: StrDeserializer<'_, DecodeError> = key.as_str().into_deserializer();
            seed.deserialize(name)
                .map_err(|error| error.or_span(key.span).in_element(index, None))
        };
        self.current.map(decode).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let Some((index, (key, value))) = self.current else {
            return Err(DecodeError::custom("no entry is left to take a value from"));
        };
        let value = NodeDeserializer(value);
        // Without the value's own span, an error about the whole value would point at the mapping
        // around it.
        seed.deserialize(value).map_err(|error| {
            let shown = key.value.clone();
            error.or_span(value.span()).in_element(index, Some(shown))
        })
    }
}

/// The start, length and value of a [`Spanned`], and how many of them were read.
struct SpannedParts<'node>(NodeDeserializer<'node>, usize);

impl<'de> SeqAccess<'de> for SpannedParts<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.1 += 1;
        let span = self.0.span();
        match self.1 {
            1 => seed.deserialize(span.start.into_deserializer()).map(Some),
            2 => seed.deserialize(span.length.into_deserializer()).map(Some),
            3 => seed.deserialize(self.0).map(Some),
            _ => Ok(None),
        }
    }
}

struct EnumNode<'node> {
    name: &'node str,
    span: Span,
    value: Option<&'node Node>,
}

impl<'de> EnumAccess<'de> for EnumNode<'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self::Variant), DecodeError> {
        let name: StrDeserializer<'_, DecodeError> = self.name.into_deserializer();
        let variant = seed
            .deserialize(name)
            .map_err(|error| error.or_span(self.span))?;
        Ok((variant, self))
    }
}

impl<'node> EnumNode<'node> {
    fn value(&self, expected: &str) -> Result<NodeDeserializer<'node>, DecodeError> {
        let value = self.value.map(NodeDeserializer);
        value.ok_or_else(|| self.expects(expected))
    }

    fn expects(&self, expected: &str) -> DecodeError {
        DecodeError::new(format!("`{}` takes {expected}", self.name), None).or_span(self.span)
    }
}

impl<'de> VariantAccess<'de> for EnumNode<'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(self.expects("no value")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        seed.deserialize(self.value("a value")?)
            .map_err(|error| error.in_element(0, Some(self.name.to_owned())))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.value("a list")?
            .deserialize_any(visitor)
            .map_err(|error| error.in_element(0, None))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.value("a mapping")?
            .deserialize_struct("", fields, visitor)
            .map_err(|error| error.in_element(0, None))
    }
}
