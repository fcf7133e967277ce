//! Whether the receiver accepts an event however its JSON is written: one that verifies JSON which it wrote
//! anew accepts only its own way of writing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Finding, body};
use crate::generate::BodyLayout;
use crate::run::plan::Plan;
use crate::run::run_context::RunContext;
use crate::verify::Verdict;

pub(super) const RAW_BODY: &str = "verify the signature over the raw bytes of the body, before anything decodes or \
                                   parses them: the usual traps are `express.json()`, an object as \
                                   `@RequestBody` in Spring, `request.json()` in FastAPI, model binding in ASP.NET, \
                                   and `json.Unmarshal` with `json.Marshal` in Go";

impl RunContext {
    /// Delivers the event that was accepted once more, in another layout. A sound receiver verifies it
    /// before it recognizes the key, so nothing more is granted.
    pub(super) async fn other_layout(&self, plan: &Plan) -> Option<Finding> {
        let subject = "JSON layout";
        let sent = body(plan)?;
        let event: Value = serde_json::from_slice(&sent).ok()?;
        let spaced = BodyLayout::Spaced.text(&event);
        let (text, layout) = if sent == spaced {
            (BodyLayout::Compact.text(&event), "without whitespace")
        } else {
            (spaced, "with a space after `:` and `,`")
        };
        let status = self.status(&self.signer, &text.into()).await;
        Some(match status {
            Some(200..300) => {
                Finding::passed(subject, format!("JSON {layout} is accepted as well"))
            }
            // These are not about the signature.
            None | Some(408 | 425 | 429) => {
                let message = "no clear response to the event in another layout".to_owned();
                Finding::new(subject, Verdict::NotChecked, message)
            }
            Some(status @ 400..500) => {
                let message = format!(
                    "JSON {layout} is refused ({status}), although the same event was accepted: the \
                     receiver verifies re-serialized JSON"
                );
                Finding::new(subject, Verdict::Failed, message).help(RAW_BODY)
            }
            Some(status) => {
                let message = format!("the handler fails if JSON is written {layout}: {status}");
                let finding = Finding::new(subject, Verdict::Failed, message);
                finding.help("look for the exception in the receiver's log")
            }
        })
    }

    /// How JSON is written that the receiver accepts, unlike compact JSON. Its text is ASCII, because a
    /// program that writes JSON anew may escape the rest.
    pub(super) async fn accepted_layout(&self, plan: &Plan) -> Option<&'static str> {
        let mut event: Value = serde_json::from_slice(&body(plan)?).ok()?;
        if let Some(name) = event.pointer_mut("/event_data/item/name") {
            *name = Value::from("Test item");
        }
        let compact = BodyLayout::Compact.text(&event);
        if self.accepts(&self.signer, &compact.into()).await {
            // So the characters matter, or a first delivery.
            return None;
        }
        let layouts = [
            (
                BodyLayout::Spaced.text(&event),
                "has a space after `:` and `,`",
            ),
            (
                BodyLayout::Compact.text(&sorted(&event)),
                "has its keys in alphabetical order",
            ),
            (
                BodyLayout::Indented.text(&event),
                "is indented by two spaces",
            ),
        ];
        for (text, accepted) in layouts {
            if self.accepts(&self.signer, &text.into()).await {
                return Some(accepted);
            }
        }
        None
    }
}

/// The value with the keys of every object in alphabetical order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(entries) => {
            let entries: BTreeMap<&String, &Value> = entries.iter().collect();
            let entries = entries.into_iter();
            let entries = entries.map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(entries.collect())
        }
        plain => plain.clone(),
    }
}
