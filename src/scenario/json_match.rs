//! Compares JSON values with matchers. Pure functions that return the reason for a mismatch.

use serde_json::{Number, Value};

use super::document;
use super::matcher::Matcher;
use super::pattern::Pattern;

/// Why the values that a path selects do not match, with values as `show` writes them; `None` if
/// they match.
///
/// If a path selects several values, all of them must match.
pub(crate) fn mismatch(
    matcher: &Matcher,
    values: &[&Value],
    show: impl Fn(&Value) -> String,
) -> Option<String> {
    match (matcher.absent, values) {
        (Some(true), []) => return None,
        (Some(true), [value, ..]) => return Some(format!("present: {}", show(value))),
        (_, []) => return Some("absent".to_owned()),
        (_, _) => {}
    }
    let mut values = values.iter();
    values.find_map(|value| value_mismatch(matcher, value, || show(value)))
}

fn value_mismatch(matcher: &Matcher, value: &Value, found: impl Fn() -> String) -> Option<String> {
    let is_match = |pattern: &Pattern| value.as_str().is_some_and(|text| pattern.is_match(text));
    let results = [
        matcher.equals.as_ref().map(|wanted| equal(wanted, value)),
        matcher.contains.as_ref().map(|part| contains(value, part)),
        matcher.matches.as_ref().map(is_match),
        matcher.json_type.map(|wanted| wanted.is_type_of(value)),
    ];
    if results.contains(&Some(false)) {
        return Some(found());
    }
    let wanted = matcher.length?;
    match length(value) {
        Some(length) if wanted.contains(length as u64) => None,
        Some(length) => Some(format!("length {length}: {}", found())),
        None => Some(format!("has no length: {}", found())),
    }
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Array(items) => Some(items.len()),
        Value::Object(keys) => Some(keys.len()),
        _ => None,
    }
}

fn contains(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::Array(items), part) => items.iter().any(|item| equal(item, part)),
        (Value::Object(keys), Value::Object(part)) => part
            .iter()
            .all(|(key, wanted)| keys.get(key).is_some_and(|found| equal(wanted, found))),
        _ => false,
    }
}

/// Whether two JSON values are equal. Ignores the order of keys, and compares numbers by value (`1`
/// equals `1.0`).
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => equal_numbers(left, right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

fn equal_numbers(left: &Number, right: &Number) -> bool {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => left == right,
        // At least one has a fraction or an exponent, so comparing them as floats loses no
        // precision.
        _ => left.as_f64() == right.as_f64(),
    }
}

pub(crate) fn shortened(value: &Value) -> String {
    const MAX_CHARACTERS: usize = 200;
    document::shortened(&value.to_string(), MAX_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(matcher: &Value, value: &Value) -> bool {
        let matcher: Matcher = serde_json::from_value(matcher.clone()).expect("a matcher");
        mismatch(&matcher, &[value], shortened).is_none()
    }

    #[test]
    fn each_condition_matches_and_fails() {
        let cases = [
            (json!("ok"), json!("ok"), json!("no")),
            (
                json!({ "equals": { "a": 1 } }),
                json!({ "a": 1.0 }),
                json!({ "a": 1, "b": 2 }),
            ),
            (json!({ "contains": "gra" }), json!("granted"), json!("no")),
            (json!({ "contains": 2 }), json!([1, 2]), json!([1])),
            (
                json!({ "contains": { "a": 1 } }),
                json!({ "a": 1, "b": 2 }),
                json!({ "b": 2 }),
            ),
            (json!({ "matches": "^[0-9]+$" }), json!("12"), json!("1x")),
            (json!({ "type": "integer" }), json!(3), json!(3.5)),
            (json!({ "type": "string" }), json!("3"), json!(3)),
            (json!({ "length": 2 }), json!("é1"), json!("é")),
            (json!({ "length": "1.." }), json!([0]), json!([])),
            (
                json!({ "type": "string", "length": "1..2" }),
                json!("a"),
                json!("abc"),
            ),
        ];
        for (matcher, right, wrong) in cases {
            assert!(matches(&matcher, &right), "{matcher} should match {right}");
            assert!(
                !matches(&matcher, &wrong),
                "{matcher} should not match {wrong}"
            );
        }
    }

    #[test]
    fn null_is_not_absent() {
        let absent: Matcher = serde_json::from_value(json!({ "absent": true })).unwrap();
        let present: Matcher = serde_json::from_value(json!({ "absent": false })).unwrap();
        assert_eq!(mismatch(&absent, &[], shortened), None);
        assert!(mismatch(&absent, &[&json!(null)], shortened).is_some());
        assert!(mismatch(&present, &[], shortened).is_some());
        assert_eq!(mismatch(&present, &[&json!(null)], shortened), None);
    }

    #[test]
    fn large_whole_numbers_are_compared_exactly() {
        assert!(!equal(&json!(u64::MAX), &json!(u64::MAX - 1)));
        assert!(equal(&json!(1), &json!(1.0)));
        assert!(!equal(&json!(-1), &json!(u64::MAX)));
    }
}
