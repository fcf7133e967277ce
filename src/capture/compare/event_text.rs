//! The objects of an event's text: their keys in order, and the types of the values.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use crate::capture::json_tokens::{ITEM, TokenKind, tokens};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ValueType {
    Null,
    Boolean,
    Integer,
    Decimal,
    String,
    List,
    Object,
}

#[derive(Debug)]
pub(super) struct ObjectText {
    /// The place, such as `event_data.item`. Items of all lists and fallback items share the place of
    /// the item.
    pub(super) place: String,
    pub(super) members: Vec<Member>,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) value_type: ValueType,
    pub(super) value: Range<usize>,
}

/// The objects in order; `None` if the text is not JSON.
pub(super) fn objects(text: &str) -> Option<Vec<ObjectText>> {
    let tokens = tokens(text)?;
    let mut objects: Vec<ObjectText> = Vec::new();
    // The latest object at each depth.
    let mut latest: HashMap<usize, usize> = HashMap::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Object => {
                latest.insert(token.path.len(), objects.len());
                objects.push(ObjectText {
                    place: place(&token.path),
                    members: Vec::new(),
                });
            }
            TokenKind::Key => {
                let (key, parents) = token.path.split_last()?;
                let value = tokens.get(index + 1)?;
                let object = objects.get_mut(*latest.get(&parents.len())?)?;
                object.members.push(Member {
                    key: key.to_string(),
                    value_type: value_type(value.kind, &text[value.range.clone()]),
                    value: value.range.clone(),
                });
            }
            _ => {}
        }
    }
    Some(objects)
}

fn value_type(kind: TokenKind, written: &str) -> ValueType {
    match kind {
        TokenKind::Key | TokenKind::String => ValueType::String,
        TokenKind::Number if written.contains(['.', 'e', 'E']) => ValueType::Decimal,
        TokenKind::Number => ValueType::Integer,
        TokenKind::Word if written == "null" => ValueType::Null,
        TokenKind::Word => ValueType::Boolean,
        TokenKind::Object => ValueType::Object,
        TokenKind::List => ValueType::List,
    }
}

/// Joins a path. The parts of bundles at any depth have one place, and so have an item, its fallback
/// and those of a list.
fn place(path: &[Rc<str>]) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path {
        match &**part {
            ITEM => {
                if let Some(last @ &mut "items") = parts.last_mut() {
                    *last = "item";
                }
            }
            "fallback_item" => {}
            "nested_items" if parts.last() == Some(&"nested_items") => {}
            part => parts.push(part),
        }
    }
    parts.join(".")
}

/// The place of a member.
pub(super) fn member_place(object: &str, key: &str) -> String {
    match object {
        "" => key.to_owned(),
        object => format!("{object}.{key}"),
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Integer => "a whole number",
            Self::Decimal => "a decimal number",
            Self::String => "a string",
            Self::List => "a list",
            Self::Object => "an object",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_belong_to_their_object() {
        let text = r#"{"a":1,"event_data":{"item":{"nested_items":[{"nested_items":[{"x":1.5}],"y":null}],
            "fallback_item":{"z":true}},"items":[{"z":"s"}]},"b":[]}"#;
        let objects = objects(text).expect("JSON");
        let shown: Vec<String> = objects
            .iter()
            .flat_map(|object| {
                object.members.iter().map(|member| {
                    let place = member_place(&object.place, &member.key);
                    format!("{place}: {}", member.value_type)
                })
            })
            .collect();
        let expected = [
            "a: a whole number",
            "event_data: an object",
            "b: a list",
            "event_data.item: an object",
            "event_data.items: a list",
            "event_data.item.nested_items: a list",
            "event_data.item.fallback_item: an object",
            "event_data.item.nested_items.nested_items: a list",
            "event_data.item.nested_items.y: null",
            "event_data.item.nested_items.x: a decimal number",
            "event_data.item.z: a boolean",
            "event_data.item.z: a string",
        ];
        assert_eq!(shown, expected);
    }
}
