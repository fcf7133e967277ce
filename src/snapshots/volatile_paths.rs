//! Finds the response values by which two snapshots differ only because the receiver invents them
//! anew in each run, such as a receipt number.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// Unix times have at least this value.
const FIRST_TIME: u64 = 1_000_000_000;
const SHORTEST_HEX: usize = 8;

static DIGITS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d+").ok());
/// The last word of a key, such as `id` in `receiptId`, whose number says nothing.
static COUNTER_KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?x) (?: ^ | _ | - ) (?i: id | receipt | serial | no | nr | number | seq | sequence | counter | at | time | timestamp | ms | took | duration ) $
        | [a-z] (?: Id | ID | Receipt | Serial | No | Number | Seq | Sequence | Counter | At | Time | Timestamp | Ms )$").ok()
});

/// The `JSONPath`s of these values, without duplicates. Empty if the snapshots have different numbers
/// of responses.
pub(super) fn volatile_paths(reviewed: &str, found: &str) -> Vec<String> {
    let (reviewed, found) = (bodies(reviewed), bodies(found));
    let mut paths = Vec::new();
    if reviewed.len() == found.len() {
        for (before, after) in reviewed.iter().zip(&found) {
            compare("$", "", before, after, &mut paths);
        }
    }
    paths
}

/// The JSON bodies of the responses in a snapshot; null for other bodies.
fn bodies(snapshot: &str) -> Vec<Value> {
    let mut lines = snapshot.lines().peekable();
    let mut bodies = Vec::new();
    while let Some(line) = lines.next() {
        let indent = |line: &str| line.len() - line.trim_start().len();
        if !line.trim_start().starts_with("← ") {
            continue;
        }
        let mut body = String::new();
        while let Some(inner) = lines.next_if(|inner| indent(inner) > indent(line)) {
            // Headers are before the body.
            if !body.is_empty() || inner.trim_start().starts_with(['{', '[']) {
                body.push_str(inner);
            }
        }
        bodies.push(serde_json::from_str(&body).unwrap_or_default());
    }
    bodies
}

fn compare(path: &str, key: &str, before: &Value, after: &Value, paths: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(entries), Value::Object(others)) => {
            for (key, value) in entries {
                if let Some(other) = others.get(key) {
                    compare(&below(path, key), key, value, other, paths);
                }
            }
        }
        (Value::Array(items), Value::Array(others)) => {
            for (item, other) in items.iter().zip(others) {
                compare(&format!("{path}[*]"), key, item, other, paths);
            }
        }
        _ if paths.iter().any(|known| known == path) => {}
        _ if before != after && looks_volatile(key, before, after) => paths.push(path.to_owned()),
        _ => {}
    }
}

fn below(path: &str, key: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.chars().all(is_name) && !key.starts_with(|c: char| c.is_ascii_digit()) {
        format!("{path}.{key}")
    } else {
        let key = key.replace('\\', "\\\\").replace('\'', "\\'");
        format!("{path}['{key}']")
    }
}

/// Whether both values are times, IDs or counters of the same form. A quantity is not.
fn looks_volatile(key: &str, before: &Value, after: &Value) -> bool {
    let is_counter = COUNTER_KEY.as_ref().is_some_and(|keys| keys.is_match(key));
    let number = |one: u64, other: u64| is_counter || one.min(other) >= FIRST_TIME;
    match (before, after) {
        (Value::Number(one), Value::Number(other)) => match (one.as_u64(), other.as_u64()) {
            (Some(one), Some(other)) => number(one, other),
            _ => is_counter,
        },
        (Value::String(one), Value::String(other)) => match (one.parse(), other.parse()) {
            (Ok(one), Ok(other)) => number(one, other),
            _ => is_hex_like(one, other) || differs_in_digits(one, other),
        },
        _ => false,
    }
}

/// UUIDs and hexadecimal texts of the same form.
fn is_hex_like(one: &str, other: &str) -> bool {
    let form = |text: &str| {
        let digits = text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        (digits && text.len() >= SHORTEST_HEX).then(|| text.match_indices('-').count())
    };
    one.len() == other.len() && form(one).is_some() && form(one) == form(other)
}

/// Texts such as `receipt-17` and RFC 3339 times.
fn differs_in_digits(one: &str, other: &str) -> bool {
    let Some(digits) = &*DIGITS else {
        return false;
    };
    digits.is_match(one) && digits.replace_all(one, "0") == digits.replace_all(other, "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(bodies: &[&str]) -> String {
        let responses = bodies
            .iter()
            .map(|body| format!("  +0s → welcome\n      ← 200 application/json\n        location: /a\n        {body}\n  ✓ status: 2xx\n"));
        responses.collect()
    }

    #[track_caller]
    fn assert_paths(before: &str, after: &str, expected: &[&str]) {
        let paths = volatile_paths(&snapshot(&[before]), &snapshot(&[after]));
        assert_eq!(paths, expected, "{before} {after}");
    }

    #[test]
    fn times_ids_and_counters_are_volatile() {
        for (before, after) in [
            (r#""R-17""#, r#""R-9""#),
            (r#""2026-11-29T16:08:35Z""#, r#""2026-11-30T01:00:00Z""#),
            (
                r#""0b5cad79-b8ff-4d80-8500-44b8720ec921""#,
                r#""1f0c9ab2-cdef-4a5e-a4de-6c43def4b52a""#,
            ),
            (r#""9f86d081""#, r#""e3b0c442""#),
            ("1764432515", "1764432600"),
            (r#""1764432515123""#, r#""1764432600000""#),
        ] {
            let body = |value: &str| format!(r#"{{"status":"ok","value":{value}}}"#);
            assert_paths(&body(before), &body(after), &["$.value"]);
        }
        assert_paths(r#"{"receiptId":7}"#, r#"{"receiptId":8}"#, &["$.receiptId"]);
        assert_paths(r#"{"took_ms":0.7}"#, r#"{"took_ms":1.5}"#, &["$.took_ms"]);
    }

    #[test]
    fn quantities_and_words_are_not_volatile() {
        for (before, after) in [
            ("5", "10"),
            (r#""5""#, r#""10""#),
            (r#""granted""#, r#""refused""#),
            (r#""feedface""#, r#""feed""#),
            ("null", "5"),
            ("true", "false"),
        ] {
            let body = |value: &str| format!(r#"{{"quantity":{value}}}"#);
            assert_paths(&body(before), &body(after), &[]);
        }
    }

    #[test]
    fn paths_lead_through_lists_and_unusual_keys() {
        let body = |number: u8| {
            let item = format!("{{\"granted at\": \"t{number}\"}}");
            format!("{{\n          \"items\": [{item}, {item}]\n        }}")
        };
        assert_paths(&body(1), &body(2), &["$.items[*]['granted at']"]);
        assert_paths("[\"n1\"]", "[\"n2\"]", &["$[*]"]);
        let two = snapshot(&[r#"{"a":"n1"}"#, r#"{"a":"n1"}"#]);
        assert_eq!(volatile_paths(&snapshot(&[r#"{"a":"n2"}"#]), &two), [""; 0]);
    }
}
