//! What the events of a common problem have in common, and no event that was handled has: the first
//! thing to look for in the handler's code.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::run::AttemptEnded;
use crate::verify::Verdict;

/// The fewest events on each side for a feature to be mentioned.
const MIN_EVENTS: usize = 2;
/// The most features that are mentioned.
const SHOWN: usize = 2;

/// A property of an event, by its place in the table.
type Feature = usize;

/// An event by its scenario and its name there.
type EventKey = (usize, String);

struct EventBody {
    text: String,
    event: Value,
}

type HasFeature = fn(&EventBody) -> bool;

/// What is said of an event, and how to tell. The most telling first.
const FEATURES: [(&str, HasFeature); 26] = [
    (REWRITTEN, EventBody::differs_after_parsing),
    (NOT_COMPACT, EventBody::is_not_compact),
    (ESCAPED, EventBody::has_characters_that_php_escapes),
    ("`context` is null", |body| body.is_null("/context")),
    ("no `context`", |body| body.lacks("/context")),
    ("`context.player` is given", |body| {
        body.is_object("/context/player")
    }),
    ("`context.order` is given", |body| {
        body.is_object("/context/order")
    }),
    (NESTED_BUNDLE, EventBody::has_nested_bundle),
    (BUNDLE, |body| {
        body.at("/event_data/item/type")
            .is_some_and(|kind| kind == "bundle")
    }),
    ("`fallback_item` is given", |body| {
        body.is_object("/event_data/item/fallback_item")
    }),
    ("`fallback_item` is null", |body| {
        body.is_null("/event_data/item/fallback_item")
    }),
    ("no `item`", |body| body.lacks("/event_data/item")),
    ("`items` is given", |body| {
        body.at("/event_data/items").is_some()
    }),
    ("`item.description` is null", |body| {
        body.is_null("/event_data/item/description")
    }),
    ("no `item.price`", |body| {
        body.lacks("/event_data/item/price")
    }),
    (WIDE, |body| {
        body.has_quantity_over(i32::MAX.unsigned_abs().into())
    }),
    ("`item.sku` is longer than 100 characters", |body| {
        body.is_longer("/event_data/item/sku", 100)
    }),
    (BEYOND_ASCII, |body| !body.text.is_ascii()),
    ("characters of four bytes in UTF-8, such as emoji", |body| {
        body.has_character(|character| character.len_utf8() == 4)
    }),
    ("`sandbox` is true", |body| {
        body.at("/sandbox") == Some(&Value::Bool(true))
    }),
    ("`trigger` is `test`", |body| {
        body.at("/trigger").is_some_and(|trigger| trigger == "test")
    }),
    ("`trigger` is null", |body| body.is_null("/trigger")),
    ("`request_id` is null", |body| body.is_null("/request_id")),
    ("`request_id` is given", |body| {
        body.at("/request_id").is_some_and(Value::is_string)
    }),
    ("`idempotency_key` is longer than 64 characters", |body| {
        body.is_longer("/idempotency_key", 64)
    }),
    ("another `event_type` than coupon.redeemed", |body| {
        body.at("/event_type")
            .is_some_and(|kind| kind != "coupon.redeemed")
    }),
];

const NESTED_BUNDLE: &str = "a bundle in a bundle";
const BUNDLE: &str = "the item is a bundle";
const BUNDLE_HELP: &str = "walk `nested_items` recursively, because a bundle can contain bundles, and grant every \
                           innermost item in one transaction with the key; if the game grants bundles by their \
                           own SKU, set `policy: { bundles: sku }` in the profile";
const WIDE: &str = "a quantity over 2147483647";
pub(super) const WIDE_HELP: &str = "use a 64-bit type from the parser to the column: `long` instead of `int` in Java \
                                    and C#, `BIGINT` instead of `INT` in SQL";
const REWRITTEN: &str =
    "JSON that is different after a parser read it and wrote it again without whitespace";
