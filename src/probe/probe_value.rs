//! What a probe reads: a number or a text, in JSON or printed by a command.

use serde_json::Value;

use super::hook_error::HookFailure;
use super::redaction::Redaction;
use crate::scenario::document::shortened;
use crate::scenario::shortened as shortened_json;

/// A value before it is known whether a number or a text is wanted.
#[derive(Debug, Clone)]
pub(super) enum ProbeValue {
    /// In JSON, at this path.
    Json { path: String, value: Value },
    /// Printed by this program.
    Printed { program: String, text: String },
    /// Returned by a function.
    Number(i128),
}

impl ProbeValue {
    /// Only a whole number is one.
    pub(super) fn number(&self, redaction: &Redaction) -> Result<i128, HookFailure> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Json { path, value } => number_in(value).ok_or_else(|| {
                let shown = shortened_json(&redaction.json(value));
                HookFailure::new(format!("{path} is not a whole number: {shown}"))
            }),
            Self::Printed { program, text } if text.trim().is_empty() => {
                Err(HookFailure::new(format!(
                    "{program} printed nothing; if that means that the player holds none, add \
                     `missing: 0` to the probe"
                )))
            }
            Self::Printed { program, text } => text.trim().parse().map_err(|_| {
                let text = redaction.text(text.trim());
                let shown = first_line(&text);
                HookFailure::new(match text.lines().count() {
                    1 => format!("{program} did not print a whole number: {shown:?}"),
                    lines => {
                        let second = first_line(text.lines().nth(1).unwrap_or_default());
                        format!(
                            "{program} printed {lines} lines instead of one whole number: {shown:?}, \
                             {second:?}{}",
                            if lines > 2 { ", …" } else { "" }
                        )
                    }
                })
            }),
        }
    }

    /// Text as it is, without white space around it; other JSON as it is written.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Json {
                value: Value::String(text),
                ..
            }
            | Self::Printed { text, .. } => text.trim().to_owned(),
            Self::Json { value, .. } => value.to_string(),
        }
    }
}

/// The beginning of a text for a message.
pub(super) fn first_line(text: &str) -> String {
    shortened(text.lines().next().unwrap_or_default(), 80)
}

/// A whole number in JSON: an integer, a float without a fraction, or a string.
fn number_in(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number.as_i128().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A float that is certainly a whole number. Beyond 2^53, floats can't represent every integer.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked first"
)]
fn whole(float: f64) -> Option<i128> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i128)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_are_read_in_all_forms() {
        assert_eq!(number_in(&json!(u64::MAX)), Some(i128::from(u64::MAX)));
        assert_eq!(number_in(&json!(-3)), Some(-3));
        assert_eq!(number_in(&json!(4.8e5)), Some(480_000));
        assert_eq!(number_in(&json!("12 ")), Some(12));
        for invalid in [
            json!(1.5),
            json!(1e300),
            json!("x"),
            json!(null),
            json!([1]),
        ] {
            assert_eq!(number_in(&invalid), None, "{invalid}");
        }
    }

    #[test]
    fn several_lines_are_no_number() {
        let redaction = Redaction::new([]);
        for (text, expected) in [
            ("x\n", "psql did not print a whole number: \"x\""),
            (
                "5\n6\n",
                "psql printed 2 lines instead of one whole number: \"5\", \"6\"",
            ),
            (
                "5\n6\n7\n",
                "psql printed 3 lines instead of one whole number: \"5\", \"6\", …",
            ),
        ] {
            let (program, text) = ("psql".to_owned(), text.to_owned());
            let printed = ProbeValue::Printed { program, text };
            let failure = printed.number(&redaction).expect_err(expected);
            assert_eq!(failure.to_string(), expected);
        }
    }

    #[test]
    fn any_value_is_a_text() {
        let in_json = |value| {
            let path = "$".to_owned();
            ProbeValue::Json { path, value }.text()
        };
        assert_eq!(in_json(json!("paid")), "paid");
        assert_eq!(in_json(json!(1.5)), "1.5");
        assert_eq!(in_json(json!(true)), "true");
        let printed = ProbeValue::Printed {
            program: "psql".to_owned(),
            text: "Gold member\n".to_owned(),
        };
        assert_eq!(printed.text(), "Gold member");
    }
}
