//! Decoding that continues after a mistake, so that all mistakes of a file are reported at once.
//!
//! serde stops at the first error. So the invalid value is reported and removed from the tree, and
//! the rest is decoded again. Errors that only result from a removal are not reported.

use serde::de::DeserializeOwned;

use super::decode::decode_node;
use super::{DecodeError, Diagnostics, Node, NodeValue, SourceFile, nearest};

/// How often a file's trees may be decoded again after a mistake: more than any file written by hand
/// needs. Limits the time that a malicious file can take: a matrix creates many trees, and each can have
/// many mistakes.
pub(crate) const DECODE_BUDGET: usize = 200;

/// Decodes a tree of `source` into a type, and reports all mistakes in it. Once the budget is used up,
/// reports the mistakes found so far.
///
/// If there are mistakes, the value lacks the invalid parts; `None` if it can't be decoded without them.
pub(crate) fn decode_all<T: DeserializeOwned>(
    source: &SourceFile,
    tree: &Node,
    budget: &mut usize,
) -> (Option<T>, Diagnostics) {
    let mut mistakes = Diagnostics::default();
    let mut rest = tree.clone();
    let value = loop {
        let error = match decode_node(&rest) {
            Ok(value) => break Some(value),
            Err(error) => error,
        };
        let path: Vec<usize> = error.indices().collect();
        if !is_consequence(&error, rest.at(&path)) {
            mistakes.extend([error.into_diagnostic(source)]);
        }
        if *budget == 0 || !rest.skip(&path) {
            break None;
        }
        *budget -= 1;
    };
    (value, mistakes)
}

/// Whether an error about `node` may result from what was removed from it.
fn is_consequence(error: &DecodeError, node: &Node) -> bool {
    match error.missing {
        // A missing key is a consequence only if that key, or a misspelling of it, was removed.
        Some(missing) => node.entries().iter().any(|(key, value)| {
            value.value == NodeValue::Skipped && nearest(key, [missing]).is_some()
        }),
        None => node.has_skipped(),
    }
}

impl Node {
    /// The item of a list or the value of a mapping entry at an index.
    fn part(&self, index: usize) -> Option<&Self> {
        let entry = self.entries().get(index);
        self.items().get(index).or(entry.map(|(_, value)| value))
    }

    fn part_mut(&mut self, index: usize) -> Option<&mut Self> {
        match &mut self.value {
            NodeValue::Sequence(items) => items.get_mut(index),
            NodeValue::Mapping(entries) => entries.get_mut(index).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The node at a path, or the last existing node along it.
    fn at(&self, path: &[usize]) -> &Self {
        let mut node = self;
        for &index in path {
            let Some(part) = node.part(index) else {
                break;
            };
            node = part;
        }
        node
    }

    /// Removes the last existing node along a path. Returns false if nothing was removed: the root
    /// can't be removed, nor can a node that is already removed.
    fn skip(&mut self, path: &[usize]) -> bool {
        let (Some((&index, rest)), true) = (path.split_first(), self.value != NodeValue::Skipped)
        else {
            return false;
        };
        let Some(part) = self.part_mut(index) else {
            return false;
        };
        if !part.skip(rest) {
            if part.value == NodeValue::Skipped {
                return false;
            }
            part.value = NodeValue::Skipped;
        }
        true
    }

    /// Whether this node or anything in it was removed.
    fn has_skipped(&self) -> bool {
        let values = self.entries().iter().map(|(_, value)| value);
        self.value == NodeValue::Skipped || self.items().iter().chain(values).any(Self::has_skipped)
    }
}