const ESCAPED: &str = "characters that PHP's `json_encode` escapes: beyond ASCII, or slashes";
const BEYOND_ASCII: &str = "bytes above 0x7F in the body: characters beyond ASCII, not escaped";
const NOT_COMPACT: &str = "JSON with whitespace or unnecessary escapes";
/// Features of events that decoding the body, or parsing and writing the JSON, changes.
const OF_REWRITING: [&str; 4] = [REWRITTEN, NOT_COMPACT, ESCAPED, BEYOND_ASCII];
const REWRITTEN_HELP: &str = "if the signature is verified over a body that was decoded, or over JSON that was parsed \
                              and written again, verify it over the raw bytes of the body: the usual traps are \
                              `express.json()`, an object as `@RequestBody` in Spring, `request.json()` in \
                              FastAPI, model binding in ASP.NET, and `json.Unmarshal` with `json.Marshal` in Go";

/// The features of some events, if the bodies of all are known.
#[derive(Debug, Default)]
pub(super) struct EventFeatures {
    events: BTreeSet<EventKey>,
    /// Of all events, and of any event.
    of_all: Option<BTreeSet<Feature>>,
    of_any: BTreeSet<Feature>,
    has_unknown: bool,
}

/// The features of the events of the worst checks of a problem: a warning may have another reason.
#[derive(Debug, Default)]
pub(super) struct WorstEvents {
    verdict: Option<Verdict>,
    features: EventFeatures,
}

impl WorstEvents {
    pub(super) fn observe(&mut self, verdict: Verdict, attempt: &AttemptEnded) {
        let mut features = EventFeatures::default();
        features.observe(attempt);
        self.merge(Self {
            verdict: Some(verdict),
            features,
        });
    }

    pub(super) fn merge(&mut self, other: Self) {
        match other.verdict.cmp(&self.verdict) {
            Ordering::Greater => *self = other,
            Ordering::Equal => self.features.merge(other.features),
            Ordering::Less => {}
        }
    }

    /// What all these events have, and none of the `handled` ones.
    pub(super) fn unlike(&self, handled: &EventFeatures, how: &str) -> Option<CommonFeatures> {
        self.features.unlike(handled, how)
    }

    /// Whether all these events are bundles in bundles, and none of the `handled` ones is.
    pub(super) fn are_only_nested_bundles(&self, handled: &EventFeatures) -> bool {
        let has = |features: &BTreeSet<Feature>| {
            features
                .iter()
                .any(|feature| FEATURES[*feature].0 == NESTED_BUNDLE)
        };
        let is_known = !self.features.has_unknown && !handled.has_unknown;
        is_known && self.features.of_all.as_ref().is_some_and(has) && !has(&handled.of_any)
    }
}

/// What failing events have in common.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CommonFeatures {
    pub(super) text: String,
    is_wide: bool,
    is_of_bundles: bool,
    is_rewritten: bool,
}

impl CommonFeatures {
    /// What to do about it.
    pub(super) fn help(&self, is_refusal: bool) -> Option<&'static str> {
        if self.is_wide {
            Some(WIDE_HELP)
        } else if self.is_of_bundles && !is_refusal {
            Some(BUNDLE_HELP)
        } else {
            (self.is_rewritten && is_refusal).then_some(REWRITTEN_HELP)
        }
    }
}

impl EventFeatures {
    /// Adds the event of an attempt.
    pub(super) fn observe(&mut self, attempt: &AttemptEnded) {
        let Some(name) = attempt.event_name.clone() else {
            return;
        };
        if self.events.insert((attempt.scenario, name)) {
            let body = &attempt.request.body;
            let text = body
                .bytes()
                .and_then(|bytes| String::from_utf8(bytes.into_owned()).ok());
            let text = text.filter(|_| !body.truncated);
            self.add(text.and_then(features));
        }
    }

    fn add(&mut self, features: Option<BTreeSet<Feature>>) {
        let Some(features) = features else {
            self.has_unknown = true;
            return;
        };
        self.of_any.extend(&features);
        let of_all = match self.of_all.take() {
            Some(known) => &known & &features,
            None => features,
        };
        self.of_all = Some(of_all);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.events.extend(other.events);
        self.of_any.extend(other.of_any);
        self.has_unknown |= other.has_unknown;
        self.of_all = match (self.of_all.take(), other.of_all) {
            (Some(one), Some(two)) => Some(&one & &two),
            (one, two) => one.or(two),
        };
    }

