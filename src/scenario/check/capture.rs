//! Checks that captured values are captured by an earlier step, and used only where they can be.

use std::collections::BTreeSet;

use super::Checker;
use crate::scenario::capture::captured_names;
use crate::scenario::document::{Node, NodeValue, Span, did_you_mean};

/// The keys of a step and of its `request` in which captured values can be used.
const USABLE_IN_STEP: [&str; 1] = ["with"];
const USABLE_IN_REQUEST: [&str; 3] = ["url", "headers", "body"];

impl Checker<'_> {
    pub(super) fn check_captured(&mut self, tree: &Node) {
        let mut captured: BTreeSet<&str> = BTreeSet::new();
        for (key, node) in tree.entries() {
            if key.value != "steps" {
                self.report_unusable(node);
                continue;
            }
            for step in node.items() {
                self.check_captured_in_step(step, &captured);
                let names = step.get("capture").map_or(&[][..], Node::entries);
                for (name, _) in names {
                    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    if name.is_empty() || !name.chars().all(is_letter) {
                        let message =
                            format!("`{}` can't be the name of a captured value", name.value);
                        self.problem(name.span, message, "use only letters, digits and `_`");
                    }
                    captured.insert(&name.value);
                }
            }
        }
    }

    fn check_captured_in_step(&mut self, step: &Node, captured: &BTreeSet<&str>) {
        for (key, node) in step.entries() {
            if USABLE_IN_STEP.contains(&key.as_str()) {
                self.check_known(node, captured);
            } else if key.value == "request" {
                for (key, node) in node.entries() {
                    if USABLE_IN_REQUEST.contains(&key.as_str()) {
                        self.check_known(node, captured);
                    } else {
                        self.report_unusable(node);
                    }
                }
            } else {
                self.report_unusable(node);
            }
        }
    }

    fn check_known(&mut self, node: &Node, captured: &BTreeSet<&str>) {
        for (name, span) in uses(node) {
            if !captured.contains(name) {
                let question = did_you_mean(name, captured.iter().copied());
                let help =
                    format!("{question}add `capture: {{ {name}: $.path }}` to an earlier step");
                let message = format!("no earlier step captures `{name}`");
                self.problem(span, message, &help);
            }
        }
    }

    fn report_unusable(&mut self, node: &Node) {
        for (name, span) in uses(node) {
            let message = format!("`${{captured.{name}}}` can't be used here");
            let help = "use it in the `url`, `headers` and `body` of a `request`, or in `with`";
            self.problem(span, message, help);
        }
    }
}

/// The captured values that the texts of a node use.
fn uses(node: &Node) -> Vec<(&str, Span)> {
    match &node.value {
        NodeValue::Text(text) => captured_names(text).map(|name| (name, node.span)).collect(),
        NodeValue::Sequence(items) => items.iter().flat_map(uses).collect(),
        NodeValue::Mapping(entries) => entries.iter().flat_map(|(_, value)| uses(value)).collect(),
        _ => Vec::new(),
    }
}
