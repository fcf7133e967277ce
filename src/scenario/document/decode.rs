//! A serde deserializer on the tree, so that every error knows its place.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::located::LOCATED_MARKER;
use super::one_or_many::ONE_OR_MANY_MARKER;
use super::{DecodeError, Diagnostic, Key, Node, NodeValue, SourceFile, Span};

/// Decodes a tree of `source` into a type; the first mistake ends it.
pub fn decode<T: DeserializeOwned>(source: &SourceFile, node: &Node) -> Result<T, Diagnostic> {
    decode_node(node).map_err(|error| error.into_diagnostic(source))
}

/// The same, with an error that leads to the wrong value in the tree.
pub(super) fn decode_node<T: DeserializeOwned>(node: &Node) -> Result<T, DecodeError> {
    T::deserialize(NodeDeserializer(node))
}

#[derive(Clone, Copy)]
struct NodeDeserializer<'node>(&'node Node);

impl NodeDeserializer<'_> {
    /// Where an error about the whole node points: a mapping is shown by its first key.
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
            NodeValue::Sequence(items) => visitor.visit_seq(Items { items, next: 0 }),
            NodeValue::Mapping(entries) => visitor.visit_map(Entries { entries, next: 0 }),
        }
        .map_err(|error| error.or_at(self.span()))
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
        if name == LOCATED_MARKER {
            return visitor.visit_seq(Place {
                node: self,
                next: 0,
            });
        }
        if name == ONE_OR_MANY_MARKER {
            return match &self.0.value {
                NodeValue::Sequence(_) => self.deserialize_any(visitor),
                _ => visitor.visit_seq(Lone(Some(self))),
            };
        }
        visitor.visit_newtype_struct(self)
    }

    /// A list is no mapping: serde's derived code would take its items for the fields in order.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.0.value {
            NodeValue::Sequence(_) => {
                Err(DecodeError::invalid_type(Unexpected::Seq, &"a mapping").or_at(self.span()))
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
        match &self.0.value {
            NodeValue::Text(name) => visitor.visit_enum(Variant {
                name,
                span: self.0.span,
                value: None,
            }),
            NodeValue::Mapping(entries) => match entries.as_slice() {
                [(key, value)] => visitor.visit_enum(Variant {
                    name: &key.text,
                    span: key.span,
                    value: Some(value),
                }),
                _ => Err(DecodeError::invalid_value(
                    Unexpected::Map,
                    &"a mapping with one key",
                )),
            },
            _ => self.deserialize_any(visitor),
        }
        .map_err(|error| error.or_at(self.span()))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'node> {
    items: &'node [Node],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some((index, item)) = not_skipped(self.items, self.next, |item| item) else {
            return Ok(None);
        };
        self.next = index + 1;
        let item = NodeDeserializer(item);
        seed.deserialize(item)
            .map(Some)
            .map_err(|error| error.or_at(item.span()).under(index, format!("[{index}]")))
    }
}

/// The first part from `next` on whose value is not [skipped](NodeValue::Skipped), with its index.
fn not_skipped<T>(parts: &[T], next: usize, value: impl Fn(&T) -> &Node) -> Option<(usize, &T)> {
    let mut rest = parts.iter().enumerate().skip(next);
    rest.find(|(_, part)| value(part).value != NodeValue::Skipped)
}

struct Entries<'node> {
    entries: &'node [(Key, Node)],
    next: usize,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some((index, (key, _))) = not_skipped(self.entries, self.next, |(_, value)| value)
        else {
            return Ok(None);
        };
        self.next = index;
        let name: StrDeserializer<'_, DecodeError> = key.text.as_str().into_deserializer();
        seed.deserialize(name)
            .map(Some)
            .map_err(|error| error.or_at(key.span).within(index))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let Some((key, value)) = self.entries.get(self.next) else {
            return Err(DecodeError::custom(
                "a value was asked for after the last entry",
            ));
        };
        let index = self.next;
        self.next += 1;
        let value = NodeDeserializer(value);
        // The value's own place, so that an error of its type as a whole does not point at the
        // mapping around it.
        seed.deserialize(value)
            .map_err(|error| error.or_at(value.span()).under(index, key.text.clone()))
    }
}

/// A lone value as a list of one.
struct Lone<'node>(Option<NodeDeserializer<'node>>);

impl<'de> SeqAccess<'de> for Lone<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.0.take().map(|node| seed.deserialize(node)).transpose()
    }
}

/// The three parts of a [`Located`](super::Located) value.
struct Place<'node> {
    node: NodeDeserializer<'node>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Place<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.next += 1;
        let span = self.node.span();
        match self.next {
            1 => seed.deserialize(span.start.into_deserializer()).map(Some),
            2 => seed.deserialize(span.length.into_deserializer()).map(Some),
            3 => seed.deserialize(self.node).map(Some),
            _ => Ok(None),
        }
    }
}

/// A variant's name and what stands under it.
struct Variant<'node> {
    name: &'node str,
    span: Span,
    value: Option<&'node Node>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self::Variant), DecodeError> {
        let name: StrDeserializer<'_, DecodeError> = self.name.into_deserializer();
        let variant = seed
            .deserialize(name)
            .map_err(|error| error.or_at(self.span))?;
        Ok((variant, self))
    }
}

impl Variant<'_> {
    fn wrong_shape(&self, expected: &str) -> DecodeError {
        DecodeError::new(format!("`{}` takes {expected}", self.name), None).or_at(self.span)
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(self.wrong_shape("no value")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        match self.value {
            Some(value) => seed
                .deserialize(NodeDeserializer(value))
                .map_err(|error| error.under(0, self.name)),
            None => Err(self.wrong_shape("a value")),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.value {
            Some(value) => NodeDeserializer(value)
                .deserialize_any(visitor)
                .map_err(|error| error.within(0)),
            None => Err(self.wrong_shape("a list")),
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.value {
            Some(value) => NodeDeserializer(value)
                .deserialize_struct("", fields, visitor)
                .map_err(|error| error.within(0)),
            None => Err(self.wrong_shape("a mapping")),
        }
    }
}
