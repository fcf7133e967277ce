//! The tree of a YAML document: JSON values, each with its source span.

use std::fmt;

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
        let tree = serde_saphyr::from_str_with_options(&source.text, options)
            .map_err(|error| syntax_error(source, &error))?;
        let tree: Self = spanned(tree);
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
    let location = error.location();
    let span = location.map(|location| error_span(&source.text, location));
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

/// The span of a value, of which the library gives the bytes.
fn spanned<T>(raw: YamlSpanned<T>) -> Spanned<T> {
    let span = raw.defined.span();
    let whole = |bytes: Option<u64>| bytes.and_then(|bytes| usize::try_from(bytes).ok());
    let start = whole(span.byte_offset()).unwrap_or_default();
    let length = whole(span.byte_len()).unwrap_or_default();
    Spanned {
        value: raw.value,
        span: Span { start, length },
    }
}

/// The span of an error, of which the library gives only the characters.
fn error_span(text: &str, location: Location) -> Span {
    let offset = |characters: u64| {
        let before = text
            .chars()
            .take(usize::try_from(characters).unwrap_or(usize::MAX));
        before.map(char::len_utf8).sum()
    };
    let span = location.span();
    let start = offset(span.offset());
    Span {
        start,
        length: offset(span.offset() + span.len()) - start,
    }
}

impl<'de> Deserialize<'de> for NodeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = NodeValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<NodeValue, E> {
        Ok(NodeValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<NodeValue, E> {
        Ok(NodeValue::Boolean(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<NodeValue, E> {
        Ok(NodeValue::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<NodeValue, E> {
        Ok(u64::try_from(value).map_or(NodeValue::Signed(value), NodeValue::Unsigned))
    }

    fn visit_f64<E>(self, value: f64) -> Result<NodeValue, E> {
        Ok(NodeValue::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<NodeValue, E> {
        Ok(NodeValue::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<NodeValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(spanned(item));
        }
        Ok(NodeValue::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<NodeValue, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = access.next_entry()? {
            entries.push((spanned(key), spanned(value)));
        }
        Ok(NodeValue::Mapping(entries))
    }
}
