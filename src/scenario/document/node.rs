//! The tree of a YAML document: JSON's values, each with its place.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::{Diagnostic, Diagnostics, SourceFile, Span};

/// A value and its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: NodeValue,
    /// Where it stands; for a list or mapping, where it begins.
    pub span: Span,
}

/// JSON's values as YAML wrote them.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number of 0 or more.
    Unsigned(u64),
    /// A whole number below 0.
    Signed(i64),
    /// Any other number.
    Float(f64),
    /// Text, quoted or not.
    Text(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in the order of the file; no key stands in it twice.
    Mapping(Vec<(Key, Node)>),
    /// A value that was found wrong and is told already: decoding passes over it, with its key.
    Skipped,
}

/// A key of a mapping and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The key's text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// How deep lists and mappings may nest.
const DEPTH_LIMIT: usize = 64;
/// How many nodes a file may have once its aliases are written out.
const NODE_LIMIT: usize = 50_000;

impl Node {
    /// Reads a file that holds one YAML document.
    pub fn parse(source: &SourceFile) -> Result<Self, Diagnostics> {
        let empty = |message: &str| {
            let help = "`aghook new` writes a first scenario to start from".to_owned();
            Diagnostics::from(Diagnostic::of_file(
                source.name.clone(),
                message,
                Some(help),
            ))
        };
        if source.text.trim().is_empty() {
            return Err(empty("the file is empty"));
        }
        let options = serde_saphyr::options! {
            strict_booleans: true,
            budget: serde_saphyr::budget! { max_depth: DEPTH_LIMIT, max_nodes: NODE_LIMIT },
        };
        let tree: Spanned<RawValue> = serde_saphyr::from_str_with_options(&source.text, options)
            .map_err(|error| syntax_error(source, &error))?;
        let tree = Places::new(&source.text).node(tree);
        if tree.value == NodeValue::Null {
            return Err(empty("there is nothing in this file but comments"));
        }
        Ok(tree)
    }

    /// The value under a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|(name, _)| name.text == key)
            .map(|(_, node)| node)
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; none for any other value.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            NodeValue::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The entries of a mapping; none for any other value.
    pub fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            NodeValue::Mapping(entries) => entries,
            _ => &[],
        }
    }
}

/// Turns the library's error into one of ours: the message without place and snippet.
fn syntax_error(source: &SourceFile, error: &serde_saphyr::Error) -> Diagnostics {
    let error = error.without_snippet();
    let span = error
        .location()
        .map(|location| Places::new(&source.text).span(location));
    let text = error.to_string();
    let message = text
        .split_once(": ")
        .map_or(text.as_str(), |(place, message)| {
            if place.contains("line ") {
                message
            } else {
                &text
            }
        });
    let message = message.lines().next().unwrap_or_default();
    let message = message
        .split_once(" at line ")
        .map_or(message, |(message, _)| message);
    let (message, help) = if message.contains("recursive references") {
        (
            "this contains itself".to_owned(),
            "an alias must not stand inside its own anchor",
        )
    } else if message.contains("budget breached") || message.contains("recursion limit") {
        let limits = "at most 64 levels and 50,000 values, with aliases written out";
        (
            format!("the file is too deep or too large for a scenario ({message})"),
            limits,
        )
    } else if message.contains("duplicate mapping key") {
        (
            message.split(", set").next().unwrap_or(message).to_owned(),
            "remove one of the two",
        )
    } else if message.contains("multiple YAML documents") {
        (
            "a second document begins here".to_owned(),
            "one file holds one document: split it",
        )
    } else {
        let before = |span: Span| source.text[..span.start].ends_with('$');
        let help = if span.is_some_and(before) {
            "put `${name}` in quotes where it stands inside `{ … }` or `[ … ]`"
        } else {
            "check the indentation, brackets and quotes"
        };
        (format!("not valid YAML: {message}"), help)
    };
    match span {
        Some(span) => Diagnostic::at(source, span, message, Some(help.to_owned())).into(),
        None => Diagnostic::of_file(source.name.clone(), message, Some(help.to_owned())).into(),
    }
}

/// Finds byte offsets for the lines and columns of the YAML library.
struct Places<'text> {
    text: &'text str,
    line_starts: Vec<usize>,
}

impl<'text> Places<'text> {
    fn new(text: &'text str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self {
            text,
            line_starts: std::iter::once(0).chain(after_newlines).collect(),
        }
    }

    fn span(&self, location: Location) -> Span {
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let line = whole(location.line().saturating_sub(1)).min(self.line_starts.len() - 1);
        let line_start = self.line_starts[line];
        let column = whole(location.column().saturating_sub(1));
        let start = self.after_characters(line_start, column);
        let end = self.after_characters(start, whole(location.span().len()));
        Span {
            start,
            length: end - start,
        }
    }

    /// The offset that lies `count` characters after `start`, or the end of the text.
    fn after_characters(&self, start: usize, count: usize) -> usize {
        let rest = &self.text[start..];
        start
            + rest
                .char_indices()
                .nth(count)
                .map_or(rest.len(), |(offset, _)| offset)
    }

    fn node(&self, raw: Spanned<RawValue>) -> Node {
        let span = self.span(raw.defined);
        let value = match raw.value {
            RawValue::Leaf(value) => value,
            RawValue::Sequence(items) => {
                NodeValue::Sequence(items.into_iter().map(|item| self.node(item)).collect())
            }
            RawValue::Mapping(entries) => NodeValue::Mapping(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let span = self.span(key.defined);
                        (
                            Key {
                                text: key.value,
                                span,
                            },
                            self.node(value),
                        )
                    })
                    .collect(),
            ),
        };
        Node { value, span }
    }
}

/// A value as the YAML library hands it over, before its places are byte offsets.
enum RawValue {
    Leaf(NodeValue),
    Sequence(Vec<Spanned<RawValue>>),
    Mapping(Vec<(Spanned<String>, Spanned<RawValue>)>),
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Leaf(NodeValue::Null))
    }

    fn visit_none<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Leaf(NodeValue::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawValue, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Leaf(NodeValue::Boolean(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawValue, E> {
        Ok(RawValue::Leaf(NodeValue::Unsigned(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
        let value = u64::try_from(value).map_or(NodeValue::Signed(value), NodeValue::Unsigned);
        Ok(RawValue::Leaf(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawValue, E> {
        Ok(RawValue::Leaf(NodeValue::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawValue, E> {
        Ok(RawValue::Leaf(NodeValue::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<RawValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(RawValue::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<RawValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(RawValue::Mapping(entries))
    }
}
