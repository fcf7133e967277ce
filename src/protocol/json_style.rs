//! JSON in the styles of common libraries, which differ in whitespace, escapes and numbers.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// How to write JSON. The default is that of Aghanim's documented example without its line breaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct JsonStyle {
    pub(crate) whitespace: Whitespace,
    pub(crate) escapes: Escapes,
    pub(crate) numbers: Numbers,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Whitespace {
    #[default]
    Compact,
    /// A space after each colon and comma.
    Spaced,
    /// One entry on a line.
    Indented {
        unit: &'static str,
        line_break: &'static str,
    },
}

/// The characters that are escaped although JSON does not require it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Escapes {
    #[default]
    None,
    /// As Python does by default.
    NonAscii,
    Slashes,
    /// As PHP does by default.
    SlashesAndNonAscii,
    /// As Go does by default: characters that are special in HTML and JavaScript.
    Html,
    /// As Gson does by default: as Go, and also `=` and `'`.
    Gson,
    /// As Jackson does when it writes bytes: characters beyond U+FFFF, in uppercase hex.
    Jackson,
    /// As .NET does by default: non-ASCII characters and those that are special in HTML, in
    /// uppercase hex.
    DotNet,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Numbers {
    #[default]
    AsGiven,
    /// All as doubles, so 1.0 becomes 1.
    JavaScript,
    /// All as Java's doubles, so 1 becomes 1.0.
    JavaDoubles,
}

impl JsonStyle {
    pub(crate) fn text(self, value: &Value) -> String {
        let mut text = String::new();
        self.write(value, 0, &mut text);
        text
    }

    fn write(self, value: &Value, depth: usize, out: &mut String) {
        match value {
            Value::Array(items) => {
                self.list(['[', ']'], items.iter(), depth, out, |item, out| {
                    self.write(item, depth + 1, out);
                });
            }
            Value::Object(entries) => {
                let colon = match self.whitespace {
                    Whitespace::Compact => ":",
                    Whitespace::Spaced | Whitespace::Indented { .. } => ": ",
                };
                self.list(['{', '}'], entries.iter(), depth, out, |entry, out| {
                    self.escapes.write_string(entry.0, out);
                    out.push_str(colon);
                    self.write(entry.1, depth + 1, out);
                });
            }
            Value::String(text) => self.escapes.write_string(text, out),
            Value::Number(number) => out.push_str(&self.numbers.text(number)),
            Value::Null | Value::Bool(_) => out.push_str(&value.to_string()),
        }
    }

    fn list<T>(
        self,
        [open, close]: [char; 2],
        items: impl ExactSizeIterator<Item = T>,
        depth: usize,
        out: &mut String,
        write: impl Fn(T, &mut String),
    ) {
        let is_empty = items.len() == 0;
        let new_line = |depth: usize, out: &mut String| {
            if let Whitespace::Indented { unit, line_break } = self.whitespace
                && !is_empty
            {
                out.push_str(line_break);
                out.push_str(&unit.repeat(depth));
            }
        };
        out.push(open);
        for (index, item) in items.enumerate() {
            match self.whitespace {
                _ if index == 0 => {}
                Whitespace::Spaced => out.push_str(", "),
                Whitespace::Compact | Whitespace::Indented { .. } => out.push(','),
            }
            new_line(depth + 1, out);
            write(item, out);
        }
        new_line(depth, out);
        out.push(close);
    }
}

impl Escapes {
    fn write_string(self, text: &str, out: &mut String) {
        out.push('"');
        for character in text.chars() {
            match character {
                '/' if matches!(self, Self::Slashes | Self::SlashesAndNonAscii) => {
                    out.push_str("\\/");
                }
                '"' if self != Self::DotNet => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                _ if character < ' ' || self.escapes(character) => self.write_units(character, out),
                _ => out.push(character),
            }
        }
        out.push('"');
    }

    /// Whether a character is escaped although JSON does not require it.
    fn escapes(self, character: char) -> bool {
        match self {
            Self::None | Self::Slashes => false,
            Self::NonAscii => character > '~',
            Self::SlashesAndNonAscii => !character.is_ascii(),
            Self::Html => matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
            Self::Gson => matches!(character, '=' | '\'') || Self::Html.escapes(character),
            Self::Jackson => character > '\u{ffff}',
            Self::DotNet => {
                matches!(character, '"' | '<' | '>' | '&' | '\'' | '+' | '`') || character > '~'
            }
        }
    }

    fn write_units(self, character: char, out: &mut String) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let written = match self {
                Self::DotNet | Self::Jackson => write!(out, "\\u{unit:04X}"),
                _ => write!(out, "\\u{unit:04x}"),
            };
            debug_assert!(written.is_ok(), "writing to a string can't fail");
        }
    }
}

