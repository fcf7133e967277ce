//! Everything of a request but its body: method, headers, transfer and signature.

use super::difference::{DifferenceName as Name, Differences};
use super::expectation::Expectation;
use crate::capture::recorded_delivery::{RecordedDelivery, RecordedRequest, SignatureCheck};
use crate::protocol::{CONTENT_TYPE_VALUE, SIGNATURE_HEADER, TIMESTAMP_HEADER, USER_AGENT_VALUE};

/// In the order in which aghook sends them.
const HEADERS: [&str; 6] = [
    "Content-Type",
    "Host",
    "User-Agent",
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    "Content-Length",
];
/// What tunnels, proxies and load balancers add on the way.
const ON_THE_WAY: [&str; 14] = [
    "cdn-loop",
    "connection",
    "forwarded",
    "keep-alive",
    "te",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "via",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "x-original-host",
    "x-real-ip",
    "x-request-id",
];
const ON_THE_WAY_PREFIXES: [&str; 5] = ["x-forwarded-", "cf-", "ngrok-", "fly-", "x-vercel-"];

pub(super) fn check(
    expected: &Expectation,
    number: usize,
    delivery: &RecordedDelivery,
    found: &mut Differences,
) {
    let request = &delivery.request;
    if request.method != "POST" {
        found.add(Name::Method, request.method.clone(), number, || {
            ("aghook always sends POST".to_owned(), None)
        });
    }
    if request.chunked {
        found.add(Name::Transfer, "", number, || {
            (
                "the body is sent in chunks; aghook sends its length".to_owned(),
                None,
            )
        });
    }
    // A log without headers says nothing about them.
    if !request.headers.is_empty() {
        check_headers(expected, number, request, found);
        check_values(number, request, found);
    }
    if delivery.signature == SignatureCheck::Differs {
        found.add(Name::Signature, "", number, || {
            let sentence = "the signature does not match the secret: `aghook verify` finds why";
            (sentence.to_owned(), None)
        });
    }
}

fn check_headers(
    expected: &Expectation,
    number: usize,
    request: &RecordedRequest,
    found: &mut Differences,
) {
    let mut positions = Vec::new();
    for (name, _) in &request.headers {
        let position = HEADERS
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name));
        if let Some(position) = position {
            positions.push(position);
            let known = HEADERS[position];
            if name != known {
                found.add(Name::HeaderCase, known, number, || {
                    (format!("it is spelled `{name}`"), None)
                });
            }
        } else if !is_expected(expected, name) {
            found.add(
                Name::UnknownHeader,
                name.to_ascii_lowercase(),
                number,
                || ("aghook does not send this header".to_owned(), None),
            );
        }
    }
    for (position, name) in HEADERS.iter().enumerate() {
        let is_optional = *name == "Content-Length" && request.chunked;
        if !is_optional && !positions.contains(&position) {
            found.add(Name::MissingHeader, *name, number, || {
                ("aghook always sends this header".to_owned(), None)
            });
        }
    }
    if !positions.is_sorted() {
        found.add(Name::HeaderOrder, "", number, || {
            let order = |positions: &[usize]| {
                let names = positions.iter().map(|position| HEADERS[*position]);
                names.collect::<Vec<_>>().join(", ")
            };
            let mut sorted = positions.clone();
            sorted.sort_unstable();
            (
                format!("the headers have another order than {}", order(&sorted)),
                Some(order(&positions)),
            )
        });
    }
}

fn is_expected(expected: &Expectation, name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let added = &expected.added_headers;
    ON_THE_WAY.contains(&lower.as_str())
        || ON_THE_WAY_PREFIXES
            .iter()
            .any(|prefix| lower.starts_with(prefix))
        || added.iter().any(|added| added.eq_ignore_ascii_case(name))
}

fn check_values(number: usize, request: &RecordedRequest, found: &mut Differences) {
    for (name, value) in &request.headers {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let known = match () {
            () if is("Content-Type") => CONTENT_TYPE_VALUE,
            () if is("User-Agent") => USER_AGENT_VALUE,
            () => value,
        };
        if value != known {
            found.add(Name::HeaderValue, name.to_ascii_lowercase(), number, || {
                (format!("its value is not `{known}`"), Some(value.clone()))
            });
        }
        let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if is(SIGNATURE_HEADER) && !(value.len() == 64 && value.bytes().all(lower_hex)) {
            found.add(Name::SignatureForm, "", number, || {
                let sentence = "the signature is not 64 hex digits in lower case";
                (sentence.to_owned(), Some(value.clone()))
            });
        }
        let is_seconds = value.len() == 10 && value.bytes().all(|byte| byte.is_ascii_digit());
        if is(TIMESTAMP_HEADER) && !is_seconds {
            found.add(Name::TimestampForm, "", number, || {
                (
                    "the timestamp is not in Unix seconds".to_owned(),
                    Some(value.clone()),
                )
            });
        }
    }
}
