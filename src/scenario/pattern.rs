//! A regular expression of a scenario, which is compiled when it is used.
//!
//! A few letters can compile to megabytes, and a matrix repeats them in each case. So cases hold only the
//! text, and few compiled expressions are kept.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::Deserialize;

/// The most bytes that an expression may compile to.
const SIZE_LIMIT: usize = 10 * 1024 * 1024;
/// How many compiled expressions are kept.
const MOST_COMPILED: usize = 8;
/// Of how many texts it is kept whether they are valid.
const MOST_CHECKED: usize = 2000;

static COMPILED: Kept<Regex> = Mutex::new(None);
/// Why texts are invalid; `None` for those that are valid.
static CHECKED: Kept<Option<String>> = Mutex::new(None);

/// A valid regular expression.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", description = "", extend("format" = "regex"))]
pub struct Pattern(String);

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let known = kept(&CHECKED, |checked| checked.get(text).cloned());
        let problem = known.unwrap_or_else(|| {
            let problem = compiled(text).err();
            keep(&CHECKED, MOST_CHECKED, text, problem.clone());
            problem
        });
        match problem {
            None => Ok(Self(text.to_owned())),
            Some(reason) => Err(format!("invalid regular expression `{text}`: {reason}")),
        }
    }

    /// Whether part of a text matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        compiled(&self.0).is_ok_and(|pattern| pattern.is_match(text))
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::new(&text)
    }
}

fn compiled(text: &str) -> Result<Regex, String> {
    if let Some(pattern) = kept(&COMPILED, |compiled| compiled.get(text).cloned()) {
        return Ok(pattern);
    }
    let pattern = RegexBuilder::new(text).size_limit(SIZE_LIMIT).build();
    let pattern = pattern.map_err(|error| {
        // The last line of the library's message is the reason.
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default();
        last.trim_start_matches("error: ").to_owned()
    })?;
    keep(&COMPILED, MOST_COMPILED, text, pattern.clone());
    Ok(pattern)
}

type Kept<V> = Mutex<Option<HashMap<String, V>>>;

fn kept<V, R>(all: &Kept<V>, read: impl FnOnce(&HashMap<String, V>) -> Option<R>) -> Option<R> {
    let all = all.lock().unwrap_or_else(PoisonError::into_inner);
    all.as_ref().and_then(read)
}

/// Keeps a value. If there are too many, the others go.
fn keep<V>(all: &Kept<V>, most: usize, text: &str, value: V) {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    let all = all.get_or_insert_default();
    if all.len() >= most {
        all.clear();
    }
    all.insert(text.to_owned(), value);
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_compiled_expressions_are_kept() {
        for number in 0..=MOST_COMPILED {
            let pattern = Pattern::new(&format!("a{number}$")).expect("valid");
            assert!(pattern.is_match(&format!("ba{number}")) && !pattern.is_match("a"));
        }
        let kept = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(
            kept.as_ref()
                .is_some_and(|kept| kept.len() <= MOST_COMPILED)
        );
    }

    #[test]
    fn large_expressions_are_refused() {
        for text in [r"\w{5000}", "(a{1000}){1000}", "(?i)[^x]{900}{900}"] {
            let error = Pattern::new(text).expect_err(text);
            assert!(error.contains("exceeds size limit"), "{error}");
        }
        for text in [r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$", r"^\w{1,64}$"] {
            Pattern::new(text).expect(text);
        }
    }
}
