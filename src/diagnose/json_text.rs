//! JSON in the styles of common libraries, which differ in whitespace, escapes, key order and
//! numbers.

use serde_json::{Number, Value};

#[derive(Clone, Copy)]
enum Whitespace {
    Compact,
    Spaced,
    Indented(&'static str),
}

/// Whether a character is escaped without need.
type Escapes = fn(char) -> bool;

type Numbers = fn(&Number) -> String;

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
    (|_| false, "", ""),
    (
        |character| !character.is_ascii(),
        "_ascii",
        ", with non-ASCII characters as \\uXXXX",
    ),
    (
        |character| character == '/',
        "_slashes",
        ", with slashes as \\/",
    ),
    (
        |character| character == '/' || !character.is_ascii(),
        "_slashes_ascii",
        ", with slashes as \\/ and non-ASCII characters as \\uXXXX (as in PHP's json_encode)",
    ),
    (
        |character| matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
        "_html",
        ", with `<`, `>` and `&` as \\uXXXX (as in Go's json.Marshal)",
    ),
];
const NUMBERS: [(Numbers, &str, &str); 2] = [
    (Number::to_string, "", ""),
    (
        |number| number.as_f64().unwrap_or_default().to_string(),
        "_javascript_numbers",
        ", with numbers as JavaScript writes them (1.0 as 1)",
    ),
];

/// `value` in every style: the name of the mistake, the description of the style, and the text.
/// Styles with the fewest changes come first.
pub(super) fn in_all_styles(value: &Value) -> Vec<(String, String, Vec<u8>)> {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    let mut texts = Vec::new();
    for (numbers, numbers_name, numbers_words) in NUMBERS {
        for (escapes, escapes_name, escapes_words) in ESCAPES {
            for (sorts, order_name, order_words) in ORDERS {
                for (whitespace, whitespace_name, whitespace_words) in WHITESPACE {
                    let value = if sorts { &sorted } else { value };
                    let style = Style {
                        whitespace,
                        escapes,
                        numbers,
                    };
                    texts.push((
                        format!("{whitespace_name}{order_name}{escapes_name}{numbers_name}"),
                        format!("{whitespace_words}{order_words}{escapes_words}{numbers_words}"),
                        style.write(value, 0).into_bytes(),
                    ));
                }
            }
        }
    }
    texts
}

#[derive(Clone, Copy)]
struct Style {
    whitespace: Whitespace,
    escapes: Escapes,
    numbers: Numbers,
}

impl Style {
    fn write(self, value: &Value, depth: usize) -> String {
        let written = |value| self.write(value, depth + 1);
        match value {
            Value::Array(items) => self.list("[", items.iter().map(written), "]", depth),
            Value::Object(entries) => {
                let colon = match self.whitespace {
                    Whitespace::Compact => ":",
                    Whitespace::Spaced | Whitespace::Indented(_) => ": ",
                };
                let entries = entries.iter().map(|(key, value)| {
                    let key = self.string(key);
                    format!("{key}{colon}{}", written(value))
                });
                self.list("{", entries, "}", depth)
            }
            Value::String(text) => self.string(text),
            Value::Number(number) => (self.numbers)(number),
            Value::Null | Value::Bool(_) => value.to_string(),
        }
    }

    fn list(
        self,
        open: &str,
        items: impl Iterator<Item = String>,
        close: &str,
        depth: usize,
    ) -> String {
        let items: Vec<String> = items.collect();
        match self.whitespace {
            Whitespace::Indented(indent) if !items.is_empty() => {
                let line = format!("\n{}", indent.repeat(depth + 1));
                let items = items.join(&format!(",{line}"));
                format!("{open}{line}{items}\n{}{close}", indent.repeat(depth))
            }
            Whitespace::Spaced => format!("{open}{}{close}", items.join(", ")),
            _ => format!("{open}{}{close}", items.join(",")),
        }
    }

    fn string(self, text: &str) -> String {
        let mut written = String::new();
        for character in Value::from(text).to_string().chars() {
            if !(self.escapes)(character) {
                written.push(character);
            } else if character == '/' {
                written.push_str("\\/");
            } else {
                let units = &mut [0; 2];
                let units = character.encode_utf16(units).iter();
                written.extend(units.map(|unit| format!("\\u{unit:04x}")));
            }
        }
        written
    }
}
