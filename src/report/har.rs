//! HAR 1.2: every attempt of a run, in the format of a browser's developer tools. A scenario is a
//! page.
//!
//! Custom fields have names that begin with `_`, as the format requires. Values that are never known
//! are left out if the format allows that; otherwise they are -1 or empty.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use url::Url;

use super::json_output::write_indented;
use super::run_record::RunRecord;
use crate::run::{
    AttemptEnded, BodyContent, BodyRecord, ResponseRecord, SentRequestRecord, header,
};

/// An unknown size, or the milliseconds of a part that does not apply or is included in another.
const UNKNOWN: i64 = -1;

#[derive(Serialize)]
struct HarLog<'run> {
    version: &'static str,
    creator: Value,
    pages: Vec<Value>,
    /// In order of their start. Each is converted as it is written, to save memory.
    #[serde(serialize_with = "serialize_entries")]
    entries: Vec<&'run AttemptEnded>,
}

fn serialize_entries<S: Serializer>(
    attempts: &[&AttemptEnded],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(attempts.iter().map(|attempt| entry(attempt)))
}

pub(super) fn write_har(out: &mut dyn Write, run: &RunRecord) -> io::Result<()> {
    let scenarios = run.by_number();
    // A scenario that sent nothing has no start time.
    let pages = scenarios.iter().filter_map(|record| {
        let started = &record.started;
        Some(json!({
            "startedDateTime": har_time(record.began()?),
            "id": page_id(started.scenario),
            "title": started.name,
            "pageTimings": {},
            "_verdict": record.ended.verdict,
            "_file": started.file,
            "_line": started.line,
        }))
    });
    let attempts = scenarios.iter().flat_map(|record| &record.attempts);
    let mut attempts: Vec<_> = attempts.collect();
    attempts.sort_by_key(|attempt| attempt.started_at);
    let started = run.started.as_ref();
    let version = started.map_or("", |started| &started.aghook_version);
    let log = HarLog {
        version: "1.2",
        creator: json!({ "name": "aghook", "version": version }),
        pages: pages.collect(),
        entries: attempts,
    };
    write_indented(out, &BTreeMap::from([("log", log)]))
}

fn page_id(scenario: usize) -> String {
    format!("scenario_{scenario}")
}

fn har_time(timestamp: Timestamp) -> String {
    format!("{timestamp:.3}")
}

fn entry(attempt: &AttemptEnded) -> Value {
    let connection = attempt.connection.as_ref();
    let version = connection.map_or("unknown", |connection| &connection.http_version);
    let (timings, time) = timings(attempt);
    let entry = json!({
        "pageref": page_id(attempt.scenario),
        "startedDateTime": har_time(attempt.started_at),
        "time": time,
        "request": request(&attempt.request, version),
        "response": response(&attempt.response, version),
        "cache": {},
        "timings": timings,
        "serverIPAddress": connection.and_then(|connection| Some(connection.remote_address?.ip())),
        // The type that a browser's filter uses.
        "_resourceType": "fetch",
        "_step": attempt.step,
        "_delivery": attempt.delivery,
        "_attempt": attempt.attempt,
        "_event": attempt.event_name,
        "_forgery": attempt.forgery,
        "_virtualOffsetSeconds": attempt.virtual_offset.as_secs_f64(),
        "_connectionReused": connection.map(|connection| connection.reused),
    });
    without_null(entry, &["serverIPAddress"])
}

