//! Mistakes in the body: read twice, changed in transit, or serialized again by a JSON library.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::algorithm::sha256;
use super::charset;
use super::json_text::in_all_styles;
use super::mistake::{Candidates, Mistake, mistakes};
use super::python_text;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

const FIX: &str = "Sign and verify the raw bytes of the request before anything parses, decodes or \
                   logs them. If you checked a copy of the body, save the raw bytes instead.";

mistakes! {
    FIX;
    EMPTY "body_empty"
        "An empty body was signed: something else had already read the request's body.";
    NEWLINE_ADDED "body_newline_added" "The body was signed with an added newline at the end.";
    WINDOWS_NEWLINE_ADDED "body_newline_added"
        "The body was signed with an added Windows newline (CR LF) at the end.";
    NEWLINE_REMOVED "body_newline_removed" "The body was signed without the newline at the end.";
    TRIMMED "body_trimmed" "The body was signed without the whitespace around it.";
    LINE_FEEDS "body_line_feeds"
        "The body was signed with Unix line breaks (LF), but the given body has Windows line breaks \
         (CR LF).";
    WINDOWS_LINE_BREAKS "body_windows_line_breaks"
        "The body was signed with Windows line breaks (CR LF).";
    LINE_BREAKS_REMOVED "body_line_breaks_removed"
        "The body was signed without its line breaks, as code that reads line by line joins them.";
    SPACES_REMOVED "body_spaces_removed"
        "The body was signed without any of its spaces, not even those in texts.";
    MARK_ADDED "body_byte_order_mark_added"
        "The body was signed with a byte order mark before it.";
    MARK_REMOVED "body_byte_order_mark_removed"
        "The given body starts with a byte order mark, but was signed without it.";
    PYTHON_BYTES "body_python_bytes"
        "Python's `b'…'` text of the body was signed: bytes were formatted into a string without \
         `.decode()`.";
    OBJECT_OBJECT "body_object_object"
        "`[object Object]` was signed: JavaScript converted the parsed body to a string.";
    BASE64 "body_base64"
        "The base64 of the body was signed: some gateways pass the body on in base64.";
    HASHED "body_hashed" "The hex SHA-256 of the body was signed, not the body.";
    BASE64_DECODED "body_base64_decoded"
        "The given body is base64, but the decoded body was signed: some gateways pass the body on in \
         base64.";
    JSON_STRING "body_json_string"
        "The body was serialized twice before it was signed: as JSON inside a JSON string.";
    PYTHON_DICT "body_python_dict"
        "Python's text of a dict, with single quotes, was signed: the parsed body was formatted into a \
         string.";
    JSON_STRING_UNWRAPPED "body_json_string_unwrapped"
        "The given body is a JSON string, but the text inside it was signed.";
}

/// The given body alone.
pub(super) fn unchanged(body: &[u8]) -> Candidates<Vec<u8>> {
    Candidates::correct(body.to_vec())
}

/// The given body, then the others.
pub(super) fn candidates(body: &[u8]) -> Candidates<Vec<u8>> {
    let mut bodies = unchanged(body);
    add_changed_ends_and_lines(body, &mut bodies);
    add_encodings(body, &mut bodies);
    charset::add_to(&mut bodies, body);
    let bare = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if let Ok(value) = serde_json::from_slice::<Value>(bare) {
        add_values(&value, &mut bodies);
    }
    bodies
}

fn add_changed_ends_and_lines(body: &[u8], bodies: &mut Candidates<Vec<u8>>) {
    bodies.add(Vec::new(), [EMPTY]);
    bodies.add([body, b"\n"].concat(), [NEWLINE_ADDED]);
    bodies.add([body, b"\r\n"].concat(), [WINDOWS_NEWLINE_ADDED]);
    if let Some(rest) = body.strip_suffix(b"\n") {
        let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
        bodies.add(rest.to_vec(), [NEWLINE_REMOVED]);
    }
    bodies.add(body.trim_ascii().to_vec(), [TRIMMED]);
    let lines: Vec<&[u8]> = body
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    bodies.add(lines.join(&b"\n"[..]), [LINE_FEEDS]);
    bodies.add(lines.join(&b"\r\n"[..]), [WINDOWS_LINE_BREAKS]);
    bodies.add(lines.concat(), [LINE_BREAKS_REMOVED]);
    let without_spaces = body.iter().copied().filter(|byte| *byte != b' ');
    bodies.add(without_spaces.collect(), [SPACES_REMOVED]);
    match body.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => bodies.add(rest.to_vec(), [MARK_REMOVED]),
        None => bodies.add([BYTE_ORDER_MARK, body].concat(), [MARK_ADDED]),
    }
}

fn add_encodings(body: &[u8], bodies: &mut Candidates<Vec<u8>>) {
    bodies.add(python_text::bytes(body), [PYTHON_BYTES]);
    bodies.add(b"[object Object]".to_vec(), [OBJECT_OBJECT]);
    bodies.add(STANDARD.encode(body).into_bytes(), [BASE64]);
    bodies.add(hex::encode(sha256(&[body])).into_bytes(), [HASHED]);
    if let Ok(bytes) = STANDARD.decode(body.trim_ascii()) {
        bodies.add(bytes, [BASE64_DECODED]);
    }
    if let Ok(text) = std::str::from_utf8(body) {
        bodies.add(Value::from(text).to_string().into_bytes(), [JSON_STRING]);
    }
}

fn add_values(value: &Value, bodies: &mut Candidates<Vec<u8>>) {
    for (name, style, text) in in_all_styles(value) {
        let reserialized = Mistake {
            name: Cow::Owned(name),
            happened: Cow::Owned(format!(
                "The body was parsed and serialized again before it was signed: as JSON {style}."
            )),
            fix: Cow::Borrowed(FIX),
        };
        bodies.add(text, [reserialized]);
    }
    bodies.add(python_text::value(value).into_bytes(), [PYTHON_DICT]);
    if let Value::String(inner) = value {
        bodies.add(inner.clone().into_bytes(), [JSON_STRING_UNWRAPPED]);
    }
}
