//! Values as Python's `str()` writes them, for bodies that were formatted into a string.

use serde_json::Value;

/// `str(body)` of bytes: `b'…'`.
pub(super) fn bytes(body: &[u8]) -> Vec<u8> {
    let characters = body.iter().copied().map(char::from);
    let quoted = quoted(characters, |character| matches!(character, ' '..='~'));
    format!("b{quoted}").into_bytes()
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
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, entry)| {
                let key = string(key);
                format!("{key}: {}", self::value(entry))
            });
            list(entries.collect(), '{', '}')
        }
    }
}

/// `repr(text)`, for printable text.
fn string(text: &str) -> String {
    quoted(text.chars(), |character| !character.is_control())
}

/// The characters in quotes. Of those that are not `printable`, all must be below U+0100.
fn quoted(
    characters: impl Iterator<Item = char> + Clone,
    printable: impl Fn(char) -> bool,
) -> String {
    let contains = |quote| characters.clone().any(|character| character == quote);
    // Python uses single quotes, unless double quotes avoid escapes.
    let quote = if contains('\'') && !contains('"') {
        '"'
    } else {
        '\''
    };
    let mut text = String::from(quote);
    for character in characters {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            _ if character == quote => text.extend(['\\', quote]),
            _ if printable(character) => text.push(character),
            _ => text.extend([format!("\\x{:02x}", u32::from(character))]),
        }
    }
    text.push(quote);
    text
}