/// The timings in milliseconds, and their sum. `connect` includes name resolution and TLS, `wait`
/// includes sending, and `blocked` is the time that an attempt was held back to go out together with
/// others.
fn timings(attempt: &AttemptEnded) -> (Value, f64) {
    let known = attempt.timings;
    let total = attempt.took.saturating_add(known.held);
    let first_byte = known.first_byte.unwrap_or(total).min(total);
    let connect = known.connect.map(|connect| connect.min(first_byte));
    let wait = first_byte
        .saturating_sub(connect.unwrap_or_default())
        .saturating_sub(known.held);
    let blocked = (!known.held.is_zero()).then_some(known.held);
    let receive = total.saturating_sub(first_byte);
    let parts = [blocked, connect, Some(wait), Some(receive)];
    let parts = parts.map(|part| part.map(milliseconds));
    let sum = parts.iter().flatten().sum();
    let [blocked, connect, wait, receive] = parts.map(|part| part.unwrap_or(-1.0));
    let timings = json!({
        "blocked": blocked,
        "dns": -1.0,
        "connect": connect,
        "ssl": -1.0,
        "send": 0.0,
        "wait": wait,
        "receive": receive,
    });
    (timings, to_the_microsecond(sum))
}

fn milliseconds(duration: Duration) -> f64 {
    to_the_microsecond(duration.as_secs_f64() * 1e3)
}

fn to_the_microsecond(milliseconds: f64) -> f64 {
    (milliseconds * 1e3).round() / 1e3
}

fn request(request: &SentRequestRecord, version: &str) -> Value {
    let url = Url::parse(&request.url);
    let query = url.iter().flat_map(Url::query_pairs);
    let body = &request.body;
    let post_data = content(body).map(|(text, encoding)| {
        let data = json!({
            "mimeType": header(&request.headers, "content-type").unwrap_or_default(),
            "text": text,
            // HAR 1.2 has no such field for requests; later drafts call it `encoding`.
            "_encoding": encoding,
            "comment": truncation_note(body),
        });
        without_null(data, &["_encoding", "comment"])
    });
    let object = json!({
        "method": request.method,
        "url": request.url,
        "httpVersion": version,
        "cookies": [],
        "headers": pairs(&request.headers),
        "queryString": query.map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>(),
        "postData": post_data,
        "headersSize": UNKNOWN,
        "bodySize": body.length,
    });
    without_null(object, &["postData"])
}

fn response(response: &ResponseRecord, version: &str) -> Value {
    let (headers, error) = match response {
        ResponseRecord::Response { headers, .. } => (headers.as_slice(), None),
        // Browsers look for the reason in `_error`.
        ResponseRecord::Failure { message, .. } => (&[][..], Some(message)),
    };
    let header = |name| header(headers, name).unwrap_or_default();
    let content = response.body().map(|body| {
        let (text, encoding) = content(body).unzip();
        let content = json!({
            "size": body.length,
            "mimeType": header("content-type"),
            "text": text,
            "encoding": encoding.flatten(),
            "comment": truncation_note(body),
        });
        without_null(content, &["text", "encoding", "comment"])
    });
    // Browsers write a missing response as one with the status 0.
    let status = response.status().unwrap_or(0);
    let known = StatusCode::from_u16(status).ok();
    let object = json!({
        "status": status,
        "statusText": known.and_then(|code| code.canonical_reason()).unwrap_or(""),
        "httpVersion": version,
        "cookies": [],
        "headers": pairs(headers),
        "content": content.unwrap_or_else(|| json!({ "size": 0, "mimeType": "x-unknown" })),
        "redirectURL": header("location"),
        "headersSize": UNKNOWN,
        "bodySize": response.body().map_or(json!(UNKNOWN), |body| json!(body.length)),
        "_error": error,
    });
    without_null(object, &["_error"])
}

fn pairs(headers: &[(String, String)]) -> Vec<Value> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}

/// The recorded part of a body and its encoding; `None` if it is empty.
fn content(body: &BodyRecord) -> Option<(&str, Option<&'static str>)> {
    match &body.content {
        BodyContent::Text(text) if text.is_empty() => None,
        BodyContent::Text(text) => Some((text, None)),
        BodyContent::Base64(text) => Some((text, Some("base64"))),
    }
}

fn truncation_note(body: &BodyRecord) -> Option<String> {
    body.truncated
        .then(|| format!("truncated: the whole body has {} bytes", body.length))
}

/// The object without these fields if they are null.
fn without_null(mut object: Value, optional: &[&str]) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.retain(|name, value| !value.is_null() || !optional.contains(&name.as_str()));
    }
    object
}
