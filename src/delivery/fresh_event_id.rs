//! Replaces the ID of an event and changes no other byte.

use std::ops::Range;

use bytes::Bytes;

const KEY: &[u8] = b"\"event_id\"";

/// Replaces the body's `event_id` with `id`, which contains only letters, digits and `_`. A body
/// that is not a JSON object with a string under that key is left unchanged.
pub fn with_event_id(body: &Bytes, id: &str) -> Bytes {
    match event_id_range(body) {
        Some(range) => [&body[..range.start], id.as_bytes(), &body[range.end..]]
            .concat()
            .into(),
        None => body.clone(),
    }
}

/// The range of the ID, without its quotation marks.
fn event_id_range(body: &[u8]) -> Option<Range<usize>> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = end_of_string(body, at)?;
                if depth == 1 && body.get(at..end) == Some(KEY) {
                    let colon = skip_space(body, end);
                    let value = skip_space(body, colon + 1);
                    if body.get(colon) == Some(&b':') && body.get(value) == Some(&b'"') {
                        return Some(value + 1..end_of_string(body, value)? - 1);
                    }
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The position after the closing quotation mark of the string that starts at `start`.
fn end_of_string(body: &[u8], start: usize) -> Option<usize> {
    let mut escaped = false;
    for (offset, byte) in body.get(start + 1..)?.iter().enumerate() {
        match byte {
            b'"' if !escaped => return Some(start + offset + 2),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

fn skip_space(body: &[u8], from: usize) -> usize {
    let space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let rest = body.get(from..).unwrap_or_default();
    from + rest.iter().take_while(space).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn changed(body: &str) -> String {
        let body = with_event_id(&Bytes::copy_from_slice(body.as_bytes()), "new");
        String::from_utf8(body.to_vec()).expect("UTF-8")
    }

    #[test]
    fn only_the_id_of_the_event_changes() {
        for (body, expected) in [
            (r#"{"event_id":"old"}"#, r#"{"event_id":"new"}"#),
            (
                "{\"a\": {\"event_id\": \"x\"}, \"event_id\" :\n\"o\\\"ld\"}",
                "{\"a\": {\"event_id\": \"x\"}, \"event_id\" :\n\"new\"}",
            ),
            (
                r#"{"a":"event_id","event_id":"","b":1}"#,
                r#"{"a":"event_id","event_id":"new","b":1}"#,
            ),
            (r#"{"event_id":null}"#, r#"{"event_id":null}"#),
            (r#"{"event_id":"#, r#"{"event_id":"#),
            (r#"{"event_id":"cut"#, r#"{"event_id":"cut"#),
            (r#"["event_id"]"#, r#"["event_id"]"#),
            ("", ""),
        ] {
            assert_eq!(changed(body), expected);
        }
    }

    proptest! {
        #[test]
        fn everything_else_is_unchanged(before: String, id: String, after: i64) {
            let event = json!({ "a": [before], "event_id": id, "b": { "event_id": after } });
            let mut expected = event.clone();
            expected["event_id"] = "new".into();
            let body: Value = serde_json::from_str(&changed(&event.to_string())).expect("JSON");
            prop_assert_eq!(body, expected);
        }

        #[test]
        fn no_bytes_cause_a_panic(bytes: Vec<u8>) {
            let _ = with_event_id(&Bytes::from(bytes), "new");
        }
    }
}
