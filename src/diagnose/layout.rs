//! Mistakes in the layout of the signed message: parts missing, in the wrong order, or joined with
//! anything but a dot.

use std::borrow::Cow;

use serde_json::Value;

use super::mistake::{Candidates, Mistake, mistakes};

pub(super) enum MessagePart {
    Timestamp,
    Body,
    Text(Cow<'static, str>),
}

mistakes! {
    "Sign `{timestamp}.{body}`: the text of X-Aghanim-Signature-Timestamp, a dot, and the raw body.";
    BODY_ONLY "body_only" "Only the body was signed, without the timestamp.";
    TIMESTAMP_ONLY "timestamp_only" "Only the timestamp was signed, without the body.";
    BODY_FIRST "body_first"
        "The timestamp and the body were signed in the wrong order: the body first.";
    NO_SEPARATOR "no_separator" "The dot between the timestamp and the body is missing.";
    COLON "separator_colon" "A colon was put between the timestamp and the body, not a dot.";
    COMMA "separator_comma" "A comma was put between the timestamp and the body, not a dot.";
    NEWLINE "separator_newline" "A newline was put between the timestamp and the body, not a dot.";
    SPACE "separator_space" "A space was put between the timestamp and the body, not a dot.";
    BAR "separator_bar" "A vertical bar was put between the timestamp and the body, not a dot.";
    HYPHEN "separator_hyphen" "A hyphen was put between the timestamp and the body, not a dot.";
    UNDERSCORE "separator_underscore"
        "An underscore was put between the timestamp and the body, not a dot.";
    SEMICOLON "separator_semicolon"
        "A semicolon was put between the timestamp and the body, not a dot.";
    WINDOWS_NEWLINE "separator_newline"
        "A Windows newline was put between the timestamp and the body, not a dot.";
    TAB "separator_tab" "A tab was put between the timestamp and the body, not a dot.";
    SLACK "layout_of_slack" "`v0:{timestamp}:{body}` was signed, which is Slack's layout.";
    STANDARD_WEBHOOKS "layout_of_standard_webhooks"
        "`{event_id}.{timestamp}.{body}` was signed, which is the layout of Standard Webhooks.";
}

const SEPARATORS: [(&str, Mistake); 11] = [
    ("", NO_SEPARATOR),
    (":", COLON),
    (",", COMMA),
    ("\n", NEWLINE),
    (" ", SPACE),
    ("|", BAR),
    ("-", HYPHEN),
    ("_", UNDERSCORE),
    (";", SEMICOLON),
    ("\r\n", WINDOWS_NEWLINE),
    ("\t", TAB),
];

pub(super) fn candidates(body: &[u8]) -> Candidates<Vec<MessagePart>> {
    use MessagePart::{Body, Text, Timestamp};
    let text = |text: &'static str| Text(text.into());
    let mut layouts = Candidates::correct(vec![Timestamp, text("."), Body]);
    layouts.push(vec![Body], [BODY_ONLY]);
    layouts.push(vec![Body, text("."), Timestamp], [BODY_FIRST]);
    for (separator, mistake) in SEPARATORS {
        layouts.push(vec![Timestamp, text(separator), Body], [mistake.clone()]);
        let swapped = vec![Body, text(separator), Timestamp];
        layouts.push(swapped, [BODY_FIRST, mistake]);
    }
    layouts.push(vec![Timestamp], [TIMESTAMP_ONLY]);
    layouts.push(vec![text("v0:"), Timestamp, text(":"), Body], [SLACK]);
    if let Some(id) = event_id(body) {
        let parts = vec![Text(id.into()), text("."), Timestamp, text("."), Body];
        layouts.push(parts, [STANDARD_WEBHOOKS]);
    }
    layouts
}

/// Writes the message. Returns `false` if it needs a timestamp and there is none.
pub(super) fn write(
    layout: &[MessagePart],
    timestamp: Option<&[u8]>,
    body: &[u8],
    message: &mut Vec<u8>,
) -> bool {
    for part in layout {
        match (part, timestamp) {
            (MessagePart::Timestamp, Some(timestamp)) => message.extend_from_slice(timestamp),
            (MessagePart::Timestamp, None) => return false,
            (MessagePart::Body, _) => message.extend_from_slice(body),
            (MessagePart::Text(text), _) => message.extend_from_slice(text.as_bytes()),
        }
    }
    true
}

fn event_id(body: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(body).ok()?;
    Some(event.get("event_id")?.as_str()?.to_owned())
}
