//! Why a tree is not the wanted type, in words for the file's author.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::{Diagnostic, SourceFile, Span};

/// Why a value could not be decoded, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodeError {
    message: String,
    help: Option<String>,
    span: Option<Span>,
    /// The steps on the way to the value, innermost first.
    path: Vec<Step>,
    /// The key that a mapping lacks, where that is what is wrong.
    missing: Option<&'static str>,
}

/// One step from a list or mapping to something in it.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    /// The how-manieth item or entry it is.
    index: usize,
    /// How messages write it; nothing where they leave it out.
    shown: Option<String>,
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

    /// Says where, unless a place further in has been named already.
    pub(super) fn or_at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    /// Adds the item or entry, by its index, in which the value stands, as messages write it.
    pub(super) fn under(mut self, index: usize, shown: impl Into<String>) -> Self {
        let shown = Some(shown.into());
        self.path.push(Step { index, shown });
        self
    }

    /// Adds an item or entry that messages leave out.
    pub(super) fn within(mut self, index: usize) -> Self {
        self.path.push(Step { index, shown: None });
        self
    }

    /// The indices of items and entries that lead from the outermost value to the one that is wrong.
    pub(super) fn indices(&self) -> impl Iterator<Item = usize> {
        self.path.iter().rev().map(|step| step.index)
    }

    /// The key that the mapping lacks, where that is what is wrong.
    pub(super) fn missing_key(&self) -> Option<&'static str> {
        self.missing
    }

    /// This error as one of `source`.
    pub fn into_diagnostic(self, source: &SourceFile) -> Diagnostic {
        let path = self.path();
        let message = if path.is_empty() {
            self.message
        } else {
            format!("{path}: {}", self.message)
        };
        Diagnostic::at(source, self.span.unwrap_or_default(), message, self.help)
    }

    /// Where the value stands, as in `steps[1].expect.status`.
    fn path(&self) -> String {
        let mut path = String::new();
        let shown = self
            .path
            .iter()
            .rev()
            .filter_map(|step| step.shown.as_ref());
        for step in shown {
            if !path.is_empty() && !step.starts_with('[') {
                path.push('.');
            }
            path.push_str(step);
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
    /// The first line is the message, the others are the help.
    fn custom<T: fmt::Display>(text: T) -> Self {
        let text = text.to_string();
        match text.split_once('\n') {
            Some((message, help)) => Self::new(message, Some(help.to_owned())),
            None => Self::new(text, None),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = plain(expected);
        let help = match found {
            Unexpected::Unsigned(_)
            | Unexpected::Signed(_)
            | Unexpected::Float(_)
            | Unexpected::Bool(_)
                if expected.contains("text") =>
            {
                Some("put it in quotes to make it text".to_owned())
            }
            _ => None,
        };
        Self::new(
            format!("expected {expected}, found {}", describe(found)),
            help,
        )
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(
            format!("expected {}, found {}", plain(expected), describe(found)),
            None,
        )
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
        Self::new(
            format!("unknown word `{variant}`"),
            Some(suggest(variant, expected)),
        )
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(
            format!("unknown key `{field}`"),
            Some(suggest(field, expected)),
        )
    }

    fn missing_field(field: &'static str) -> Self {
        let missing = Some(field);
        Self {
            missing,
            ..Self::new(format!("the key `{field}` is missing"), None)
        }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("the key `{field}` stands here twice"), None)
    }
}

/// The known name that is nearest to what was written, if one is near enough to be meant.
pub fn nearest<'names>(
    written: &str,
    known: impl IntoIterator<Item = &'names str>,
) -> Option<&'names str> {
    const NEAR_ENOUGH: f64 = 0.75;
    known
        .into_iter()
        .map(|name| {
            (
                name,
                similarity(&written.to_lowercase(), &name.to_lowercase()),
            )
        })
        .filter(|(_, similarity)| *similarity >= NEAR_ENOUGH)
        .max_by(|(_, left), (_, right)| left.total_cmp(right))
        .map(|(name, _)| name)
}

/// How alike two words are, from 0 to 1. Of short words, one slip of the fingers changes much.
fn similarity(written: &str, known: &str) -> f64 {
    const OF_ONE_SLIP: f64 = 0.9;
    let alike = strsim::jaro_winkler(written, known);
    let is_one_slip = known.len() > 2 && strsim::damerau_levenshtein(written, known) == 1;
    if is_one_slip {
        alike.max(OF_ONE_SLIP)
    } else {
        alike
    }
}

fn suggest(written: &str, known: &[&str]) -> String {
    let all = match known {
        [] => return "no key is known here".to_owned(),
        _ => format!("known here: {}", known.join(", ")),
    };
    match nearest(written, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`? {all}"),
        None => all,
    }
}

/// What serde's derived code expected, in words that need no Rust.
fn plain(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "a string" | "a borrowed string" => "text".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number".to_owned(),
        _ if text.starts_with("struct ") => "a mapping".to_owned(),
        _ if text.starts_with("enum ") => "a known word".to_owned(),
        _ => text,
    }
}

fn describe(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Str(text) if text.chars().count() > 60 => {
            format!(
                "the text \"{}…\"",
                text.chars().take(60).collect::<String>()
            )
        }
        Unexpected::Str(text) => format!("the text \"{text}\""),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        other => other.to_string(),
    }
}
