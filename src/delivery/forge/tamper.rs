//! Changes a body so that it asks for more, and is still JSON where it was.

use bytes::Bytes;

/// Raises the first digit of the first quantity that is a number, all other bytes kept.
///
/// A leading 9 gets a 0 behind it. A body without a quantity gets a space at its end, which is
/// still the same JSON but not what was signed.
pub(super) fn ask_for_more(body: &Bytes) -> Bytes {
    let mut tampered = body.to_vec();
    match first_digit_of_quantity(body) {
        Some(place) if body[place] == b'9' => tampered.insert(place + 1, b'0'),
        Some(place) => tampered[place] = b'9',
        None => tampered.push(b' '),
    }
    Bytes::from(tampered)
}

/// Where the number behind the first `"quantity":` begins.
///
/// In JSON these bytes are always a key: inside a string each quotation mark has a backslash
/// before it, and a string that is a value has no colon behind it.
fn first_digit_of_quantity(body: &[u8]) -> Option<usize> {
    const KEY: &[u8] = b"\"quantity\"";
    let skip_space = |from: usize| {
        let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        from + body[from..].iter().take_while(|byte| space(byte)).count()
    };
    let ends = (KEY.len()..=body.len()).filter(|end| body[..*end].ends_with(KEY));
    ends.map(skip_space)
        .filter(|place| body.get(*place) == Some(&b':'))
        .map(|colon| skip_space(colon + 1))
        .find(|place| body.get(*place).is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn tampered(body: &str) -> String {
        let body = ask_for_more(&Bytes::copy_from_slice(body.as_bytes()));
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
        fn it_stays_json_that_asks_for_more(name: String, quantity: u64) {
            let body = json!({ "item": { "name": name, "quantity": quantity } }).to_string();
            let body: Value = serde_json::from_str(&tampered(&body)).expect("JSON");
            let more = body["item"]["quantity"].as_f64().expect("a number");
            // A quantity near the largest integer becomes a number that only a float can hold.
            let (digits, grown) = (quantity.to_string(), format!("{more:.0}"));
            prop_assert!((grown.len(), &grown) > (digits.len(), &digits));
            prop_assert_eq!(body["item"]["name"].as_str(), Some(name.as_str()));
        }

        #[test]
        fn any_bytes_are_changed(bytes: Vec<u8>) {
            let body = Bytes::from(bytes);
            prop_assert_ne!(ask_for_more(&body), body);
        }
    }
}
