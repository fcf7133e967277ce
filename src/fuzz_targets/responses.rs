//! Bytes of a receiver: its responses on the wire, and what is made of them.

use http::header::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::diagnose::html_title;
use crate::probe::{Redaction, read_number};
use crate::protocol::Secret;
use crate::run::response_record;
use crate::scenario::ReadPath;
use crate::transport::{
    Failure, ReadProgress, Response, ResponseExcerpt, ResponseReader, retry_after, whole_response,
};

const SECRET: &str = "hunter2/and more";

/// How much of a body is kept.
const BODY_LIMIT: usize = 64 * 1024;

/// Reads a response as a load does, in pieces and in one, and makes of it what a run does. The first byte
/// chooses the pieces.
pub fn response(bytes: &[u8]) {
    let Some((piece, wire)) = bytes.split_first() else {
        return;
    };
    let (whole, excerpt) = read(wire, wire.len().max(1));
    let (pieces, same_excerpt) = read(wire, usize::from(*piece).max(1));
    assert_eq!(outcome(&whole), outcome(&pieces));
    if let Ok(ReadProgress::Done { response, .. }) = whole {
        assert_eq!(excerpt, same_excerpt);
        let excerpt = excerpt.expect("an excerpt");
        if let Some(response) = as_run_reads(response.status, &excerpt) {
            check_response(&response);
        }
    }
    check_redaction(wire);
}

type ReadResult = Result<ReadProgress, Failure>;

/// Reads a response in pieces, after which the connection ends.
fn read(wire: &[u8], piece: usize) -> (ReadResult, Option<ResponseExcerpt>) {
    let mut reader = ResponseReader::default();
    reader.begin(true);
    let mut rest = wire;
    loop {
        let spare = reader.spare();
        let count = rest.len().min(piece).min(spare.len());
        spare[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        match reader.read(count) {
            Ok(ReadProgress::More) => assert!(count > 0, "more after the end"),
            ended => return (ended, reader.excerpt.take()),
        }
    }
}

/// What does not depend on how the bytes arrive. Bytes after the response may not be seen.
fn outcome(read: &ReadResult) -> Result<u16, String> {
    match read {
        Ok(ReadProgress::Done { response, .. }) => Ok(response.status),
        Ok(ReadProgress::More) => Err("more".to_owned()),
        Err(failure) => Err(failure.to_string()),
    }
}

/// The same response with its body decoded; `None` if it is too long.
fn as_run_reads(status: u16, excerpt: &ResponseExcerpt) -> Option<Response> {
    let mut head = http::Response::builder().status(status);
    for (name, value) in &excerpt.headers {
        let name: HeaderName = name.parse().ok()?;
        head = head.header(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    let (head, ()) = head.body(()).ok()?.into_parts();
    whole_response(&head, &excerpt.body, BODY_LIMIT).ok()
}

fn check_response(response: &Response) {
    assert!(response.body.len() as u64 <= response.body_length);
    assert!(response.body.len() <= BODY_LIMIT);
    let _ = retry_after(response, 1_725_548_450);
    let _ = response.setup_mistake();
    let _ = response.refusal_help("AGHOOK_SECRET", &[]);
    let text = String::from_utf8_lossy(&response.body);
    let title = html_title(&text);
    assert!(title.is_none_or(|title| text.contains(title)));
    let redaction = redaction();
    let record = response_record(&Ok(response.clone()), &redaction);
    let recorded = serde_json::to_string(&record).expect("JSON");
    assert!(!recorded.contains(SECRET), "{recorded}");
    check_answer(response);
}

/// Reads the answer to a probe.
fn check_answer(response: &Response) {
    let path = ReadPath::try_from("$['{player_id}']['{sku}']".to_owned()).expect("a path");
    if let Ok(Some(_)) = read_number(response, path, ("p", "s"), redaction()) {
        let json: Value = serde_json::from_slice(&response.body).expect("JSON");
        assert!(json["p"]["s"].is_number() || json["p"]["s"].is_string());
    }
}

fn redaction() -> Redaction {
    Redaction::new([Secret::new(SECRET).expect("not empty")])
}

/// No secret is left, in whatever case.
fn check_redaction(bytes: &[u8]) {
    let redacted = redaction().bytes(bytes).to_ascii_lowercase();
    let secret = SECRET.as_bytes();
    assert!(!redacted.windows(secret.len()).any(|part| part == secret));
}
