//! The events that a scenario delivers, each as a sentence and as JSON, and what all genuine
//! deliveries have in common.

use indexmap::IndexMap;

use super::body_lines::sent;
use super::request_head::{headers, shown_url};
use super::stable_text::{StableText, visible};
use crate::policy::Forgery;
use crate::protocol::{Event, EventKind, Field, Item, ItemEvent, ItemKind, NestedItem};
use crate::report::scenario_record::ScenarioRecord;
use crate::run::{AttemptEnded, BodyContent};

pub(super) struct SnapshotEvents {
    events: Vec<ShownEvent>,
    /// The URL and the headers of genuine deliveries.
    common: Option<(String, Vec<String>)>,
}

struct ShownEvent {
    name: String,
    summary: Option<String>,
    /// Why the body is not the genuine one.
    note: Option<String>,
    body: Vec<String>,
}

impl SnapshotEvents {
    pub(super) fn of(record: &ScenarioRecord, stable: &StableText<'_>) -> Self {
        let attempts = record.attempts.iter();
        let deliveries = attempts.filter(|attempt| attempt.event_name.is_some());
        // Simultaneous deliveries are ordered by their numbers.
        let mut in_order: Vec<&AttemptEnded> = deliveries.collect();
        in_order.sort_by_key(|attempt| (attempt.step, attempt.delivery, attempt.attempt));
        let mut attempts_of: IndexMap<&String, Vec<&AttemptEnded>> = IndexMap::new();
        for attempt in &in_order {
            if let Some(name) = &attempt.event_name {
                attempts_of.entry(name).or_default().push(attempt);
            }
        }
        let tampered = Forgery::TamperedBody.name();
        let events = attempts_of.into_iter().filter_map(|(name, attempts)| {
            let mut genuine = attempts.iter();
            let genuine = genuine.find(|attempt| attempt.forgery.as_deref() != Some(tampered));
            let note = format!("as changed by the forgery {tampered}");
            let note = genuine.is_none().then_some(note);
            let attempt = genuine.or(attempts.first())?;
            let body = &attempt.request.body;
            let summary = match &body.content {
                BodyContent::Text(text) => event_summary(text),
                BodyContent::Base64(_) => None,
            };
            Some(ShownEvent {
                name: name.clone(),
                summary: summary.map(|summary| visible(&stable.text(&summary))),
                note,
                body: sent(body, stable),
            })
        });
        let genuine = in_order.iter().find(|attempt| attempt.forgery.is_none());
        let common = genuine.map(|attempt| (shown_url(attempt, stable), headers(attempt, stable)));
        Self {
            events: events.collect(),
            common,
        }
    }

    pub(super) fn body(&self, name: &str) -> &[String] {
        let event = self.events.iter().find(|event| event.name == name);
        event.map_or(&[], |event| &event.body)
    }

    /// The headers in which a delivery differs from genuine ones: additional, changed or missing.
    pub(super) fn unusual_headers(&self, headers: Vec<String>) -> Vec<String> {
        let Some((_, common)) = &self.common else {
            return headers;
        };
        let name_of = |line: &String| line.split(':').next().unwrap_or_default().to_owned();
        let names: Vec<String> = headers.iter().map(name_of).collect();
        let missing = common
            .iter()
            .map(name_of)
            .filter(|name| !names.contains(name));
        let missing = missing.map(|name| format!("without {name}"));
        let missing: Vec<String> = missing.collect();
        let own = headers.into_iter().filter(|line| !common.contains(line));
        own.chain(missing).collect()
    }

    pub(super) fn sections(&self) -> Vec<Vec<String>> {
        let mut sections = Vec::new();
        for event in &self.events {
            let mut lines = vec![format!("## event {}", visible(&event.name))];
            lines.extend(event.summary.clone());
            lines.extend(event.note.clone());
            lines.extend(event.body.iter().map(|line| format!("    {line}")));
            sections.push(lines);
        }
        if let Some((url, headers)) = &self.common {
            let mut lines = vec!["## every genuine delivery".to_owned(), url.clone()];
            lines.extend(headers.iter().map(|line| format!("    {line}")));
            sections.push(lines);
        }
        sections
    }
}

/// An event in one sentence: the coupon, the player, and what is granted. `None` if the body is not an
/// event.
fn event_summary(body: &str) -> Option<String> {
    let event: Event = if let Ok(event) = serde_json::from_str(body) {
        event
    } else {
        let event: ItemEvent = serde_json::from_str(body).ok()?;
        event.into_coupon_event()?
    };
    let data = &event.event_data;
    let items: Vec<String> = data.granted_items().iter().map(item).collect();
    let items = items.join(" and ");
    let mut summary = match event.kind() {
        Some(EventKind::ItemAdd | EventKind::ItemRemove) => {
            format!("{} of {items} for {}", event.event_type, data.player_id)
        }
        kind => {
            let mut summary = format!(
                "coupon {} grants {items} to {}",
                data.coupon.code, data.player_id
            );
            if kind.is_none() {
                summary = format!("{summary}; event_type {}", event.event_type);
            }
            summary
        }
    };
    if event.sandbox {
        summary.push_str("; sandbox");
    }
    match &event.trigger {
        Field::Value(trigger) if trigger == Event::TRIGGER_REDEEM => {}
        Field::Value(trigger) => summary = format!("{summary}; trigger {trigger}"),
        Field::Null => summary.push_str("; trigger null"),
        Field::Absent => summary.push_str("; no trigger"),
    }
    Some(summary)
}

fn item(item: &Item) -> String {
    let nested = item.nested_items.as_slice();
    let main = counted(item.quantity, &item.sku, &item.kind, nested);
    match item.fallback_item.value() {
        Some(fallback) => format!("{main}, or else {}", self::item(fallback)),
        None => main,
    }
}

fn counted(quantity: u64, sku: &str, kind: &ItemKind, nested: &[NestedItem]) -> String {
    let quantity = format!("{quantity} {sku}");
    if *kind == ItemKind::Item && nested.is_empty() {
        return quantity;
    }
    let nested = nested.iter().map(|item| {
        let inner = item.nested_items.as_slice();
        counted(item.quantity, &item.sku, &item.kind, inner)
    });
    let nested = nested.collect::<Vec<_>>().join(" and ");
    format!("{quantity} (a bundle of {nested})")
}
