//! The events that a scenario delivers: each once, in words and as JSON, with what all genuine
//! deliveries have in common.

use super::body_lines::sent;
use super::event_in_words::event_in_words;
use super::forgery_of;
use super::request::{headers, shown_url};
use super::stable_text::{StableText, visible};
use crate::harness::{AttemptEnded, BodyContent};
use crate::report::scenario_story::ScenarioStory;

/// The events, and what is not repeated at each delivery.
pub(super) struct Events {
    events: Vec<ShownEvent>,
    /// Where genuine deliveries go, and their headers.
    common: Option<(String, Vec<String>)>,
}

struct ShownEvent {
    name: String,
    words: Option<String>,
    /// Why the body is not the genuine one.
    note: Option<&'static str>,
    body: Vec<String>,
}

impl Events {
    pub(super) fn of(story: &ScenarioStory, stable: &StableText<'_>) -> Self {
        let deliveries = || story.attempts.iter().filter(|one| one.event_name.is_some());
        let mut names: Vec<&String> = Vec::new();
        // Of those at the same moment, the one with the smallest number is the first.
        let mut in_order: Vec<&AttemptEnded> = deliveries().collect();
        in_order.sort_by_key(|one| (one.step, one.delivery, one.attempt));
        for name in in_order.iter().filter_map(|one| one.event_name.as_ref()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let events = names.into_iter().filter_map(|name| {
            let of_event = || {
                in_order
                    .iter()
                    .filter(|one| one.event_name.as_ref() == Some(name))
            };
            let tampered = |one: &AttemptEnded| forgery_of(one) == Some("tampered_body");
            let genuine = of_event().find(|one| !tampered(one));
            let note = genuine
                .is_none()
                .then_some("as the forgery tampered_body made it");
            let attempt = genuine.or_else(|| of_event().next())?;
            let body = &attempt.request.body;
            let words = match &body.content {
                BodyContent::Text(text) => event_in_words(text),
                BodyContent::Base64(_) => None,
            };
            Some(ShownEvent {
                name: name.clone(),
                words: words.map(|words| visible(&stable.text(&words))),
                note,
                body: sent(body, stable),
            })
        });
        let genuine = in_order.iter().find(|one| one.forgery.is_none());
        let common = genuine.map(|one| (shown_url(one, stable), headers(one, stable)));
        Self {
            events: events.collect(),
            common,
        }
    }

    /// The body of an event as it is shown.
    pub(super) fn body(&self, name: &str) -> &[String] {
        let event = self.events.iter().find(|event| event.name == name);
        event.map_or(&[], |event| &event.body)
    }

    /// The headers of a delivery that all genuine ones don't have, and those of theirs that it
    /// lacks.
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

    /// The sections on the events and on what their deliveries have in common.
    pub(super) fn sections(&self) -> Vec<Vec<String>> {
        let mut sections = Vec::new();
        for event in &self.events {
            let mut lines = vec![format!("## event {}", visible(&event.name))];
            lines.extend(event.words.clone());
            lines.extend(event.note.map(str::to_owned));
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
