//! Mistakes in the layout of the signed message: parts left out, in another order, or joined
//! with something other than one dot.

use serde_json::Value;

use super::Mistake;

/// A piece of the signed message.
enum Part {
    Timestamp,
    Body,
    Text(String),
}

/// How timestamp and body are put together, and what is wrong with that.
pub(super) struct Layout {
    parts: Vec<Part>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Layout {
    /// Writes the message. Says `false` where it needs a timestamp and there is none.
    pub(super) fn write(
        &self,
        timestamp: Option<&[u8]>,
        body: &[u8],
        message: &mut Vec<u8>,
    ) -> bool {
        for part in &self.parts {
            match (part, timestamp) {
                (Part::Timestamp, Some(timestamp)) => message.extend_from_slice(timestamp),
                (Part::Timestamp, None) => return false,
                (Part::Body, _) => message.extend_from_slice(body),
                (Part::Text(text), _) => message.extend_from_slice(text.as_bytes()),
            }
        }
        true
    }
}

const RIGHT: &str = "Sign `{timestamp}.{body}`: the text of X-Aghanim-Signature-Timestamp, one \
                     dot, the raw body.";

const BODY_FIRST: Mistake = Mistake::new(
    "body_first",
    "The signature was made over the body and then the timestamp: the other order.",
    RIGHT,
);

const SEPARATORS: [(&str, &str, &str); 11] = [
    (
        "",
        "no_separator",
        "Nothing was put between the timestamp and the body.",
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

/// The right layout first, then the wrong ones.
pub(super) fn variants(body: &[u8]) -> Vec<Layout> {
    use Part::{Body, Timestamp};
    let text = |text: &str| Part::Text(text.to_owned());
    let wrong = |parts, name, happened, fix| Layout {
        parts,
        mistakes: vec![Mistake::new(name, happened, fix)],
    };
    let mut layouts = vec![
        Layout {
            parts: vec![Timestamp, text("."), Body],
            mistakes: Vec::new(),
        },
        wrong(
            vec![Body],
            "body_only",
            "The signature was made over the body alone, without the timestamp.",
            RIGHT,
        ),
        Layout {
            parts: vec![Body, text("."), Timestamp],
            mistakes: vec![BODY_FIRST],
        },
    ];
    for (separator, name, happened) in SEPARATORS {
        let mistake = Mistake::new(name, happened, RIGHT);
        layouts.push(Layout {
            parts: vec![Timestamp, text(separator), Body],
            mistakes: vec![mistake.clone()],
        });
        layouts.push(Layout {
            parts: vec![Body, text(separator), Timestamp],
            mistakes: vec![BODY_FIRST, mistake],
        });
    }
    layouts.push(wrong(
        vec![Timestamp],
        "timestamp_only",
        "The signature was made over the timestamp alone, without the body.",
        RIGHT,
    ));
    layouts.push(wrong(
        vec![text("v0:"), Timestamp, text(":"), Body],
        "layout_of_slack",
        "The signature was made over `v0:{timestamp}:{body}`, which is Slack's layout.",
        RIGHT,
    ));
    if let Some(id) = event_id(body) {
        layouts.push(wrong(
            vec![Part::Text(id), text("."), Timestamp, text("."), Body],
            "layout_of_standard_webhooks",
            "The signature was made over `{event_id}.{timestamp}.{body}`, which is the layout of \
             Standard Webhooks.",
            RIGHT,
        ));
    }
    layouts
}

fn event_id(body: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(body).ok()?;
    Some(event.get("event_id")?.as_str()?.to_owned())
}
