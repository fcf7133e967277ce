//! Replaces the ID of an event and changes no other byte.

use bytes::Bytes;
use sonic_rs::LazyValue;

/// Replaces the body's `event_id` with `id`, which contains only letters, digits and `_`. A body
/// that is not a JSON object with a string under that key is left unchanged.
pub(crate) fn with_event_id(body: &Bytes, id: &str) -> Bytes {
    replaced(body, id).unwrap_or_else(|| body.clone())
}

fn replaced(body: &[u8], id: &str) -> Option<Bytes> {
    let value: LazyValue<'_> = sonic_rs::get(body, ["event_id"]).ok()?;
    let text = value.as_raw_str();
    if !text.starts_with('"') {
        return None;
    }
    // The text is a part of the body, with its quotation marks.
    let start = text.as_ptr().addr().checked_sub(body.as_ptr().addr())?;
    let end = start + text.len() - 1;
    let (before, after) = (body.get(..=start)?, body.get(end..)?);
    Some([before, id.as_bytes(), after].concat().into())
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
