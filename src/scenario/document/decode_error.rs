//! Decoding errors, worded for the author of the file.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::{Diagnostic, SourceFile, Span};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DecodeError {
    message: String,
    help: Option<String>,
    span: Option<Span>,
    /// The items and entries on the path to the value, innermost first: the index, and how messages
    /// show it, if they do.
    path: Vec<(usize, Option<String>)>,
    /// The missing key, if that is the mistake.
    pub(super) missing: Option<&'static str>,
}

impl DecodeError {
    pub(super) fn new(message: impl Into<String>, help: Option<String>) -> Self {
        Self {
            message: message.into(),
            help,
            span: None,
            path: Vec::new(),
            missing: None,
        }
    }

    /// Sets the span, unless a more precise one is already set.
    pub(crate) fn or_span(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    /// Adds the item or entry that contains the value to the path. Messages show it as `shown`.
    pub(super) fn in_element(mut self, index: usize, shown: Option<String>) -> Self {
        self.path.push((index, shown));
        self
    }

    /// The path from the outermost value to the invalid one, as indices of items and entries.
    pub(super) fn indices(&self) -> impl Iterator<Item = usize> {
        self.path.iter().rev().map(|(index, _)| *index)
    }

    pub(crate) fn into_diagnostic(self, source: &SourceFile) -> Diagnostic {
        let path = self.path();
        let message = if path.is_empty() {
            self.message
        } else {
            format!("{path}: {}", self.message)
        };
        let mut diagnostic = Diagnostic::at(source, self.span.unwrap_or_default(), message);
        diagnostic.help = self.help;
        diagnostic
    }

    /// The path as messages show it, such as `steps[1].expect.status`.
    fn path(&self) -> String {
        let mut path = String::new();
        let elements = self.path.iter().rev();
        for segment in elements.filter_map(|(_, shown)| shown.as_ref()) {
            if !path.is_empty() && !segment.starts_with('[') {
                path.push('.');
            }
            path.push_str(segment);
        }
        path
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    /// Uses the first line as the message and the rest as the help.
    fn custom<T: fmt::Display>(text: T) -> Self {
        let text = text.to_string();
        match text.split_once('\n') {
            Some((message, help)) => Self::new(message, Some(help.to_owned())),
            None => Self::new(text, None),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        use Unexpected::{Bool, Float, Signed, Unsigned};
        let is_unquoted = matches!(found, Unsigned(_) | Signed(_) | Float(_) | Bool(_));
        let mut error = Self::invalid_value(found, expected);
        if is_unquoted && plain(expected).contains("text") {
            error.help = Some("put it in quotes to make it text".to_owned());
        }
        error
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let (expected, found) = (plain(expected), describe(found));
        Self::new(format!("expected {expected}, found {found}"), None)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let found = match length {
            0 => "an empty list".to_owned(),
            1 => "a list of one value".to_owned(),
            _ => format!("a list of {length} values"),
        };
        Self::new(format!("expected {}, found {found}", plain(expected)), None)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let help = suggest(variant, "value", expected);
        Self::new(format!("unknown value `{variant}`"), Some(help))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let help = suggest(field, "key", expected);
        Self::new(format!("unknown key `{field}`"), Some(help))
    }

    fn missing_field(field: &'static str) -> Self {
        let missing = Some(field);
        Self {
            missing,
            ..Self::new(format!("missing key `{field}`"), None)
        }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("duplicate key `{field}`"), None)
    }
}

/// The known name that is most similar to `written`, if any is similar enough to suggest.
pub(crate) fn nearest<'names>(
    written: &str,
    known: impl IntoIterator<Item = &'names str>,
) -> Option<&'names str> {
    const THRESHOLD: f64 = 0.75;
    /// Comparing takes as long as the names are, squared, and a file can have many mistakes.
    const LONGEST: usize = 64;
    const MOST: usize = 400;
    if written.len() > LONGEST {
        return None;
    }
    let written = written.to_lowercase();
    known
        .into_iter()
        .filter(|name| name.len() <= LONGEST)
        .take(MOST)
        .map(|name| (name, similarity(&written, &name.to_lowercase())))
        .filter(|(_, similarity)| *similarity >= THRESHOLD)
        .max_by(|(_, left), (_, right)| left.total_cmp(right))
        .map(|(name, _)| name)
}

/// How similar two words are, from 0 to 1. A single typo counts little, however short the word.
fn similarity(written: &str, known: &str) -> f64 {
    const WITH_ONE_TYPO: f64 = 0.9;
    let similarity = strsim::jaro_winkler(written, known);
    let is_one_typo = known.len() > 2 && strsim::damerau_levenshtein(written, known) == 1;
    similarity.max(if is_one_typo { WITH_ONE_TYPO } else { 0.0 })
}

/// The question whether the most similar known name was meant, and a space; empty if none is similar.
pub(crate) fn did_you_mean<'names>(
    written: &str,
    known: impl IntoIterator<Item = &'names str>,
) -> String {
    nearest(written, known).map_or(String::new(), |name| format!("did you mean `{name}`? "))
}

fn suggest(written: &str, kind: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return format!("no {kind} is allowed here");
    }
    let question = did_you_mean(written, known.iter().copied());
    format!("{question}known {kind}s: {}", known.join(", "))
}

/// What serde's derived code expected, without Rust terms.
fn plain(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "a string" | "a borrowed string" => "text".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a non-negative whole number".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number".to_owned(),
        _ if text.starts_with("struct ") => "a mapping".to_owned(),
        _ if text.starts_with("enum ") => "one of the known values".to_owned(),
        _ => text,
    }
}

fn describe(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Str(text) => format!("the text \"{}\"", shortened(text, 60)),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

/// The text, cut after `limit` characters.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
