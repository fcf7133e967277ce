//! `JSON.stringify(JSON.parse(body))`: a body that was parsed and re-serialized.
//!
//! The flaw imitates JavaScript, because the bug is most common there (a middleware parses the body
//! before the handler sees it) and hard to notice there: compact JSON with ordinary numbers is
//! unchanged, so nearly every event passes. Python's spaces or PHP's escapes would cause every
//! event to be refused, which is noticed on the first day.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Map, Serializer, Value};

/// The body as JavaScript re-serializes it, or `None` if it is not JSON.
pub(super) fn stringify_parsed(body: &[u8]) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let mut text = Vec::with_capacity(body.len());
    let mut serializer = Serializer::with_formatter(&mut text, JavaScript);
    in_key_order(value).serialize(&mut serializer).ok()?;
    Some(text)
}

/// JavaScript objects list keys that are array indices first, in numeric order, and then the other
/// keys in their original order.
fn in_key_order(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(in_key_order).collect(),
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.into_iter().collect();
            entries.sort_by_key(|(key, _)| array_index(key).unwrap_or(u32::MAX));
            let ordered: Map<_, _> = entries
                .into_iter()
                .map(|(key, value)| (key, in_key_order(value)))
                .collect();
            Value::Object(ordered)
        }
        plain => plain,
    }
}

fn array_index(key: &str) -> Option<u32> {
    let index: u32 = key.parse().ok()?;
    (index < u32::MAX && index.to_string() == key).then_some(index)
}

/// Writes numbers as JavaScript does: all as doubles.
struct JavaScript;

impl Formatter for JavaScript {
    fn write_u64<W: ?Sized + Write>(&mut self, writer: &mut W, value: u64) -> io::Result<()> {
        #[expect(clippy::cast_precision_loss, reason = "it is what JavaScript does")]
        self.write_f64(writer, value as f64)
    }

    fn write_i64<W: ?Sized + Write>(&mut self, writer: &mut W, value: i64) -> io::Result<()> {
        #[expect(clippy::cast_precision_loss, reason = "it is what JavaScript does")]
        self.write_f64(writer, value as f64)
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        if size == 0.0 {
            return writer.write_all(b"0");
        }
        if (1e-6..1e21).contains(&size) {
            return write!(writer, "{value}");
        }
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                write!(writer, "{digits}e+{exponent}")
            }
            _ => writer.write_all(text.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected texts are from Node.js 20: `console.log(JSON.stringify(JSON.parse(text)))`.
    #[test]
    fn numbers_keys_and_escapes_are_written_as_in_javascript() {
        for (text, expected) in [
            ("9007199254740993", "9007199254740992"),
            ("18446744073709551615", "18446744073709552000"),
            ("20.0", "20"),
            ("-0.0", "0"),
            ("94.99", "94.99"),
            ("1e21", "1e+21"),
            ("1.5e300", "1.5e+300"),
            ("123456789012345680000", "123456789012345680000"),
            ("0.000001", "0.000001"),
            ("0.00000015", "1.5e-7"),
            (r#"{ "b": 1, "a" : [ ] }"#, r#"{"b":1,"a":[]}"#),
            (
                r#"{"b":1,"10":2,"9":3,"01":4,"a":5}"#,
                r#"{"9":3,"10":2,"b":1,"01":4,"a":5}"#,
            ),
            (r#""\u00e9\/\u001F💎""#, "\"é/\\u001f💎\""),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        ] {
            let written = stringify_parsed(text.as_bytes()).expect("JSON");
            assert_eq!(String::from_utf8(written).expect("UTF-8"), expected);
        }
        assert_eq!(stringify_parsed(b"{"), None);
    }

    #[test]
    fn a_compact_event_is_unchanged() {
        let example = include_str!("../../../protocol/example-event.txt");
        let compact = serde_json::from_str::<Value>(example)
            .expect("JSON")
            .to_string();
        let written = stringify_parsed(compact.as_bytes()).expect("JSON");
        assert_eq!(written, compact.as_bytes());
    }
}