    /// What all these events have, and none of the `handled` ones.
    pub(super) fn unlike(&self, handled: &Self, how: &str) -> Option<CommonFeatures> {
        let is_known = !self.has_unknown && !handled.has_unknown;
        let is_enough = self.events.len().min(handled.events.len()) >= MIN_EVENTS;
        let of_all = self.of_all.as_ref().filter(|_| is_known && is_enough)?;
        let own = of_all.difference(&handled.of_any);
        let own: Vec<&str> = own.map(|feature| FEATURES[*feature].0).collect();
        let shown = own.iter().take(SHOWN).copied();
        let shown = shown.collect::<Vec<_>>().join(", and ");
        let (events, handled) = (self.events.len(), handled.events.len());
        (!own.is_empty()).then(|| CommonFeatures {
            text: format!(
                "in common: {shown} (all {events} of these events, and none of the {handled} that are \
                 {how})"
            ),
            is_wide: own.contains(&WIDE),
            is_of_bundles: own.contains(&NESTED_BUNDLE) || own.contains(&BUNDLE),
            is_rewritten: own.iter().any(|feature| OF_REWRITING.contains(feature)),
        })
    }
}

/// Whether an event has keys that no document names, which are rarely why it was not handled.
pub(super) fn has_undocumented_keys(attempt: &AttemptEnded) -> bool {
    attempt
        .request
        .body
        .json()
        .is_some_and(|event| has_others(&event))
}

/// The keys of events and their parts. Those in `order` and `player` are not documented.
const DOCUMENTED: &str = "event_type event_data event_time event_id idempotency_key request_id sandbox trigger \
                          transaction_id context game_id player_id coupon item items reason item_id code sku \
                          redeemed_at id name description quantity price price_decimal currency type nested_items \
                          fallback_item order player";

fn has_others(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().any(has_others),
        Value::Object(entries) => entries.iter().any(|(key, value)| {
            let is_open = matches!(&**key, "order" | "player");
            !DOCUMENTED.split(' ').any(|known| known == key) || !is_open && has_others(value)
        }),
        _ => false,
    }
}

/// The features of an event; `None` if the text is not JSON.
fn features(text: String) -> Option<BTreeSet<Feature>> {
    let event = serde_json::from_str(&text).ok()?;
    let body = EventBody { text, event };
    let all = FEATURES.iter().enumerate();
    let own = all.filter(|(_, (_, has))| has(&body));
    Some(own.map(|(feature, _)| feature).collect())
}

impl EventBody {
    fn at(&self, pointer: &str) -> Option<&Value> {
        self.event.pointer(pointer)
    }

    fn is_null(&self, pointer: &str) -> bool {
        self.at(pointer).is_some_and(Value::is_null)
    }

    fn is_object(&self, pointer: &str) -> bool {
        self.at(pointer).is_some_and(Value::is_object)
    }

    fn is_longer(&self, pointer: &str, characters: usize) -> bool {
        let text = self.at(pointer).and_then(Value::as_str);
        text.is_some_and(|text| text.chars().count() > characters)
    }

    /// Whether the parent is an object without this key.
    fn lacks(&self, pointer: &str) -> bool {
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.is_object(parent) && self.at(pointer).is_none()
    }

    fn differs_after_parsing(&self) -> bool {
        let written = as_javascript(&self.event).to_string();
        written != self.text
    }

    /// Whether a writer that keeps the numbers changes the text.
    fn is_not_compact(&self) -> bool {
        let written = self.event.to_string();
        written != self.text
    }

    /// Whether a slash or a character beyond ASCII is in the text as it is. An escape of one is verified
    /// as sent.
    fn has_characters_that_php_escapes(&self) -> bool {
        !self.text.is_ascii() || self.text.replace("\\/", "").contains('/')
    }

