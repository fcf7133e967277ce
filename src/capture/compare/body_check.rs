//! Bodies: keys, types, order, the form of IDs and the layout.

use super::difference::{DifferenceName as Name, Differences};
use super::event_text::{ObjectText, ValueType, member_place, objects};
use super::expectation::{Expectation, KindForm, ObjectForm, ids};
use super::id_form::IdForm;
use super::layout::{Layout, Surrounding, Whitespace};
use crate::capture::recorded_delivery::RecordedDelivery;
use crate::generate::BodyLayout;
use crate::protocol::EventKind;

/// Public examples have transaction IDs of this length, too. `[P]`
const LONG_TRANSACTION_ID: &str = "whtx_eCacGbJVbvToOgzjXUgOCitkQE";

pub(super) fn check(
    expected: &Expectation,
    number: usize,
    delivery: &RecordedDelivery,
    found: &mut Differences,
) {
    let body = &delivery.request.body;
    let Some((text, objects)) = body
        .text
        .as_ref()
        .and_then(|text| Some((text, objects(text)?)))
    else {
        return;
    };
    if !body.rewritten {
        check_layout(expected.layout, number, text, found);
    }
    let event_type = delivery.event().and_then(|event| {
        let event_type = event["event_type"].as_str()?;
        Some(event_type.to_owned())
    });
    let event_type = event_type.unwrap_or_default();
    let kind = EventKind::of_type(&event_type);
    if kind.is_none() {
        found.add(Name::EventType, event_type.clone(), number, || {
            ("aghook does not know this event type".to_owned(), None)
        });
    }
    let form = kind.unwrap_or_default().name();
    let Some(form) = expected.kinds.get(form) else {
        return;
    };
    for object in &objects {
        // Of an unknown event type, only the envelope is known.
        if kind.is_none() && object.place.starts_with("event_data") {
            continue;
        }
        if let Some(object_form) = form.objects.get(&object.place) {
            check_keys(object_form, number, object, text, found);
            if !body.rewritten {
                check_order(object_form, number, object, found);
            }
        }
        check_ids(form, number, object, text, found);
    }
}

fn check_keys(
    form: &ObjectForm,
    number: usize,
    object: &ObjectText,
    text: &str,
    found: &mut Differences,
) {
    for member in &object.members {
        let place = member_place(&object.place, &member.key);
        let written = || Some(text[member.value.clone()].to_owned());
        let seen = member.value_type;
        let Some(types) = form.types.get(&member.key) else {
            found.add(Name::UnknownKey, place, number, || {
                (
                    format!("aghook does not send this key; it is {seen}"),
                    written(),
                )
            });
            continue;
        };
        // An amount in a currency without minor units is whole.
        let is_whole = seen == ValueType::Integer && types.contains(&ValueType::Decimal);
        if types.contains(&seen) || is_whole {
            continue;
        }
        if seen == ValueType::Null {
            found.add(Name::NullValue, place, number, || {
                ("it is null, which aghook never sends".to_owned(), None)
            });
            continue;
        }
        let known: Vec<String> = types.iter().map(ToString::to_string).collect();
        found.add(Name::ValueType, place, number, || {
            let known = known.join(" or ");
            (format!("it is {seen}; aghook sends {known}"), written())
        });
    }
    for key in form.keys.iter().filter(|key| form.is_required(key)) {
        if !object.members.iter().any(|member| member.key == *key) {
            let place = member_place(&object.place, key);
            found.add(Name::MissingKey, place, number, || {
                ("it is absent; aghook always sends it".to_owned(), None)
            });
        }
    }
}

fn check_order(form: &ObjectForm, number: usize, object: &ObjectText, found: &mut Differences) {
    let keys = object.members.iter().map(|member| &member.key);
    let seen: Vec<&String> = keys.filter(|key| form.keys.contains(key)).collect();
    let position = |key: &String| form.keys.iter().position(|known| known == key);
    if !seen.is_sorted_by_key(|key| position(key)) {
        found.add(Name::KeyOrder, object.place.clone(), number, || {
            let order = |keys: Vec<&str>| keys.join(", ");
            let known = form.keys.iter().filter(|key| seen.contains(key));
            let known = order(known.map(String::as_str).collect());
            let seen = order(seen.iter().map(|key| key.as_str()).collect());
            (
                format!("its keys have another order than {known}"),
                Some(seen),
            )
        });
    }
}

fn check_ids(
    form: &KindForm,
    number: usize,
    object: &ObjectText,
    text: &str,
    found: &mut Differences,
) {
    for (place, id) in ids(object, text) {
        let seen = IdForm::of(&id);
        let Some(known) = form.ids.get(&place) else {
            continue;
        };
        let is_long = place == "transaction_id" && seen == IdForm::of(LONG_TRANSACTION_ID);
        if known.contains(&seen) || is_long {
            continue;
        }
        // Short IDs of one form can look like another by chance, so the first form names all.
        found.add(Name::IdForm, place, number, || {
            let known = known.iter().map(ToString::to_string);
            let known = known.collect::<Vec<_>>().join(", or ");
            (format!("it is {seen}; aghook sends {known}"), Some(id))
        });
    }
}

fn check_layout(expected: BodyLayout, number: usize, text: &str, found: &mut Differences) {
    let seen = Layout::of(text);
    let whitespace = match expected {
        BodyLayout::Spaced | BodyLayout::SpacedEscaped => Whitespace::Spaced,
        BodyLayout::Indented => Whitespace::Indented,
        BodyLayout::IndentedCrlf => Whitespace::IndentedCrlf,
        _ => Whitespace::Compact,
    };
    let start = || {
        Some(
            text.chars()
                .take(60)
                .collect::<String>()
                .escape_debug()
                .to_string(),
        )
    };
    if seen.whitespace != whitespace {
        found.add(Name::Whitespace, "", number, || {
            let Layout {
                whitespace: seen, ..
            } = seen;
            (
                format!("bodies are written {seen}; aghook writes them {whitespace}"),
                start(),
            )
        });
    }
    if let Some(difference) = seen.escapes.difference(expected) {
        found.add(Name::Escapes, "", number, || (difference.to_owned(), None));
    }
    let surrounding = Surrounding {
        before: expected == BodyLayout::LeadingWhitespace,
        after: expected == BodyLayout::TrailingNewline,
    };
    if seen.surrounding != surrounding {
        found.add(Name::SurroundingSpace, "", number, || {
            let what = match seen.surrounding {
                Surrounding { before: true, .. } => "there is whitespace before the JSON",
                Surrounding { after: true, .. } => "there is whitespace after the JSON",
                _ => "there is no whitespace around the JSON",
            };
            (what.to_owned(), start())
        });
    }
}
