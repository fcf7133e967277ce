//! Mistakes in the body: read twice, decoded wrongly, changed on its way, or written again by a
//! JSON library.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Mistake;
use super::algorithm::sha256;
use super::json_text::rewritten;
use super::python_text;

/// The longest body, in bytes, that is written again in every way that JSON libraries have.
const REWRITE_LIMIT: usize = 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A body that may have been signed in place of the given one, and what is wrong with it.
pub(super) struct BodyVariant {
    pub(super) bytes: Vec<u8>,
    pub(super) mistake: Option<Mistake>,
}

const RAW: &str = "Sign and verify the request's raw bytes, before anything parses, decodes or \
                   logs them. If the body given here is a copy, take it again as raw bytes.";

/// The given body first, then the others, each once; and what was left out.
pub(super) fn variants(body: &[u8]) -> (Vec<BodyVariant>, Vec<&'static str>) {
    let mut variants = vec![BodyVariant {
        bytes: body.to_vec(),
        mistake: None,
    }];
    let mut left_out = Vec::new();
    let mut add = |bytes: Vec<u8>, mistake: Mistake| {
        if variants.iter().all(|variant| variant.bytes != bytes) {
            let mistake = Some(mistake);
            variants.push(BodyVariant { bytes, mistake });
        }
    };
    for (bytes, name, happened) in [ends_and_lines(body), encodings(body)].concat() {
        add(bytes, Mistake::new(name, happened, RAW));
    }
    let bare = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if body.len() > REWRITE_LIMIT {
        left_out.push("JSON written again by a library");
    } else if let Ok(value) = serde_json::from_slice::<Value>(bare) {
        for (name, style, text) in rewritten(&value) {
            add(
                text,
                Mistake {
                    name: Cow::Owned(name),
                    happened: Cow::Owned(format!(
                        "The signature was made over the body parsed and written again as JSON: \
                         {style}."
                    )),
                    fix: Cow::Borrowed(RAW),
                },
            );
        }
        for (bytes, name, happened) in values(&value) {
            add(bytes, Mistake::new(name, happened, RAW));
        }
    }
    (variants, left_out)
}

/// A body, the mistake's name, and what happened.
type Named = (Vec<u8>, &'static str, &'static str);

/// What happens to a body at its ends and at its line breaks.
fn ends_and_lines(body: &[u8]) -> Vec<Named> {
    let mut named = vec![
        (
            Vec::new(),
            "body_empty",
            "The signature was made over an empty body: something had read the request's stream \
             before.",
        ),
        (
            [body, b"\n"].concat(),
            "body_newline_added",
            "The signature was made over the body with a newline at its end.",
        ),
        (
            [body, b"\r\n"].concat(),
            "body_newline_added",
            "The signature was made over the body with a Windows newline at its end.",
        ),
    ];
    if let Some(rest) = body.strip_suffix(b"\n") {
        let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
        named.push((
            rest.to_vec(),
            "body_newline_removed",
            "The signature was made over the body without the newline at its end.",
        ));
    }
    named.push((
        body.trim_ascii().to_vec(),
        "body_trimmed",
        "The signature was made over the body without the white space around it.",
    ));
    let lines: Vec<&[u8]> = body
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    named.push((
        lines.join(&b"\n"[..]),
        "body_line_feeds",
        "The signature was made over the body with Unix line breaks (LF), and the given one has \
         Windows ones.",
    ));
    named.push((
        lines.join(&b"\r\n"[..]),
        "body_windows_line_breaks",
        "The signature was made over the body with Windows line breaks (CR LF).",
    ));
    match body.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => named.push((
            rest.to_vec(),
            "body_byte_order_mark_removed",
            "The given body begins with a byte order mark, and the signature was made without it.",
        )),
        None => named.push((
            [BYTE_ORDER_MARK, body].concat(),
            "body_byte_order_mark_added",
            "The signature was made over the body with a byte order mark before it.",
        )),
    }
    named
}

/// What happens to a body between bytes and text.
fn encodings(body: &[u8]) -> Vec<Named> {
    let mut named = vec![
        (
            python_text::bytes(body),
            "body_python_bytes",
            "The signature was made over Python's text for bytes, `b'…'`: bytes were put into an \
             f-string without `.decode()`.",
        ),
        (
            b"[object Object]".to_vec(),
            "body_object_object",
            "The signature was made over `[object Object]`: JavaScript put a parsed object into a \
             text.",
        ),
        (
            STANDARD.encode(body).into_bytes(),
            "body_base64",
            "The signature was made over the body in base64, as some gateways hand it over.",
        ),
        (
            hex::encode(sha256(&[body])).into_bytes(),
            "body_hashed",
            "The signature was made over the body's SHA-256 in hex, not over the body.",
        ),
        (
            body.iter()
                .copied()
                .map(char::from)
                .collect::<String>()
                .into_bytes(),
            "body_decoded_as_latin_1",
            "The signature was made over the body decoded as Latin-1, not as UTF-8.",
        ),
    ];
    if let Ok(bytes) = STANDARD.decode(body.trim_ascii()) {
        named.push((
            bytes,
            "body_base64_decoded",
            "The given body is base64, as some gateways hand it over, and the signature was made \
             over what it stands for.",
        ));
    }
    if let Ok(text) = std::str::from_utf8(body) {
        named.push((
            Value::from(text).to_string().into_bytes(),
            "body_json_string",
            "The signature was made over the body wrapped in a JSON string: it was serialised \
             twice.",
        ));
        let latin_1 = text
            .chars()
            .map(u8::try_from)
            .collect::<Result<Vec<u8>, _>>();
        if let Ok(bytes) = latin_1 {
            named.push((
                bytes,
                "body_was_decoded_as_latin_1",
                "The given body is UTF-8 that was decoded as Latin-1, and the signature was made \
                 over the bytes before that.",
            ));
        }
    }
    named
}

/// What happens to a body that was parsed, other than being written again as JSON.
fn values(value: &Value) -> Vec<Named> {
    let mut named = vec![(
        python_text::value(value).into_bytes(),
        "body_python_dict",
        "The signature was made over Python's text for a dict, with single quotes: a parsed body \
         was put into an f-string.",
    )];
    if let Value::String(inner) = value {
        named.push((
            inner.clone().into_bytes(),
            "body_json_string_unwrapped",
            "The given body is a JSON string, and the signature was made over the text inside it.",
        ));
    }
    named
}
