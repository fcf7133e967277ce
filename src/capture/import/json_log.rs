//! JSON with headers: an object for each request, under the names that loggers use for its parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};
use url::Url;

use super::ImportError;
use crate::capture::exchange::{Exchange, RawBody, RawRequest, RawResponse};

const TIMES: [&str; 7] = [
    "at",
    "time",
    "timestamp",
    "received_at",
    "startedDateTime",
    "ts",
    "timeEpoch",
];
const PATHS: [&str; 5] = ["path", "url", "uri", "rawPath", "originalUrl"];
const METHODS: [&str; 2] = ["method", "httpMethod"];
const BODIES: [&str; 4] = ["raw_body", "rawBody", "body", "payload"];
const STATUSES: [&str; 3] = ["status", "statusCode", "status_code"];

pub(super) fn read(entries: impl Iterator<Item = Value>) -> Result<Vec<Exchange>, ImportError> {
    let entries = entries.enumerate();
    let exchanges = entries.map(|(index, entry)| {
        let problem = |problem| ImportError::Entry {
            number: index + 1,
            problem,
        };
        let entry = entry.as_object().ok_or_else(|| problem("not an object"))?;
        exchange(entry).ok_or_else(|| problem("no headers and no body"))
    });
    exchanges.collect()
}

fn exchange(entry: &Map<String, Value>) -> Option<Exchange> {
    let request = entry
        .get("request")
        .and_then(Value::as_object)
        .unwrap_or(entry);
    let body = body(request);
    let headers = request.get("headers").map(headers);
    if body.is_none() && headers.is_none() {
        return None;
    }
    let text = |names: &[&str]| {
        let value = find(request, names).or_else(|| find(entry, names));
        value.and_then(Value::as_str).map(str::to_owned)
    };
    let url = text(&PATHS).unwrap_or_else(|| "/".to_owned());
    let at = find(entry, &TIMES).or_else(|| find(request, &TIMES));
    let at = at.or_else(|| find(entry.get("requestContext")?.as_object()?, &TIMES));
    Some(Exchange {
        at: at.and_then(time),
        response: response(entry),
        ..Exchange::of_log(RawRequest {
            method: text(&METHODS).unwrap_or_else(|| "POST".to_owned()),
            path: Url::parse(&url).map_or(url, |url| url[url::Position::BeforePath..].to_owned()),
            version: None,
            headers: headers.unwrap_or_default(),
            body: body.unwrap_or_default(),
            is_chunked: false,
        })
    })
}

fn response(entry: &Map<String, Value>) -> Option<RawResponse> {
    let response = entry.get("response").and_then(Value::as_object);
    let status = find(response.unwrap_or(entry), &STATUSES)?.as_u64()?;
    Some(RawResponse {
        status: u16::try_from(status).ok()?,
        headers: response
            .and_then(|response| response.get("headers"))
            .map(headers)
            .unwrap_or_default(),
        body: response.and_then(body).unwrap_or_default(),
    })
}

/// The body: its text, its Base64, or JSON that the logger has parsed.
fn body(part: &Map<String, Value>) -> Option<RawBody> {
    let body = find(part, &BODIES)?;
    let Value::String(text) = body else {
        let text = body.to_string();
        return Some(RawBody {
            is_rewritten: true,
            ..RawBody::whole(text)
        });
    };
    let is_encoded = part.get("isBase64Encoded") == Some(&Value::Bool(true));
    let decoded = is_encoded.then(|| STANDARD.decode(text).ok()).flatten();
    Some(RawBody::whole(
        decoded.unwrap_or_else(|| text.clone().into_bytes()),
    ))
}

/// An object, a list of pairs, or a list of objects with `name` and `value`.
fn headers(headers: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values = values.iter().filter_map(Value::as_str);
            values.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    match headers {
        Value::Object(entries) => {
            let entries = entries.iter();
            entries
                .map(|(name, value)| (name.clone(), text(value)))
                .collect()
        }
        Value::Array(entries) => {
            let pair = |entry: &Value| {
                let [name, value] = [("name", 0), ("value", 1)]
                    .map(|(key, index)| entry.get(key).or_else(|| entry.get(index)));
                Some((name?.as_str()?.to_owned(), text(value?)))
            };
            entries.iter().filter_map(pair).collect()
        }
        _ => Vec::new(),
    }
}

/// A date, or seconds or milliseconds since 1970.
fn time(value: &Value) -> Option<Timestamp> {
    /// As seconds, this is the year 5138.
    const FIRST_MILLISECONDS: f64 = 1e11;
    if let Some(text) = value.as_str() {
        return text.parse().ok();
    }
    let number = value.as_f64()?;
    let milliseconds = if number < FIRST_MILLISECONDS {
        number * 1e3
    } else {
        number
    };
    let is_time = (0.0..1e15).contains(&milliseconds);
    #[expect(clippy::cast_possible_truncation, reason = "it is within the range")]
    is_time
        .then(|| Timestamp::from_millisecond(milliseconds as i64).ok())
        .flatten()
}

fn find<'entry>(entry: &'entry Map<String, Value>, names: &[&str]) -> Option<&'entry Value> {
    let mut values = names.iter().filter_map(|name| entry.get(*name));
    values.find(|value| !value.is_null())
}
