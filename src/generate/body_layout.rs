//! How the JSON of an event is written. The signature covers the bytes, whatever their layout.

use std::fmt;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::{Escapes, JsonStyle, Whitespace};

// The doc comments are the descriptions in the JSON Schema, which authors read.

/// How the JSON of an event is written.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum BodyLayout {
    /// Without whitespace.
    #[default]
    Compact,
    /// With a space after each colon and comma.
    Spaced,
    /// Indented by two spaces, with Unix line breaks.
    Indented,
    /// Indented by two spaces, with Windows line breaks.
    IndentedCrlf,
    /// Non-ASCII characters are written as `\uXXXX`.
    Escaped,
    /// With a space after each colon and comma, and non-ASCII characters as `\uXXXX`. Python's
    /// `json.dumps` writes so.
    SpacedEscaped,
    /// Slashes are written as `\/`.
    EscapedSlashes,
    /// The keys of every object are in reverse order.
    Reordered,
    /// With a line break at the end.
    TrailingNewline,
    /// With a line break and spaces at the beginning.
    LeadingWhitespace,
}

impl BodyLayout {
    /// Writes the JSON of an event.
    pub(crate) fn text(self, event: &Value) -> String {
        let text = match self {
            Self::Reordered => self.style().text(&reordered(event)),
            _ => self.style().text(event),
        };
        match self {
            Self::TrailingNewline => text + "\n",
            Self::LeadingWhitespace => format!("\n  {text}"),
            _ => text,
        }
    }

    fn style(self) -> JsonStyle {
        let indented = |line_break| Whitespace::Indented {
            unit: "  ",
            line_break,
        };
        JsonStyle {
            whitespace: match self {
                Self::Spaced | Self::SpacedEscaped => Whitespace::Spaced,
                Self::Indented => indented("\n"),
                Self::IndentedCrlf => indented("\r\n"),
                _ => Whitespace::Compact,
            },
            escapes: match self {
                Self::Escaped | Self::SpacedEscaped => Escapes::NonAscii,
                Self::EscapedSlashes => Escapes::Slashes,
                _ => Escapes::None,
            },
            ..JsonStyle::default()
        }
    }
}

impl fmt::Display for BodyLayout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        formatter.pad(value.as_ref().map_or("", PossibleValue::get_name))
    }
}

fn reordered(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(reordered).collect(),
        Value::Object(entries) => {
            let entries = entries.iter().rev();
            let entries = entries.map(|(key, value)| (key.clone(), reordered(value)));
            Value::Object(entries.collect())
        }
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    #[test]
    fn every_layout_has_its_name_in_files() {
        for layout in BodyLayout::value_variants() {
            let name = layout.to_string();
            assert_eq!(
                serde_json::from_value::<BodyLayout>(name.into()).unwrap(),
                *layout
            );
        }
    }

    #[test]
    fn layouts_differ_in_their_bytes_but_not_in_their_value() {
        let event = json!({ "b": "Zoë a/b", "a": [{ "y": 1, "x": null }] });
        let texts: BTreeSet<String> = BodyLayout::value_variants()
            .iter()
            .map(|layout| {
                let text = layout.text(&event);
                assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), event);
                text
            })
            .collect();
        assert_eq!(texts.len(), BodyLayout::value_variants().len());
        // As `json.dumps` of Python writes it.
        let python = BodyLayout::SpacedEscaped.text(&event);
        let written = r#"{"b": "Zo\u00eb a/b", "a": [{"y": 1, "x": null}]}"#;
        assert_eq!(python, written);
        let reordered = BodyLayout::Reordered.text(&event);
        assert_eq!(reordered, r#"{"a":[{"x":null,"y":1}],"b":"Zoë a/b"}"#);
    }
}
