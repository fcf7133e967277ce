//! Whether a probe's path leads anywhere in the answers of a run: one that is mistyped selects nothing,
//! and so does one to what a player does not hold.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::json_match::shortened;
use crate::scenario::JsonPath;

/// What became of a path in the answers so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct PathTrail(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// Whether it has selected something once: then it is right, and nothing is nothing.
    found: AtomicBool,
    /// Where the path and the last answer parted.
    astray: Mutex<Option<String>>,
}

impl PathTrail {
    /// The path has selected something.
    pub(super) fn found(&self) {
        self.0.found.store(true, Ordering::Relaxed);
    }

    /// The path has selected nothing of `body`, which is shown as `shown`.
    pub(super) fn found_nothing(&self, path: &JsonPath, body: &Value, shown: &Value) {
        if let Some(absent) = astray(&path.to_string(), body) {
            let told = format!(
                "`{path}` stood in no answer so far: there is no `{absent}` in {}",
                shortened(shown)
            );
            *self.astray() = Some(told);
        }
    }

    /// Why the path is rather wrong than what it leads to missing, if that seems so.
    pub(super) fn leads_nowhere(&self) -> Option<String> {
        if self.0.found.load(Ordering::Relaxed) {
            return None;
        }
        self.astray().clone()
    }

    fn astray(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.0.astray.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name or the index with which a path leaves what is there. None where it ends in something
/// empty, in `null`, behind the end of a list or in a filter, as befits what a player does not hold.
fn astray(path: &str, body: &Value) -> Option<String> {
    let mut rest = path.strip_prefix('$')?;
    let mut place = body;
    while let Some(segment) = Segment::first(&mut rest) {
        let next = match (segment, place) {
            (_, Value::Null) => return None,
            (Segment::Name(name), Value::Object(entries)) => match entries.get(name) {
                None if entries.is_empty() => return None,
                found => found.ok_or(name.to_owned()),
            },
            (Segment::Index(index), Value::Array(items)) => Ok(items.get(index)?),
            (Segment::Name(name), _) => Err(name.to_owned()),
            (Segment::Index(index), _) => Err(format!("[{index}]")),
        };
        place = match next {
            Ok(next) => next,
            Err(absent) => return Some(absent),
        };
    }
    None
}

/// A plain step of a path.
enum Segment<'path> {
    Name(&'path str),
    Index(usize),
}

impl<'path> Segment<'path> {
    /// Takes the first step off a path; none where it is over, or is no plain one.
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
    fn a_path_that_is_not_of_this_answer_goes_astray() {
        for (path, body, absent) in [
            ("$.quantiy", json!({ "quantity": 0 }), "quantiy"),
            ("$.itmes[0].count", json!({ "items": [] }), "itmes"),
            ("$['a']['b']", json!({ "a": { "c": 1 } }), "b"),
            ("$.items.gems", json!({ "items": [1] }), "gems"),
            ("$[0]", json!({ "a": 1 }), "[0]"),
            ("$.quantity.value", json!({ "quantity": 3 }), "value"),
        ] {
            assert_eq!(astray(path, &body).as_deref(), Some(absent), "{path}");
        }
    }

    #[test]
    fn what_a_player_does_not_hold_is_no_mistake_of_the_path() {
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
            assert_eq!(astray(path, &body), None, "{path}");
        }
    }

    #[test]
    fn what_was_found_once_is_a_right_path() {
        let trail = PathTrail::default();
        let path = JsonPath::parse("$.quantity").expect("a path");
        let body = json!({ "player": "P1" });
        trail.found_nothing(&path, &body, &body);
        let told = trail.leads_nowhere().expect("astray");
        assert!(
            told.contains("no `quantity` in {\"player\":\"P1\"}"),
            "{told}"
        );
        trail.clone().found();
        assert_eq!(trail.leads_nowhere(), None);
    }
}
