//! Checks the items of an event: bundles that contain themselves, and SKUs of parts and events that do
//! not exist.

use super::Checker;
use crate::scenario::document::{Diagnostic, Node, NodeValue, Spanned};

/// Where a part of an event is.
#[derive(Clone, Copy, Default)]
struct Place<'node> {
    /// The parts of the outermost bundle around it that come before it.
    before: &'node [Node],
    /// Whether an item comes before it that it is not part of.
    follows_item: bool,
}

impl Checker<'_> {
    pub(super) fn check_items(&mut self, event: &Node) {
        let items = event.get("items").map_or(&[][..], Node::items);
        for (index, item) in event.get("item").into_iter().chain(items).enumerate() {
            let mut fallback = Some(item);
            let mut follows_item = index > 0;
            while let Some(item) = fallback {
                let place = Place {
                    follows_item,
                    ..Place::default()
                };
                self.check_sku(item, place);
                self.check_bundle(item, &[]);
                let parts = item.get("bundle").map_or(&[][..], Node::items);
                for (number, part) in parts.iter().enumerate() {
                    let before = &parts[..number];
                    self.check_part(part, Place { before, ..place });
                }
                fallback = item.get("fallback");
                follows_item = true;
            }
        }
    }

    fn check_part<'node>(&mut self, part: &'node Node, place: Place<'node>) {
        self.check_sku(part, place);
        for inner in part.get("bundle").map_or(&[][..], Node::items) {
            self.check_part(inner, place);
        }
    }

    fn check_sku(&mut self, part: &Node, place: Place<'_>) {
        let of_sku = |key| part.get("sku").and_then(|sku| sku.get(key));
        if let Some(like) = of_sku("like")
            && let Some(name) = like.as_text()
        {
            self.event(&Spanned {
                value: name.to_owned(),
                span: like.span,
            });
        }
        let Some(node) = of_sku("same_as") else {
            return;
        };
        if node.as_text() == Some("item") {
            if !place.follows_item {
                let help = "use it in a fallback, or in a later entry of `items`";
                self.problem(
                    node.span,
                    "this is the coupon's item itself, or a part of it",
                    help,
                );
            }
            return;
        }
        if let Some(name) = node.as_text() {
            self.event(&Spanned {
                value: name.to_owned(),
                span: node.span,
            });
            return;
        }
        // A value of another type is already reported.
        let NodeValue::Unsigned(number) = node.value else {
            return;
        };
        let index = number
            .checked_sub(1)
            .and_then(|index| usize::try_from(index).ok());
        let earlier = index.and_then(|index| place.before.get(index));
        match earlier {
            None => {
                let message = format!("no part {number} comes before this one in its bundle");
                let help = "parts are counted from 1, in the outermost bundle";
                self.problem(node.span, message, help);
            }
            Some(bundle) if bundle.get("bundle").is_some() => {
                let message = format!("part {number} is a bundle, which would have two meanings");
                self.problem(node.span, message, "name a part that is a plain item");
            }
            Some(_) => {}
        }
    }

    /// Rejects a bundle that contains itself. `outer` has the SKUs of the enclosing bundles.
    fn check_bundle<'node>(&mut self, item: &'node Node, outer: &[&'node str]) {
        let sku = item.get("sku").and_then(Node::as_text);
        let enclosing: Vec<&str> = outer.iter().copied().chain(sku).collect();
        for nested in item.get("bundle").map_or(&[][..], Node::items) {
            if let Some(node) = nested.get("sku")
                && let Some(sku) = node.as_text().filter(|sku| enclosing.contains(sku))
            {
                let message = format!("the bundle `{sku}` contains itself");
                let problem = Diagnostic::at(self.source, node.span, message);
                let problem = problem.with_help("give the nested item another SKU");
                self.found.0.push(problem);
            }
            self.check_bundle(nested, &enclosing);
        }
    }
}
