//! Converts an attempt to an entry of the archive.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use url::Url;

use super::archive::{
    HarAttemptFields, HarCache, HarContent, HarEntry, HarPair, HarPostData, HarRequest,
    HarResponse, HarTimings,
};
use crate::run::{AttemptEnded, BodyContent, BodyRecord, ResponseRecord};

/// An unknown or inapplicable size.
const UNKNOWN: i64 = -1;
/// An inapplicable timing.
const DOES_NOT_APPLY: f64 = -1.0;

/// The entry of an attempt.
pub(super) fn entry(attempt: &AttemptEnded, pageref: String) -> HarEntry {
    let connection = attempt.connection.as_ref();
    let http_version = connection.map_or("unknown".into(), |connection| {
        connection.http_version.clone()
    });
    let (timings, time) = timings(attempt);
    HarEntry {
        started_at: attempt.started_at,
        pageref,
        started_date_time: har_time(attempt.started_at),
        time,
        request: request(attempt, http_version.clone()),
        response: response(&attempt.response, http_version),
        cache: HarCache {},
        timings,
        server_ip_address: connection.map(|connection| connection.remote_address.ip().to_string()),
        resource_type: "fetch",
        attempt: HarAttemptFields {
            step: attempt.step,
            delivery: attempt.delivery,
            attempt: attempt.attempt,
            event: attempt.event_name.clone(),
            forgery: attempt.forgery.clone(),
            virtual_offset: attempt.virtual_offset.as_secs_f64(),
            connection_reused: connection.map(|connection| connection.reused),
        },
    }
}

/// A timestamp in HAR's format, to the millisecond.
pub(super) fn har_time(timestamp: Timestamp) -> String {
    format!("{timestamp:.3}")
}

/// The timings and their sum. `connect` includes name resolution and TLS, `wait` includes sending, and
/// `blocked` is the time that an attempt was held back to go out together with others.
fn timings(attempt: &AttemptEnded) -> (HarTimings, f64) {
    let known = attempt.timings;
    let total = attempt.took.saturating_add(known.held);
    let first_byte = known.first_byte.unwrap_or(total).min(total);
    let connect = known.connect.unwrap_or_default().min(first_byte);
    let wait = first_byte
        .saturating_sub(connect)
        .saturating_sub(known.held);
    let timings = HarTimings {
        blocked: if known.held.is_zero() {
            DOES_NOT_APPLY
        } else {
            milliseconds(known.held)
        },
        dns: DOES_NOT_APPLY,
        connect: known
            .connect
            .map_or(DOES_NOT_APPLY, |_| milliseconds(connect)),
        ssl: DOES_NOT_APPLY,
        send: 0.0,
        wait: milliseconds(wait),
        receive: milliseconds(total.saturating_sub(first_byte)),
    };
    let parts = [
        timings.blocked,
        timings.connect,
        timings.wait,
        timings.receive,
    ];
    let time: f64 = parts.into_iter().filter(|part| *part > 0.0).sum();
    (timings, to_the_microsecond(time))
}

fn milliseconds(duration: Duration) -> f64 {
    to_the_microsecond(duration.as_secs_f64() * 1e3)
}

/// Rounds milliseconds to three decimals.
fn to_the_microsecond(milliseconds: f64) -> f64 {
    (milliseconds * 1e3).round() / 1e3
}

fn request(attempt: &AttemptEnded, http_version: Cow<'static, str>) -> HarRequest {
    let request = &attempt.request;
    let query_string = Url::parse(&request.url).map_or(Vec::new(), |url| {
        let pairs = url.query_pairs();
        pairs
            .map(|(name, value)| HarPair {
                name: name.into_owned(),
                value: value.into_owned(),
            })
            .collect()
    });
    HarRequest {
        method: request.method.clone(),
        url: request.url.clone(),
        http_version,
        cookies: [],
        headers: pairs(&request.headers),
        query_string,
        post_data: post_data(&request.body, &request.headers),
        headers_size: UNKNOWN,
        body_size: size(request.body.length),
    }
}

fn post_data(body: &BodyRecord, headers: &[(String, String)]) -> Option<HarPostData> {
    let (text, encoding) = content(body)?;
    Some(HarPostData {
        mime_type: header(headers, "content-type").unwrap_or_default(),
        text,
        encoding,
        comment: truncation_note(body),
    })
}

fn response(response: &ResponseRecord, http_version: Cow<'static, str>) -> HarResponse {
    match response {
        ResponseRecord::Response {
            status,
            headers,
            body,
        } => {
            let known = StatusCode::from_u16(*status).ok();
            let (text, encoding) = content(body).unzip();
            HarResponse {
                status: *status,
                status_text: known.and_then(|code| code.canonical_reason()).unwrap_or(""),
                http_version,
                cookies: [],
                headers: pairs(headers),
                content: HarContent {
                    size: body.length,
                    mime_type: header(headers, "content-type").unwrap_or_default(),
                    text,
                    encoding: encoding.flatten(),
                    comment: truncation_note(body),
                },
                redirect_url: header(headers, "location").unwrap_or_default(),
                headers_size: UNKNOWN,
                body_size: size(body.length),
                error: None,
            }
        }
        ResponseRecord::Failure { message, .. } => HarResponse {
            status: 0,
            status_text: "",
            http_version,
            cookies: [],
            headers: Vec::new(),
            content: HarContent {
                size: 0,
                mime_type: "x-unknown".to_owned(),
                text: None,
                encoding: None,
                comment: None,
            },
            redirect_url: String::new(),
            headers_size: UNKNOWN,
            body_size: UNKNOWN,
            error: Some(message.clone()),
        },
    }
}

fn pairs(headers: &[(String, String)]) -> Vec<HarPair> {
    let headers = headers.iter().cloned();
    headers
        .map(|(name, value)| HarPair { name, value })
        .collect()
}

fn header(headers: &[(String, String)], name: &str) -> Option<String> {
    let mut named = headers
        .iter()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.clone())
}

/// The recorded part of a body and its encoding; `None` if it is empty.
fn content(body: &BodyRecord) -> Option<(String, Option<&'static str>)> {
    match &body.content {
        BodyContent::Text(text) if text.is_empty() => None,
        BodyContent::Text(text) => Some((text.clone(), None)),
        BodyContent::Base64(text) => Some((text.clone(), Some("base64"))),
    }
}

fn truncation_note(body: &BodyRecord) -> Option<String> {
    body.truncated
        .then(|| format!("truncated: the whole body has {} bytes", body.length))
}

fn size(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
