//! A body that was changed before its signature was verified: parsed and serialized again, or with
//! other whitespace.
//!
//! Most of these flaws do not change a compact body of ASCII letters, so nearly every event passes.
//! Those that change every body imitate a receiver that was only tested with a sender like itself.

use serde_json::{Map, Value};

use crate::protocol::{Escapes, JsonStyle, Numbers, Whitespace};

use super::{Flaw, Flaws};

/// The flaws that change the body. At most one can be chosen.
pub(super) const REWRITING_FLAWS: &[Flaw] = &[
    Flaw::BodyReserialised,
    Flaw::BodyDumpedByPython,
    Flaw::BodyDumpedCompactly,
    Flaw::BodyEncodedByPhp,
    Flaw::BodySerialisedByDotnet,
    Flaw::BodySpacesRemoved,
    Flaw::BodyLinesJoined,
    Flaw::BodyLineBreaksNormalised,
    Flaw::BodyTrimmed,
];

impl Flaws {
    /// The body over which a flawed receiver verifies the signature, if it is not the given one.
    pub(super) fn rewritten_body(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut flaws = REWRITING_FLAWS.iter();
        rewritten(*flaws.find(|flaw| self.has(**flaw))?, body)
    }
}

/// `None` if the body is not JSON, but has to be.
fn rewritten(flaw: Flaw, body: &[u8]) -> Option<Vec<u8>> {
    let without = |dropped: &[u8]| {
        body.iter()
            .copied()
            .filter(|byte| !dropped.contains(byte))
            .collect()
    };
    let reserialized = |whitespace, escapes, numbers| {
        let value: Value = serde_json::from_slice(body).ok()?;
        let value = match numbers {
            Numbers::JavaScript => in_key_order(value),
            _ => value,
        };
        let style = JsonStyle {
            whitespace,
            escapes,
            numbers,
        };
        Some(style.text(&value).into_bytes())
    };
    let compact = |escapes| reserialized(Whitespace::Compact, escapes, Numbers::AsGiven);
    match flaw {
        Flaw::BodyReserialised => {
            reserialized(Whitespace::Compact, Escapes::None, Numbers::JavaScript)
        }
        Flaw::BodyDumpedByPython => {
            reserialized(Whitespace::Spaced, Escapes::NonAscii, Numbers::AsGiven)
        }
        Flaw::BodyDumpedCompactly => compact(Escapes::NonAscii),
        Flaw::BodyEncodedByPhp => compact(Escapes::SlashesAndNonAscii),
        Flaw::BodySerialisedByDotnet => compact(Escapes::DotNet),
        Flaw::BodySpacesRemoved => Some(without(b" ")),
        Flaw::BodyLinesJoined => Some(without(b"\r\n")),
        Flaw::BodyLineBreaksNormalised => Some(without(b"\r")),
        Flaw::BodyTrimmed => Some(body.trim_ascii().to_vec()),
        _ => None,
    }
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
            let written = rewritten(Flaw::BodyReserialised, text.as_bytes()).expect("JSON");
            assert_eq!(String::from_utf8(written).expect("UTF-8"), expected);
        }
        assert_eq!(rewritten(Flaw::BodyReserialised, b"{"), None);
    }

    #[test]
    fn most_flaws_do_not_change_a_compact_ascii_event() {
        let example = include_str!("../../../protocol/example-event.txt");
        let mut compact: Value = serde_json::from_str(example).expect("JSON");
        let item = compact.pointer_mut("/event_data/item").expect("an item");
        item["description"] = Value::Null;
        let compact = compact.to_string().into_bytes();
        for flaw in REWRITING_FLAWS {
            let is_changed = rewritten(*flaw, &compact).expect("JSON") != compact;
            assert_eq!(is_changed, *flaw == Flaw::BodyDumpedByPython, "{flaw}");
        }
    }
}
