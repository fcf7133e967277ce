//! The tree of a YAML document: JSON values, each with its source span.

use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned as YamlSpanned};

use super::{Diagnostic, Diagnostics, SourceFile, Span, Spanned};

/// A value and its span in the file; for a list or mapping, where it begins.
pub type Node = Spanned<NodeValue>;

/// The JSON data model.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    Null,
    Boolean(bool),
    /// A whole number, 0 or more.
    Unsigned(u64),
    /// A whole number below 0.
    Signed(i64),
    Float(f64),
    Text(String),
    Sequence(Vec<Node>),
    /// A mapping with unique keys, in the order of the file.
    Mapping(Vec<(Spanned<String>, Node)>),
    /// An invalid value that is already reported. Decoding skips it together with its key.
    Skipped,
}

const DEPTH_LIMIT: usize = 64;
/// The maximum number of nodes in a file, with aliases expanded.
const NODE_LIMIT: usize = 50_000;

impl Node {
    /// Parses a file with a single YAML document.
    pub fn parse(source: &SourceFile) -> Result<Self, Diagnostics> {
        let empty = |message: &str| {
            let problem = Diagnostic::for_file(source.name.clone(), message);
            Diagnostics::from(problem.with_help("run `aghook new` to create a first scenario"))
        };
        if source.text.trim().is_empty() {
            return Err(empty("the file is empty"));
        }
        let options = serde_saphyr::options! {
            strict_booleans: true,
            budget: serde_saphyr::budget! { max_depth: DEPTH_LIMIT, max_nodes: NODE_LIMIT },
        };
        let tree: YamlSpanned<RawValue> =
            serde_saphyr::from_str_with_options(&source.text, options)
                .map_err(|error| syntax_error(source, &error))?;
        let tree = ByteOffsets::new(&source.text).node(tree);
        if tree.value == NodeValue::Null {
            return Err(empty("the file contains only comments"));
        }
        Ok(tree)
    }

    /// The value of a key, if this is a mapping with that key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let mut entries = self.entries().iter();
        entries
            .find(|(name, _)| name.value == key)
            .map(|(_, node)| node)
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; empty for any other value.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            NodeValue::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The entries of a mapping; empty for any other value.
    pub fn entries(&self) -> &[(Spanned<String>, Self)] {
        match &self.value {
            NodeValue::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The value within a text or a label; `None` for a list or a mapping.
    pub(crate) fn scalar_text(&self) -> Option<String> {
        Some(match &self.value {
            NodeValue::Null | NodeValue::Skipped => "null".to_owned(),
            NodeValue::Boolean(value) => value.to_string(),
            NodeValue::Unsigned(value) => value.to_string(),
            NodeValue::Signed(value) => value.to_string(),
            NodeValue::Float(value) => value.to_string(),
            NodeValue::Text(value) => value.clone(),
            NodeValue::Sequence(_) | NodeValue::Mapping(_) => return None,
        })
    }
}

/// Converts the library's error into a diagnostic: its message without location and snippet.
fn syntax_error(source: &SourceFile, error: &serde_saphyr::Error) -> Diagnostics {
    let error = error.without_snippet();
    let span = error
        .location()
        .map(|location| ByteOffsets::new(&source.text).span(location));
    let text = error.to_string();
    let message = match text.split_once(": ") {
        Some((location, message)) if location.contains("line ") => message,
        _ => &text,
    };
    let message = message.lines().next().unwrap_or_default();
    let message = message.split(" at line ").next().unwrap_or(message);
    let is = |part| message.contains(part);
    let before_brace = |span: Span| source.text[..span.start].ends_with('$');
    let (message, help) = if is("recursive references") {
        let help = "don't use an alias inside its own anchor";
        ("this value contains itself".to_owned(), help)
    } else if is("budget breached") || is("recursion limit") {
        let help = "use at most 64 levels and 50,000 values, with aliases expanded";
        let message = format!("the file is nested too deep or too large ({message})");
        (message, help)
    } else if is("duplicate mapping key") {
        let message = message.split(", set").next().unwrap_or(message);
        let message = message.replace("duplicate mapping key", "duplicate key");
        (message, "remove one of the two keys")
    } else if is("multiple YAML documents") {
        let help = "put each document in its own file";
        ("a second YAML document begins here".to_owned(), help)
    } else if span.is_some_and(before_brace) {
        let help = "put `${name}` in quotes inside `{ … }` or `[ … ]`";
        (format!("not valid YAML: {message}"), help)
    } else {
        let help = "check the indentation, brackets and quotes";
        (format!("not valid YAML: {message}"), help)
    };
    let problem = match span {
        Some(span) => Diagnostic::at(source, span, message),
        None => Diagnostic::for_file(source.name.clone(), message),
    };
    problem.with_help(help).into()
}

/// Converts the YAML library's lines and columns to byte offsets.
struct ByteOffsets<'text> {
    text: &'text str,
    line_starts: Vec<usize>,
}

impl<'text> ByteOffsets<'text> {
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

    /// The offset `count` characters after `start`, or the end of the text.
    fn after_characters(&self, start: usize, count: usize) -> usize {
        let after = self.text[start..].char_indices().nth(count);
        after.map_or(self.text.len(), |(offset, _)| start + offset)
    }

    fn node(&self, raw: YamlSpanned<RawValue>) -> Node {
        let span = self.span(raw.defined);
        let entry = |(key, value): (YamlSpanned<String>, _)| {
            let span = self.span(key.defined);
            let value = self.node(value);
            (
                Spanned {
                    value: key.value,
                    span,
                },
                value,
            )
        };
        let value = match raw.value {
            RawValue::Leaf(value) => value,
            RawValue::Sequence(items) => {
                NodeValue::Sequence(items.into_iter().map(|item| self.node(item)).collect())
            }
            RawValue::Mapping(entries) => {
                NodeValue::Mapping(entries.into_iter().map(entry).collect())
            }
        };
        Node { value, span }
    }
}

/// A value as the YAML library returns it, before its locations become byte offsets.
enum RawValue {
    Leaf(NodeValue),
    Sequence(Vec<YamlSpanned<RawValue>>),
    Mapping(Vec<(YamlSpanned<String>, YamlSpanned<RawValue>)>),
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

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<RawValue, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(access)).map(RawValue::Sequence)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<RawValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(RawValue::Mapping(entries))
    }
}
