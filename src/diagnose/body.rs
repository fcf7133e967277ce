//! Mistakes in the body: read twice, decoded incorrectly, changed in transit, or serialized again
//! by a JSON library.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::algorithm::sha256;
use super::json_text::in_all_styles;
use super::mistake::Mistake;
use super::python_text;

/// The largest body, in bytes, that is serialized again in the styles of common JSON libraries.
const RESERIALIZE_LIMIT: usize = 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A body that may have been signed instead of the given one, and the mistake that led to it.
pub(super) struct BodyVariant {
    pub(super) bytes: Vec<u8>,
    pub(super) mistake: Option<Mistake>,
}

const FIX: &str = "Sign and verify the raw bytes of the request before anything parses, decodes or \
                   logs them. If you checked a copy of the body, save the raw bytes instead.";

/// The given body first, then the others without duplicates. Also returns what was not tried.
pub(super) fn variants(body: &[u8]) -> (Vec<BodyVariant>, Vec<&'static str>) {
    let mut variants = vec![BodyVariant {
        bytes: body.to_vec(),
        mistake: None,
    }];
    let mut not_tried = Vec::new();
    let mut add = |bytes: Vec<u8>, mistake: Mistake| {
        if variants.iter().all(|variant| variant.bytes != bytes) {
            let mistake = Some(mistake);
            variants.push(BodyVariant { bytes, mistake });
        }
    };
    for (bytes, name, happened) in [ends_and_lines(body), encodings(body)].concat() {
        add(bytes, Mistake::new(name, happened, FIX));
    }
    let bare = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if body.len() > RESERIALIZE_LIMIT {
        not_tried.push("JSON serialized again");
    } else if let Ok(value) = serde_json::from_slice::<Value>(bare) {
        for (name, style, text) in in_all_styles(&value) {
            add(
                text,
                Mistake {
                    name: Cow::Owned(name),
                    happened: Cow::Owned(format!(
                        "The body was parsed and serialized again before it was signed: as JSON \
                         {style}."
                    )),
                    fix: Cow::Borrowed(FIX),
                },
            );
        }
        for (bytes, name, happened) in values(&value) {
            add(bytes, Mistake::new(name, happened, FIX));
        }
    }
    (variants, not_tried)
}

/// A body, the name of the mistake, and its description.
type NamedBody = (Vec<u8>, &'static str, &'static str);

/// Changes at the ends of a body and in its line breaks.
fn ends_and_lines(body: &[u8]) -> Vec<NamedBody> {
    let mut named = vec![
        (
            Vec::new(),
            "body_empty",
            "An empty body was signed: something else had already read the request's body.",
        ),
        (
            [body, b"\n"].concat(),
            "body_newline_added",
            "The body was signed with an added newline at the end.",
        ),
        (
            [body, b"\r\n"].concat(),
            "body_newline_added",
            "The body was signed with an added Windows newline (CR LF) at the end.",
        ),
    ];
    if let Some(rest) = body.strip_suffix(b"\n") {
        let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
        named.push((
            rest.to_vec(),
            "body_newline_removed",
            "The body was signed without the newline at the end.",
        ));
    }
    named.push((
        body.trim_ascii().to_vec(),
        "body_trimmed",
        "The body was signed without the whitespace around it.",
    ));
    let lines: Vec<&[u8]> = body
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    named.push((
        lines.join(&b"\n"[..]),
        "body_line_feeds",
        "The body was signed with Unix line breaks (LF), but the given body has Windows line \
         breaks (CR LF).",
    ));
    named.push((
        lines.join(&b"\r\n"[..]),
        "body_windows_line_breaks",
        "The body was signed with Windows line breaks (CR LF).",
    ));
    match body.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => named.push((
            rest.to_vec(),
            "body_byte_order_mark_removed",
            "The given body starts with a byte order mark, but was signed without it.",
        )),
        None => named.push((
            [BYTE_ORDER_MARK, body].concat(),
            "body_byte_order_mark_added",
            "The body was signed with a byte order mark before it.",
        )),
    }
    named
}

/// Changes of a body's encoding.
fn encodings(body: &[u8]) -> Vec<NamedBody> {
    let mut named = vec![
        (
            python_text::bytes(body),
            "body_python_bytes",
            "Python's `b'…'` text of the body was signed: bytes were formatted into a string \
             without `.decode()`.",
        ),
        (
            b"[object Object]".to_vec(),
            "body_object_object",
            "`[object Object]` was signed: JavaScript converted the parsed body to a string.",
        ),
        (
            STANDARD.encode(body).into_bytes(),
            "body_base64",
            "The base64 of the body was signed: some gateways pass the body on in base64.",
        ),
        (
            hex::encode(sha256(&[body])).into_bytes(),
            "body_hashed",
            "The hex SHA-256 of the body was signed, not the body.",
        ),
        (
            body.iter()
                .copied()
                .map(char::from)
                .collect::<String>()
                .into_bytes(),
            "body_decoded_as_latin_1",
            "The body was decoded as Latin-1 instead of UTF-8 before it was signed.",
        ),
    ];
    if let Ok(bytes) = STANDARD.decode(body.trim_ascii()) {
        named.push((
            bytes,
            "body_base64_decoded",
            "The given body is base64, but the decoded body was signed: some gateways pass the \
             body on in base64.",
        ));
    }
    if let Ok(text) = std::str::from_utf8(body) {
        named.push((
            Value::from(text).to_string().into_bytes(),
            "body_json_string",
            "The body was serialized twice before it was signed: as JSON inside a JSON string.",
        ));
        let latin_1 = text
            .chars()
            .map(u8::try_from)
            .collect::<Result<Vec<u8>, _>>();
        if let Ok(bytes) = latin_1 {
            named.push((
                bytes,
                "body_was_decoded_as_latin_1",
                "The given body was decoded as Latin-1 instead of UTF-8, but the original bytes \
                 were signed.",
            ));
        }
    }
    named
}

/// Changes of a parsed body that do not result in JSON.
fn values(value: &Value) -> Vec<NamedBody> {
    let mut named = vec![(
        python_text::value(value).into_bytes(),
        "body_python_dict",
        "Python's text of a dict, with single quotes, was signed: the parsed body was formatted \
         into a string.",
    )];
    if let Value::String(inner) = value {
        named.push((
            inner.clone().into_bytes(),
            "body_json_string_unwrapped",
            "The given body is a JSON string, but the text inside it was signed.",
        ));
    }
    named
}
