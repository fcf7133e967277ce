//! Mistakes in the layout of the signed message: parts missing, in the wrong order, or joined with
//! anything but a dot.

use serde_json::Value;

use super::mistake::Mistake;

/// A part of the signed message.
enum MessagePart {
    Timestamp,
    Body,
    Text(String),
}

/// The parts of the signed message, and the mistakes in them.
pub(super) struct MessageLayout {
    parts: Vec<MessagePart>,
    pub(super) mistakes: Vec<Mistake>,
}

impl MessageLayout {
    /// Writes the message. Returns `false` if it needs a timestamp and there is none.
    pub(super) fn write(
        &self,
        timestamp: Option<&[u8]>,
        body: &[u8],
        message: &mut Vec<u8>,
    ) -> bool {
        for part in &self.parts {
            match (part, timestamp) {
                (MessagePart::Timestamp, Some(timestamp)) => message.extend_from_slice(timestamp),
                (MessagePart::Timestamp, None) => return false,
                (MessagePart::Body, _) => message.extend_from_slice(body),
                (MessagePart::Text(text), _) => message.extend_from_slice(text.as_bytes()),
            }
        }
        true
    }
}

const FIX: &str = "Sign `{timestamp}.{body}`: the text of X-Aghanim-Signature-Timestamp, a dot, \
                   and the raw body.";

const BODY_FIRST: Mistake = Mistake::new(
    "body_first",
    "The timestamp and the body were signed in the wrong order: the body first.",
    FIX,
);

const SEPARATORS: [(&str, &str, &str); 11] = [
    (
        "",
        "no_separator",
        "The dot between the timestamp and the body is missing.",
    ),
    (
        ":",
        "separator_colon",
        "A colon was put between the timestamp and the body, not a dot.",
    ),
    (
        ",",
        "separator_comma",
        "A comma was put between the timestamp and the body, not a dot.",
    ),
    (
        "\n",
        "separator_newline",
        "A newline was put between the timestamp and the body, not a dot.",
    ),
    (
        " ",
        "separator_space",
        "A space was put between the timestamp and the body, not a dot.",
    ),
    (
        "|",
        "separator_bar",
        "A vertical bar was put between the timestamp and the body, not a dot.",
    ),
    (
        "-",
        "separator_hyphen",
        "A hyphen was put between the timestamp and the body, not a dot.",
    ),
    (
        "_",
        "separator_underscore",
        "An underscore was put between the timestamp and the body, not a dot.",
    ),
    (
        ";",
        "separator_semicolon",
        "A semicolon was put between the timestamp and the body, not a dot.",
    ),
    (
        "\r\n",
        "separator_newline",
        "A Windows newline was put between the timestamp and the body, not a dot.",
    ),
    (
        "\t",
        "separator_tab",
        "A tab was put between the timestamp and the body, not a dot.",
    ),
];

/// The correct layout first, then the wrong ones.
pub(super) fn variants(body: &[u8]) -> Vec<MessageLayout> {
    use MessagePart::{Body, Timestamp};
    let text = |text: &str| MessagePart::Text(text.to_owned());
    let wrong = |parts, name, happened, fix| MessageLayout {
        parts,
        mistakes: vec![Mistake::new(name, happened, fix)],
    };
    let mut layouts = vec![
        MessageLayout {
            parts: vec![Timestamp, text("."), Body],
            mistakes: Vec::new(),
        },
        wrong(
            vec![Body],
            "body_only",
            "Only the body was signed, without the timestamp.",
            FIX,
        ),
        MessageLayout {
            parts: vec![Body, text("."), Timestamp],
            mistakes: vec![BODY_FIRST],
        },
    ];
    for (separator, name, happened) in SEPARATORS {
        let mistake = Mistake::new(name, happened, FIX);
        layouts.push(MessageLayout {
            parts: vec![Timestamp, text(separator), Body],
            mistakes: vec![mistake.clone()],
        });
        layouts.push(MessageLayout {
            parts: vec![Body, text(separator), Timestamp],
            mistakes: vec![BODY_FIRST, mistake],
        });
    }
    layouts.push(wrong(
        vec![Timestamp],
        "timestamp_only",
        "Only the timestamp was signed, without the body.",
        FIX,
    ));
    layouts.push(wrong(
        vec![text("v0:"), Timestamp, text(":"), Body],
        "layout_of_slack",
        "`v0:{timestamp}:{body}` was signed, which is Slack's layout.",
        FIX,
    ));
    if let Some(id) = event_id(body) {
        layouts.push(wrong(
            vec![MessagePart::Text(id), text("."), Timestamp, text("."), Body],
            "layout_of_standard_webhooks",
            "`{event_id}.{timestamp}.{body}` was signed, which is the layout of Standard Webhooks.",
            FIX,
        ));
    }
    layouts
}

fn event_id(body: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(body).ok()?;
    Some(event.get("event_id")?.as_str()?.to_owned())
}