impl Numbers {
    fn text(self, number: &Number) -> String {
        match (self, number.as_f64()) {
            (Self::JavaScript, Some(value)) => javascript_number(value),
            (Self::JavaDoubles, Some(value)) => java_double(value),
            _ => number.to_string(),
        }
    }
}

fn javascript_number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if (1e-6..1e21).contains(&size) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// As Java's `Double.toString`.
fn java_double(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    if text.contains('.') {
        text
    } else {
        text.replace('E', ".0E")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn escaped(escapes: Escapes, text: &str) -> String {
        let style = JsonStyle {
            escapes,
            ..JsonStyle::default()
        };
        style.text(&text.into())
    }

    /// The text of `NonAscii` is from Python; the others follow the documentation of each library.
    #[test]
    fn characters_are_escaped_as_by_each_library() {
        let text = "a/\"\\\n\u{1}\u{7f}é💎<'+&";
        let expected = [
            (Escapes::None, "\"a/\\\"\\\\\\n\\u0001\u{7f}é💎<'+&\""),
            (
                Escapes::NonAscii,
                r#""a/\"\\\n\u0001\u007f\u00e9\ud83d\udc8e<'+&""#,
            ),
            (
                Escapes::SlashesAndNonAscii,
                "\"a\\/\\\"\\\\\\n\\u0001\u{7f}\\u00e9\\ud83d\\udc8e<'+&\"",
            ),
            (
                Escapes::Html,
                "\"a/\\\"\\\\\\n\\u0001\u{7f}é💎\\u003c'+\\u0026\"",
            ),
            (
                Escapes::Jackson,
                "\"a/\\\"\\\\\\n\\u0001\u{7f}é\\uD83D\\uDC8E<'+&\"",
            ),
            (
                Escapes::DotNet,
                r#""a/\u0022\\\n\u0001\u007F\u00E9\uD83D\uDC8E\u003C\u0027\u002B\u0026""#,
            ),
        ];
        for (escapes, expected) in expected {
            assert_eq!(escaped(escapes, text), expected, "{escapes:?}");
        }
    }

    /// The expected text is from Gson 2.10: `gson.toJson(gson.fromJson(text, Map.class))`.
    #[test]
    fn numbers_and_escapes_are_written_as_by_gson() {
        let style = JsonStyle {
            escapes: Escapes::Gson,
            numbers: Numbers::JavaDoubles,
            ..JsonStyle::default()
        };
        let value = json!({
            "numbers": [1200, 1_725_548_450, 94.99, 0, 0.0001, 0.001, 10_000_000, 9_999_999, -3, u64::MAX],
            "text": "<b>&='é💎/\u{2028}\u{7f}\"\\\u{8}\u{c}\u{1}",
        });
        let expected = "{\"numbers\":[1200.0,1.72554845E9,94.99,0.0,1.0E-4,0.001,1.0E7,9999999.0,\
                        -3.0,1.8446744073709552E19],\"text\":\"\\u003cb\\u003e\\u0026\\u003d\
                        \\u0027é💎/\\u2028\u{7f}\\\"\\\\\\b\\f\\u0001\"}";
        assert_eq!(style.text(&value), expected);
    }

    #[test]
    fn empty_lists_stay_on_one_line() {
        let style = JsonStyle {
            whitespace: Whitespace::Indented {
                unit: "  ",
                line_break: "\r\n",
            },
            ..JsonStyle::default()
        };
        let text = style.text(&json!({ "a": [], "b": {}, "c": [1] }));
        let expected = "{\r\n  \"a\": [],\r\n  \"b\": {},\r\n  \"c\": [\r\n    1\r\n  ]\r\n}";
        assert_eq!(text, expected);
    }

    proptest! {
        #[test]
        fn the_default_style_is_that_of_serde_json(text: String, number: i64, decimal: f64) {
            let value = json!({ text.clone(): [text, number, null, true], "d": decimal });
            prop_assert_eq!(JsonStyle::default().text(&value), value.to_string());
        }

        #[test]
        fn every_style_keeps_the_value(text: String) {
            let value = json!({ "text": [text, {}, []], "n": 1 });
            let whitespace = Whitespace::Indented { unit: "\t", line_break: "\n" };
            for escapes in [Escapes::NonAscii, Escapes::SlashesAndNonAscii, Escapes::Html, Escapes::Gson, Escapes::Jackson, Escapes::DotNet] {
                let style = JsonStyle { whitespace, escapes, ..JsonStyle::default() };
                let read: Value = serde_json::from_str(&style.text(&value)).expect("JSON");
                prop_assert_eq!(&read, &value);
            }
        }
    }
}
