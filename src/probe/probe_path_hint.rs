//! Detects a mistyped `read` path of a probe: a path that never matched anything in a run. A path
//! to something that a player does not hold matches nothing either, so both must be distinguished.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::scenario::JsonPath;
use crate::scenario::shortened;

/// Whether a path has matched in the responses so far. Clones share the state.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProbePathHint(Arc<PathState>);

#[derive(Debug, Default)]
struct PathState {
    /// Whether the path has matched once: then it is correct.
    matched: AtomicBool,
    /// Why the path did not match the last response.
    mismatch: Mutex<Option<String>>,
}

impl ProbePathHint {
    pub(crate) fn record_match(&self) {
        self.0.matched.store(true, Ordering::Relaxed);
    }

    /// Records that the path matched nothing in `body`, whose redacted form is `shown`.
    pub(crate) fn record_miss(&self, path: &JsonPath, body: &Value, shown: &Value) {
        if let Some(absent) = missing_segment(&path.to_string(), body) {
            let reason = format!(
                "`{path}` has never matched: no `{absent}` in {}",
                shortened(shown)
            );
            *self.mismatch() = Some(reason);
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        if self.0.matched.load(Ordering::Relaxed) {
            return None;
        }
        self.mismatch().clone()
    }

    fn mismatch(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.0
            .mismatch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first segment of a path that is missing in `body`. `None` if the path ends in something
/// empty, in `null`, past the end of a list or in a filter, as it would for items that a player
/// lacks.
fn missing_segment(path: &str, body: &Value) -> Option<String> {
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
    fn a_path_that_matched_once_is_correct() {
        let path_hint = ProbePathHint::default();
        let path = JsonPath::parse("$.quantity").expect("a path");
        let body = json!({ "player": "P1" });
        path_hint.record_miss(&path, &body, &body);
        let reason = path_hint.hint().expect("a hint");
        assert!(
            reason.contains("no `quantity` in {\"player\":\"P1\"}"),
            "{reason}"
        );
        path_hint.clone().record_match();
        assert_eq!(path_hint.hint(), None);
    }
}
