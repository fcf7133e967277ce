//! Decoding that goes on after a mistake, so that all mistakes of a file are told at once.
//!
//! serde ends at the first error. So the wrong value is told, taken out of the tree, and the rest
//! is decoded again. What goes wrong only because something was taken out is not told.

use serde::de::DeserializeOwned;

use super::decode::decode_node;
use super::{DecodeError, Diagnostic, Node, NodeValue, SourceFile, nearest};

/// What came of decoding a tree.
#[derive(Debug)]
pub struct Decoded<T> {
    /// The value; where there are mistakes, without what is wrong, if there is a value without it.
    pub value: Option<T>,
    /// What is wrong, in the order in which it was found.
    pub mistakes: Vec<Diagnostic>,
}

/// How often a file's trees are decoded again after a mistake. A file made to hurt would cost much
/// time otherwise: a matrix makes many trees, and each can have many mistakes.
#[derive(Debug)]
pub struct Patience(usize);

impl Patience {
    /// What a file of a person needs at most.
    pub fn of_a_file() -> Self {
        Self(200)
    }
}

/// Decodes a tree of `source` into a type, and tells all that is wrong in it. Where the patience
/// ends, what was found so far is told.
pub fn decode_all<T: DeserializeOwned>(
    source: &SourceFile,
    tree: &Node,
    patience: &mut Patience,
) -> Decoded<T> {
    let mut mistakes = Vec::new();
    let mut rest = tree.clone();
    let value = loop {
        let error = match decode_node(&rest) {
            Ok(value) => break Some(value),
            Err(error) => error,
        };
        let path: Vec<usize> = error.indices().collect();
        if !follows(&error, rest.at(&path)) {
            mistakes.push(error.into_diagnostic(source));
        }
        if patience.0 == 0 || !rest.skip(&path) {
            break None;
        }
        patience.0 -= 1;
    };
    Decoded { value, mistakes }
}

/// Whether an error about `node` may come of what was taken out of it.
fn follows(error: &DecodeError, node: &Node) -> bool {
    match error.missing_key() {
        // Of a mapping that lacks a key, only that key matters, or a misspelling of it.
        Some(missing) => node.entries().iter().any(|(key, value)| {
            value.value == NodeValue::Skipped && nearest(&key.text, [missing]).is_some()
        }),
        None => node.has_skipped(),
    }
}

impl Node {
    /// The items of a list, or the values of a mapping.
    fn part(&self, index: usize) -> Option<&Self> {
        match &self.value {
            NodeValue::Sequence(items) => items.get(index),
            NodeValue::Mapping(entries) => entries.get(index).map(|(_, value)| value),
            _ => None,
        }
    }

    fn part_mut(&mut self, index: usize) -> Option<&mut Self> {
        match &mut self.value {
            NodeValue::Sequence(items) => items.get_mut(index),
            NodeValue::Mapping(entries) => entries.get_mut(index).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The node to which a path leads, or the last one on its way.
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

    /// Takes out the last node on the way of a path. Returns whether there was one to take out:
    /// the whole tree is not, and neither is what was taken out before.
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

    /// Whether anything in this node, or the node itself, was taken out.
    fn has_skipped(&self) -> bool {
        match &self.value {
            NodeValue::Skipped => true,
            NodeValue::Sequence(items) => items.iter().any(Self::has_skipped),
            NodeValue::Mapping(entries) => entries.iter().any(|(_, value)| value.has_skipped()),
            _ => false,
        }
    }
}