    fn has_nested_bundle(&self) -> bool {
        let nested = self.at("/event_data/item/nested_items");
        let nested = nested.and_then(Value::as_array);
        let is_bundle = |item: &Value| item.get("type").is_some_and(|kind| kind == "bundle");
        nested.is_some_and(|items| items.iter().any(is_bundle))
    }

    fn has_quantity_over(&self, most: u64) -> bool {
        any(&self.event, &|value| {
            let quantity = value.get("quantity").and_then(Value::as_u64);
            quantity.is_some_and(|quantity| quantity > most)
        })
    }

    fn has_character(&self, is: impl Fn(char) -> bool) -> bool {
        any(&self.event, &|value| {
            value.as_str().is_some_and(|text| text.contains(&is))
        })
    }
}

/// Whether a value or a part of it is like this.
fn any(value: &Value, is: &dyn Fn(&Value) -> bool) -> bool {
    is(value)
        || match value {
            Value::Array(items) => items.iter().any(|item| any(item, is)),
            Value::Object(entries) => entries.values().any(|entry| any(entry, is)),
            _ => false,
        }
}

/// The value as JavaScript keeps it: all numbers are doubles, and whole ones have no fraction.
fn as_javascript(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let double = number.as_f64().unwrap_or_default();
            let whole = double.to_string().parse::<i64>();
            whole.map_or_else(|_| Value::from(double), Value::from)
        }
        Value::Array(items) => items.iter().map(as_javascript).collect(),
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| (key.clone(), as_javascript(value)));
            Value::Object(entries.collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The features of these bodies.
    fn of(bodies: &[&str]) -> EventFeatures {
        let mut all = EventFeatures::default();
        for (number, body) in bodies.iter().enumerate() {
            all.events.insert((number, "coupon".to_owned()));
            all.add(features((*body).to_owned()));
        }
        all
    }

    fn common(failing: &[&str], handled: &[&str]) -> Option<String> {
        let common = of(failing).unlike(&of(handled), "accepted");
        common.map(|common| common.text)
    }

    const NULL: &str = r#"{"context":null,"sandbox":false}"#;
    const NULL_SANDBOX: &str = r#"{"context":null,"sandbox":true}"#;
    const PLAYER: &str = r#"{"context":{"player":{}},"sandbox":false}"#;
    const ORDER: &str = r#"{"context":{"order":{}},"sandbox":false}"#;

    #[test]
    fn only_what_all_failing_events_and_no_other_have_is_said() {
        let said = "in common: `context` is null (all 2 of these events, and none of the 2 that are \
                    accepted)";
        let found = common(&[NULL, NULL_SANDBOX], &[PLAYER, ORDER]);
        assert_eq!(found.as_deref(), Some(said));
        for (failing, handled) in [
            // An accepted event has it, too.
            (&[NULL, NULL_SANDBOX][..], &[PLAYER, ORDER, NULL][..]),
            // A failing event does not have it.
            (&[NULL, PLAYER], &[ORDER, ORDER]),
            // Too few events.
            (&[NULL], &[PLAYER, ORDER]),
            (&[NULL, NULL], &[PLAYER]),
            // Nothing is known about an event.
            (&[NULL, NULL, "{"], &[PLAYER, ORDER]),
            (&[NULL, NULL], &[PLAYER, ORDER, "{"]),
        ] {
            assert_eq!(common(failing, handled), None, "{failing:?} {handled:?}");
        }
    }

    #[test]
    fn groups_that_are_merged_have_in_common_what_both_have() {
        let mut merged = of(&[NULL]);
        let mut other = EventFeatures::default();
        other.events.insert((7, "other".to_owned()));
        other.add(features(NULL_SANDBOX.to_owned()));
        merged.merge(other);
        let handled = of(&[PLAYER, ORDER]);
        let text = merged.unlike(&handled, "accepted").map(|found| found.text);
        let text = text.expect("something in common");
        assert!(text.contains("`context` is null (all 2"), "{text}");
        assert!(!text.contains("sandbox"), "{text}");
    }

    #[test]
    fn json_that_javascript_writes_differently_points_to_the_signature() {
        let written =
            |text: &str| features(text.to_owned()).is_some_and(|found| found.contains(&0));
        for same in [
            r#"{"price":7.5,"quantity":9007199254740992,"name":"\"é\"\n"}"#,
            "[-1,0.001,null,true]",
        ] {
            assert!(!written(same), "{same}");
        }
        for other in [
            r#"{"price":750.0}"#,
            "[9007199254740993]",
            "[1, 2]",
            r#"["\u00e9"]"#,
            r#"["\/"]"#,
            "[1]\n",
        ] {
            assert!(written(other), "{other}");
        }
        let found = of(&["[1.0]", "[2.0]"]).unlike(&of(&["[1]", "[2]"]), "accepted");
        let found = found.expect("something in common");
        assert_eq!(found.help(true), Some(REWRITTEN_HELP));
        assert_eq!(found.help(false), None);
    }

    /// A receiver that decodes the body as ASCII before it verifies accepts the layout `escaped`.
    #[test]
    fn an_escaped_character_does_not_hide_unescaped_ones() {
        let failing = [r#"{"name":"é"}"#, r#"{"name":"💎"}"#];
        let accepted = [r#"{"name":"\u00e9"}"#, r#"{"name":"a/b"}"#];
        let found = common(&failing, &accepted).expect("something in common");
        assert!(found.contains("bytes above 0x7F"), "{found}");
        assert!(!found.contains("PHP"), "{found}");
    }

    /// Most parsers keep `20.0` and large numbers, unlike those of JavaScript.
    #[test]
    fn json_that_a_writer_that_keeps_numbers_changes_points_to_the_signature() {
        let found = of(&["[1, 2.0]", r#"["\u0041"]"#]).unlike(&of(&["[1.0]", "[2.0]"]), "accepted");
        let found = found.expect("something in common");
        assert!(found.text.contains(NOT_COMPACT), "{}", found.text);
        assert_eq!(found.help(true), Some(REWRITTEN_HELP));
    }

    #[test]
    fn every_feature_is_found_in_an_event_that_has_it() {
        let item = |item: &str| format!(r#"{{"event_data":{{"item":{item}}}}}"#);
        let long = "x".repeat(101);
        let bodies = [
            "[1.0]".to_owned(),
            "[1.0, 2]".to_owned(),
            r#"["a/b"]"#.to_owned(),
            r#"{"context":null}"#.to_owned(),
            "{}".to_owned(),
            r#"{"context":{"player":{}}}"#.to_owned(),
            r#"{"context":{"order":{}}}"#.to_owned(),
            item(r#"{"nested_items":[{"type":"bundle"}]}"#),
            item(r#"{"type":"bundle"}"#),
            item(r#"{"fallback_item":{}}"#),
            item(r#"{"fallback_item":null}"#),
            r#"{"event_data":{}}"#.to_owned(),
            r#"{"event_data":{"items":[]}}"#.to_owned(),
            item(r#"{"description":null}"#),
            item("{}"),
            item(r#"{"quantity":2147483648}"#),
            item(&format!(r#"{{"sku":"{long}"}}"#)),
            r#"["é"]"#.to_owned(),
            r#"["💎"]"#.to_owned(),
            r#"{"sandbox":true}"#.to_owned(),
            r#"{"trigger":"test"}"#.to_owned(),
            r#"{"trigger":null}"#.to_owned(),
            r#"{"request_id":null}"#.to_owned(),
            r#"{"request_id":"a"}"#.to_owned(),
            format!(r#"{{"idempotency_key":"{long}"}}"#),
            r#"{"event_type":"item.add"}"#.to_owned(),
        ];
        assert_eq!(bodies.len(), FEATURES.len());
        let plain =
            r#"{"event_type":"coupon.redeemed","event_data":{"item":{"price":1}},"context":{}}"#;
        assert_eq!(features(plain.to_owned()), Some(BTreeSet::new()));
        for (feature, body) in bodies.iter().enumerate() {
            let found = features(body.clone()).expect("JSON");
            assert!(
                found.contains(&feature),
                "{} in {body}",
                FEATURES[feature].0
            );
        }
    }
}
