//! What a probe has read so far in a run. A probe that has never returned a value is probably wrong,
//! although a path to something that a player does not hold matches nothing either.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// Whether a probe has returned a value so far. Clones share the state.
#[derive(Debug, Clone, Default)]
pub(super) struct ProbeHistory(Arc<HistoryState>);

#[derive(Debug, Default)]
struct HistoryState {
    returned_value: AtomicBool,
    /// Why there was no value the last time.
    problem: Mutex<Option<ProbeProblem>>,
}

/// Why a probe has never returned a value, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProbeProblem {
    /// What it returned instead; follows the probe's name.
    pub(crate) reason: String,
    /// What to do.
    pub(crate) help: &'static str,
}

impl fmt::Display for ProbeProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}; {}", self.reason, self.help)
    }
}

impl ProbeHistory {
    pub(super) fn record_value(&self) {
        self.0.returned_value.store(true, Ordering::Relaxed);
    }

    pub(super) fn record_problem(&self, reason: String, help: &'static str) {
        let last = self.0.problem.lock();
        *last.unwrap_or_else(PoisonError::into_inner) = Some(ProbeProblem { reason, help });
    }

    /// The last problem, if there has never been a value.
    pub(super) fn problem(&self) -> Option<ProbeProblem> {
        if self.0.returned_value.load(Ordering::Relaxed) {
            return None;
        }
        let last = self.0.problem.lock();
        last.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The first segment of a path that is missing in `body`. `None` if the path ends in something
/// empty, in `null`, past the end of a list or in a filter, as it would for items that a player
/// lacks.
pub(super) fn missing_segment(path: &str, body: &Value) -> Option<String> {
    let mut rest = path.strip_prefix('$')?;
    let mut place = body;
    while let Some(segment) = PathSegment::first(&mut rest) {
        let next = match (segment, place) {
            (_, Value::Null) => return None,
            (PathSegment::Name(name), Value::Object(entries)) => match entries.get(name) {
                None if entries.is_empty() => return None,
                found => found.ok_or(name.to_owned()),
            },
            (PathSegment::Index(index), Value::Array(items)) => Ok(items.get(index)?),
            (PathSegment::Name(name), _) => Err(name.to_owned()),
            (PathSegment::Index(index), _) => Err(format!("[{index}]")),
        };
        place = match next {
            Ok(next) => next,
            Err(absent) => return Some(absent),
        };
    }
    None
}

enum PathSegment<'path> {
    Name(&'path str),
    Index(usize),
}

impl<'path> PathSegment<'path> {
    /// Removes the first segment of a path. `None` at its end, or if it is not a name or an index.
    fn first(rest: &mut &'path str) -> Option<Self> {
        if let Some(named) = rest.strip_prefix('.') {
            let end = named.find(['.', '[']).unwrap_or(named.len());
            let (name, after) = named.split_at(end);
            *rest = after;
            return (!name.is_empty() && name != "*").then_some(Self::Name(name));
        }
        let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
        *rest = after;
        let quoted = |mark: char| inside.strip_prefix(mark)?.strip_suffix(mark);
        match quoted('\'').or_else(|| quoted('"')) {
            Some(name) => Some(Self::Name(name)),
            None => inside.parse().ok().map(Self::Index),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mistyped_path_names_the_missing_segment() {
        for (path, body, absent) in [
            ("$.quantiy", json!({ "quantity": 0 }), "quantiy"),
            ("$.itmes[0].count", json!({ "items": [] }), "itmes"),
            ("$['a']['b']", json!({ "a": { "c": 1 } }), "b"),
            ("$.items.gems", json!({ "items": [1] }), "gems"),
            ("$[0]", json!({ "a": 1 }), "[0]"),
            ("$.quantity.value", json!({ "quantity": 3 }), "value"),
        ] {
            assert_eq!(
                missing_segment(path, &body).as_deref(),
                Some(absent),
                "{path}"
            );
        }
    }

    #[test]
    fn items_that_a_player_lacks_are_not_a_wrong_path() {
        for (path, body) in [
            ("$.quantity", json!({})),
            ("$.quantity", json!(null)),
            ("$.item.quantity", json!({ "item": null })),
            ("$.items[0].count", json!({ "items": [] })),
            (
                "$.items[?@.sku == 'gems'].count",
                json!({ "items": [{ "sku": "x" }] }),
            ),
            ("$..count", json!({ "items": [] })),
            ("$.items[*].count", json!({ "items": [] })),
        ] {
            assert_eq!(missing_segment(path, &body), None, "{path}");
        }
    }

    #[test]
    fn a_probe_that_returned_a_value_once_is_correct() {
        let history = ProbeHistory::default();
        assert_eq!(history.problem(), None);
        history.record_problem("returned 404".to_owned(), "check its URL");
        let problem = history.problem().expect("a problem");
        assert_eq!(problem.to_string(), "returned 404; check its URL");
        history.clone().record_value();
        assert_eq!(history.problem(), None);
    }
}
