//! Values as Python's `str()` writes them, for bodies that were formatted into a string.

use serde_json::Value;

/// `str(body)` of bytes: `b'…'`.
pub(super) fn bytes(body: &[u8]) -> Vec<u8> {
    let quote = quote(body.contains(&b'\''), body.contains(&b'"'));
    let mut text = format!("b{quote}");
    for &byte in body {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b' '..=b'~' if char::from(byte) == quote => text.extend(['\\', quote]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.extend(hex_escape(byte)),
        }
    }
    text.push(quote);
    text.into_bytes()
}

/// `str(json.loads(body))`.
pub(super) fn value(value: &Value) -> String {
    let list = |items: Vec<String>, open, close| format!("{open}{}{close}", items.join(", "));
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => string(text),
        Value::Array(items) => list(items.iter().map(self::value).collect(), '[', ']'),
        Value::Object(entries) => list(
            entries
                .iter()
                .map(|(key, entry)| format!("{}: {}", string(key), self::value(entry)))
                .collect(),
            '{',
            '}',
        ),
    }
}

/// `repr(text)`, for printable text.
fn string(text: &str) -> String {
    let quote = quote(text.contains('\''), text.contains('"'));
    let mut written = String::from(quote);
    for character in text.chars() {
        match character {
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            _ if character == quote => written.extend(['\\', quote]),
            _ => match u8::try_from(character) {
                Ok(byte) if character.is_control() => written.extend(hex_escape(byte)),
                _ => written.push(character),
            },
        }
    }
    written.push(quote);
    written
}

/// Python uses single quotes, unless double quotes avoid escapes.
fn quote(has_single: bool, has_double: bool) -> char {
    if has_single && !has_double { '"' } else { '\'' }
}

/// `\xNN`
fn hex_escape(byte: u8) -> [char; 4] {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    ['\\', 'x', digit(byte >> 4), digit(byte & 15)]
}
