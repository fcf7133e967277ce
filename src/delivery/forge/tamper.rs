//! Raises the quantity in a body that is already signed.

use bytes::Bytes;

/// Raises the first digit of the first numeric quantity and changes no other byte.
///
/// If the first digit is 9, a 0 is inserted after it. A body without a quantity gets a trailing
/// space: the JSON stays the same, but not the signed bytes.
pub(super) fn raise_quantity(body: &Bytes) -> Bytes {
    let mut tampered = body.to_vec();
    match first_digit_of_quantity(body) {
        Some(position) if body[position] == b'9' => tampered.insert(position + 1, b'0'),
        Some(position) => tampered[position] = b'9',
        None => tampered.push(b' '),
    }
    Bytes::from(tampered)
}

/// The position of the first number that follows a `"quantity":`.
///
/// In JSON these bytes are always a key: inside a string, quotation marks are escaped, and a string
/// value is not followed by a colon.
fn first_digit_of_quantity(body: &[u8]) -> Option<usize> {
    const KEY: &[u8] = b"\"quantity\"";
    let skip_space = |from: usize| {
        let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        from + body[from..].iter().take_while(|byte| space(byte)).count()
    };
    let ends = (KEY.len()..=body.len()).filter(|end| body[..*end].ends_with(KEY));
    ends.map(skip_space)
        .filter(|position| body.get(*position) == Some(&b':'))
        .map(|colon| skip_space(colon + 1))
        .find(|position| body.get(*position).is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn tampered(body: &str) -> String {
        let body = raise_quantity(&Bytes::copy_from_slice(body.as_bytes()));
        String::from_utf8(body.to_vec()).expect("UTF-8")
    }

    #[test]
    fn the_quantity_is_raised() {
        for (body, expected) in [
            (r#"{"quantity":480000}"#, r#"{"quantity":980000}"#),
            ("{\"quantity\"\n: 9}", "{\"quantity\"\n: 90}"),
            (r#"{"quantity":0.5}"#, r#"{"quantity":9.5}"#),
            (
                r#"{"name":"quantity","quantity":null,"x":{"quantity":1}}"#,
                r#"{"name":"quantity","quantity":null,"x":{"quantity":9}}"#,
            ),
            (
                r#"{"name":"\"quantity\":1"}"#,
                r#"{"name":"\"quantity\":1"} "#,
            ),
            ("not JSON", "not JSON "),
            ("", " "),
            ("\"quantity\"", "\"quantity\" "),
        ] {
            assert_eq!(tampered(body), expected);
        }
    }

    proptest! {
        #[test]
        fn the_body_remains_json_with_a_larger_quantity(name: String, quantity: u64) {
            let body = json!({ "item": { "name": name, "quantity": quantity } }).to_string();
            let body: Value = serde_json::from_str(&tampered(&body)).expect("JSON");
            let more = body["item"]["quantity"].as_f64().expect("a number");
            // The new quantity may not fit into an integer.
            let (before, after) = (quantity.to_string(), format!("{more:.0}"));
            prop_assert!((after.len(), &after) > (before.len(), &before));
            prop_assert_eq!(body["item"]["name"].as_str(), Some(name.as_str()));
        }

        #[test]
        fn any_bytes_are_changed(bytes: Vec<u8>) {
            let body = Bytes::from(bytes);
            prop_assert_ne!(raise_quantity(&body), body);
        }
    }
}
