//! JSON in the styles of common libraries, which differ in whitespace, escapes, key order and
//! numbers.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use serde_json::{Map, Serializer, Value};

/// The whitespace between tokens.
#[derive(Clone, Copy)]
enum Whitespace {
    Compact,
    Spaced,
    Indented(&'static str),
}

/// Which characters are escaped without need.
#[derive(Clone, Copy)]
enum Escapes {
    None,
    NonAscii,
    Slashes,
    SlashesAndNonAscii,
    Html,
}

impl Escapes {
    fn include(self, character: char) -> bool {
        match self {
            Self::None => false,
            Self::NonAscii => !character.is_ascii(),
            Self::Slashes => character == '/',
            Self::SlashesAndNonAscii => character == '/' || !character.is_ascii(),
            Self::Html => matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
        }
    }
}

/// How numbers are written.
#[derive(Clone, Copy)]
enum Numbers {
    Exact,
    JavaScript,
}

const WHITESPACE: [(Whitespace, &str, &str); 5] = [
    (Whitespace::Compact, "json_compact", "without whitespace"),
    (
        Whitespace::Spaced,
        "json_spaced",
        "with a space after each `:` and `,` (as in Python's json.dumps)",
    ),
    (
        Whitespace::Indented("  "),
        "json_indented_2",
        "indented by 2 spaces",
    ),
    (
        Whitespace::Indented("    "),
        "json_indented_4",
        "indented by 4 spaces",
    ),
    (
        Whitespace::Indented("\t"),
        "json_indented_tab",
        "indented by tabs",
    ),
];
const ORDERS: [(bool, &str, &str); 2] = [(false, "", ""), (true, "_sorted", ", with sorted keys")];
const ESCAPES: [(Escapes, &str, &str); 5] = [
    (Escapes::None, "", ""),
    (
        Escapes::NonAscii,
        "_ascii",
        ", with non-ASCII characters as \\uXXXX",
    ),
    (Escapes::Slashes, "_slashes", ", with slashes as \\/"),
    (
        Escapes::SlashesAndNonAscii,
        "_slashes_ascii",
        ", with slashes as \\/ and non-ASCII characters as \\uXXXX (as in PHP's json_encode)",
    ),
    (
        Escapes::Html,
        "_html",
        ", with `<`, `>` and `&` as \\uXXXX (as in Go's json.Marshal)",
    ),
];
const NUMBERS: [(Numbers, &str, &str); 2] = [
    (Numbers::Exact, "", ""),
    (
        Numbers::JavaScript,
        "_javascript_numbers",
        ", with numbers as JavaScript writes them (1.0 as 1)",
    ),
];

/// `value` in every style: the name of the mistake, the description of the style, and the text.
/// Styles with the fewest changes come first.
pub(super) fn in_all_styles(value: &Value) -> Vec<(String, String, Vec<u8>)> {
    let sorted = sort_keys(value);
    let mut texts = Vec::new();
    for (numbers, numbers_name, numbers_words) in NUMBERS {
        for (escapes, escapes_name, escapes_words) in ESCAPES {
            for (sorts, order_name, order_words) in ORDERS {
                for (whitespace, whitespace_name, whitespace_words) in WHITESPACE {
                    let value = if sorts { &sorted } else { value };
                    let style = Style { escapes, numbers };
                    let Some(text) = style.write(value, whitespace) else {
                        continue;
                    };
                    texts.push((
                        format!("{whitespace_name}{order_name}{escapes_name}{numbers_name}"),
                        format!("{whitespace_words}{order_words}{escapes_words}{numbers_words}"),
                        text,
                    ));
                }
            }
        }
    }
    texts
}

fn sort_keys(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sort_keys).collect(),
        Value::Object(entries) => {
            let mut entries: Vec<(&String, &Value)> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let sorted: Map<String, Value> = entries
                .into_iter()
                .map(|(key, value)| (key.clone(), sort_keys(value)))
                .collect();
            Value::Object(sorted)
        }
        plain => plain.clone(),
    }
}

/// How the values are written.
#[derive(Clone, Copy)]
struct Style {
    escapes: Escapes,
    numbers: Numbers,
}

impl Style {
    fn write(self, value: &Value, whitespace: Whitespace) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        let written = match whitespace {
            Whitespace::Compact => self.serialize(value, CompactFormatter, &mut text),
            Whitespace::Spaced => self.serialize(value, SpacedFormatter, &mut text),
            Whitespace::Indented(indent) => {
                let formatter = PrettyFormatter::with_indent(indent.as_bytes());
                self.serialize(value, formatter, &mut text)
            }
        };
        written.ok().map(|()| text)
    }

    fn serialize<F: Formatter>(
        self,
        value: &Value,
        layout: F,
        text: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        let style = self;
        value.serialize(&mut Serializer::with_formatter(
            text,
            StyledFormatter { layout, style },
        ))
    }
}

/// Writes a space after each `:` and `,`.
struct SpacedFormatter;

impl Formatter for SpacedFormatter {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.begin_array_value(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

/// Defines methods that do what those of the field `layout` do.
macro_rules! from_layout {
    ($($method:ident($($argument:ident: $type:ty)?);)*) => {
        $(
            fn $method<W: ?Sized + Write>(
                &mut self,
                out: &mut W,
                $($argument: $type,)?
            ) -> io::Result<()> {
                self.layout.$method(out $(, $argument)?)
            }
        )*
    };
}

/// Takes the whitespace from another formatter and applies a style to strings and numbers.
struct StyledFormatter<F> {
    layout: F,
    style: Style,
}

impl<F: Formatter> Formatter for StyledFormatter<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for character in fragment.chars() {
            if !self.style.escapes.include(character) {
                out.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())?;
            } else if character == '/' {
                out.write_all(b"\\/")?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }

    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, number: f64) -> io::Result<()> {
        match self.style.numbers {
            Numbers::Exact => self.layout.write_f64(out, number),
            Numbers::JavaScript => write!(out, "{number}"),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "JavaScript's numbers lose this precision too"
    )]
    fn write_u64<W: ?Sized + Write>(&mut self, out: &mut W, number: u64) -> io::Result<()> {
        match self.style.numbers {
            Numbers::Exact => self.layout.write_u64(out, number),
            Numbers::JavaScript => write!(out, "{}", number as f64),
        }
    }

    from_layout! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }
}
