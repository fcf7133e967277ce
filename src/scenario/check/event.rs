//! Checks the keys of an event that can't be combined.

use indexmap::IndexSet;

use super::Checker;
use crate::generate::{ItemShape, Revision};
use crate::scenario::EventSpec;
use crate::scenario::SharedId;
use crate::scenario::document::Span;
use crate::scenario::scenario_model::ScenarioKeys;

/// How many events can have the SKU of the next one, because each is made within the one before.
const SKU_CHAIN_LIMIT: usize = 32;

impl Checker<'_> {
    pub(super) fn check_event(&mut self, name: &str, span: Span, event: &EventSpec) {
        let changes = [
            ("set", !event.set.is_empty()),
            ("unset", !event.unset.is_empty()),
            ("layout", event.layout.is_some()),
        ];
        for (key, _) in changes.into_iter().filter(|(_, given)| *given) {
            if event.raw.is_some() {
                let message =
                    format!("event `{name}`: `raw` is the exact body, so `{key}` can't change it");
                self.problem(span, message, &format!("remove `raw` or `{key}`"));
            }
        }
        self.check_item_list(name, span, event);
        self.check_shared_events(event);
        self.check_kind(name, span, event);
        let events = &self.scenario.events;
        let mut ids = SharedId::ALL.iter();
        if let Some(id) = ids.find(|id| id.is_circular(events, name)) {
            let key = id.key();
            let message = format!("event `{name}`: `{key}` refers back to this event");
            let help = "remove `same_as` or `like` from one of the events";
            self.problem(span, message, help);
        }
        if self.needs_own_sku(name) {
            let message = format!("event `{name}`: `sku` refers back to this event");
            let help = "remove `same_as` from one of the events";
            self.problem(span, message, help);
        }
    }

    /// Whether the SKU of the event's item depends on itself.
    fn needs_own_sku(&self, name: &str) -> bool {
        let mut found: IndexSet<&str> = sku_owners(self.scenario, name).collect();
        let mut next = 0;
        while let Some(owner) = found.get_index(next).copied() {
            found.extend(sku_owners(self.scenario, owner));
            next += 1;
        }
        found.contains(name)
    }

    /// Reports that too many events use the SKU of the next one: to make the first needs all others.
    pub(super) fn check_sku_chains(&mut self) {
        let scenario = self.scenario;
        let events = &scenario.events;
        let mut reached: IndexSet<&str> = events.keys().map(String::as_str).collect();
        for _ in 0..SKU_CHAIN_LIMIT {
            let owners = reached.iter().flat_map(|name| sku_owners(scenario, name));
            reached = owners.collect();
        }
        let Some((name, event)) = reached.first().and_then(|name| events.get_key_value(*name))
        else {
            return;
        };
        let message = format!(
            "event `{name}`: more than {SKU_CHAIN_LIMIT} events have the SKU of the next one, up to \
             this one"
        );
        self.problem(
            event.span,
            message,
            "use `same_as` with the same event in several of them",
        );
    }

    fn check_item_list(&mut self, name: &str, span: Span, event: &EventSpec) {
        let Some(items) = &event.items else {
            return;
        };
        if items.is_empty() {
            let message = format!("event `{name}`: `items` is empty");
            self.problem(span, message, "list at least one item, such as `{}`");
        }
        if event.item != ItemShape::default() {
            let message =
                format!("event `{name}`: `items` lists every item, so `item` can't add one");
            self.problem(
                span,
                message,
                "move `item` into `items`, as its first entry",
            );
        }
        if event.revision.unwrap_or_default() == Revision::Source {
            let message = format!("event `{name}`: this revision of the payload has no `items`");
            let help =
                "add `revision: \"2026-05-25\"`, or \"2026-06-16\" for an event without `item`";
            self.problem(span, message, help);
        }
    }
}

/// The events that must be made to know the SKUs of the event `name`.
fn sku_owners<'s>(
    scenario: &'s ScenarioKeys,
    name: &str,
) -> impl Iterator<Item = &'s str> + use<'s> {
    let spec = scenario.events.get(name);
    spec.into_iter().flat_map(|spec| {
        let coupon_event = spec.coupon_event.as_ref().map(|other| other.as_str());
        spec.sku_owners().chain(coupon_event)
    })
}
