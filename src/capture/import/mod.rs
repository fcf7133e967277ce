//! Deliveries from logs: raw HTTP, HAR, JSON with headers, or one curl command. The format is
//! recognised by the content.

mod curl;
mod har;
mod json_log;
mod raw_http;

use serde_json::Value;

use super::exchange::Exchange;

/// Why a log can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    #[error("not a HAR file: {0}")]
    Har(serde_json::Error),
    #[error("invalid JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("entry {number}: {problem}")]
    Entry {
        number: usize,
        problem: &'static str,
    },
    #[error("not a complete HTTP request")]
    RawHttp,
    #[error("can't split the curl command: a quotation mark is not closed")]
    Quotes,
    #[error("the curl command {0}")]
    Curl(&'static str),
}

/// Reads the exchanges of a log, in order of their time if all have one.
pub(crate) fn read_log(text: &str) -> Result<Vec<Exchange>, ImportError> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut exchanges = match text.as_bytes().first() {
        Some(b'{' | b'[') => read_json(text)?,
        _ if is_curl(text) => vec![curl::read(text)?],
        _ => raw_http::read(text)?,
    };
    if exchanges.iter().all(|exchange| exchange.at.is_some()) {
        exchanges.sort_by_key(|exchange| exchange.at);
    }
    Ok(exchanges)
}

fn is_curl(text: &str) -> bool {
    let text = text.strip_prefix("$ ").unwrap_or(text);
    text.starts_with("curl ")
}

/// One document, or one on each line.
fn read_json(text: &str) -> Result<Vec<Exchange>, ImportError> {
    let documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let documents: Vec<Value> = documents.collect::<Result<_, _>>()?;
    if let [document] = documents.as_slice()
        && document.pointer("/log/entries").is_some()
    {
        return har::read(document);
    }
    let entries = documents.into_iter().flat_map(|document| match document {
        Value::Array(entries) => entries,
        entry => vec![entry],
    });
    json_log::read(entries)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

    const BODY: &str = r#"{"event_type": "coupon.redeemed", "idempotency_key": "k"}"#;

    #[track_caller]
    fn is_read(text: &str) -> Exchange {
        let mut exchanges = read_log(text).expect(text);
        assert_eq!(exchanges.len(), 1, "{text}");
        let exchange = exchanges.remove(0);
        let request = &exchange.request;
        assert_eq!(String::from_utf8_lossy(&request.body.kept), BODY, "{text}");
        assert_eq!(request.header(SIGNATURE_HEADER), Some("ab"), "{text}");
        assert_eq!(request.header(TIMESTAMP_HEADER), Some("7"), "{text}");
        assert_eq!(request.path, "/hook", "{text}");
        assert!(request.is_delivery());
        exchange
    }

    #[test]
    fn raw_http_is_read() {
        for line_break in ["\r\n", "\n"] {
            for length in [
                format!("Content-Length: {}{line_break}", BODY.len()),
                String::new(),
            ] {
                let lines = [
                    "POST /hook HTTP/1.1",
                    "X-Aghanim-Signature: ab",
                    "x-aghanim-signature-timestamp: 7",
                    "",
                ];
                let head = lines.join(line_break);
                is_read(&format!("{head}{length}{line_break}{BODY}{line_break}"));
            }
        }
        let two = format!(
            "POST /a HTTP/1.1\nContent-Length: {0}\n\n{BODY}\n\nPOST /b HTTP/1.1\nContent-Length: {0}\n\n{BODY}",
            BODY.len()
        );
        assert_eq!(read_log(&two).expect("two").len(), 2);
    }

    #[test]
    fn a_har_file_is_read() {
        let har = json!({ "log": { "version": "1.2", "entries": [{
            "startedDateTime": "2026-11-30T23:04:10.500Z",
            "time": 12.5,
            "request": {
                "method": "POST", "url": "https://game.example.com/hook", "httpVersion": "HTTP/1.1",
                "headers": [
                    { "name": "X-Aghanim-Signature", "value": "ab" },
                    { "name": "X-Aghanim-Signature-Timestamp", "value": "7" },
                ],
                "postData": { "mimeType": "application/json", "text": BODY },
            },
            "response": {
                "status": 503, "headers": [{ "name": "Retry-After", "value": "3" }],
                "content": { "size": 4, "text": "YnVzeQ==", "encoding": "base64" },
            },
        }]}});
        let exchange = is_read(&har.to_string());
        assert_eq!(
            exchange.at.map(|at| at.to_string()).as_deref(),
            Some("2026-11-30T23:04:10.5Z")
        );
        let response = exchange.response.expect("a response");
        assert_eq!(
            (response.status, response.body.kept.as_slice()),
            (503, &b"busy"[..])
        );
        assert_eq!(exchange.timings.expect("timings").end.as_micros(), 12_500);
    }

    #[test]
    fn json_with_headers_is_read_in_common_forms() {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(BODY);
        for entry in [
            json!({
                "time": 1_725_548_450, "method": "POST", "path": "/hook", "status": 200, "body": BODY,
                "headers": { "X-Aghanim-Signature": "ab", "X-Aghanim-Signature-Timestamp": "7" },
            }),
            json!({
                "timestamp": "2024-09-05T15:00:50Z",
                "request": {
                    "url": "http://127.0.0.1/hook", "raw_body": BODY,
                    "headers": [["X-Aghanim-Signature", "ab"], ["X-Aghanim-Signature-Timestamp", "7"]],
                },
                "response": { "status": 200, "body": "{}" },
            }),
            json!({
                "rawPath": "/hook", "isBase64Encoded": true, "body": encoded, "statusCode": 200,
                "requestContext": { "timeEpoch": 1_725_548_450_000_u64 },
                "headers": { "x-aghanim-signature": "ab", "x-aghanim-signature-timestamp": 7 },
            }),
        ] {
            let exchange = is_read(&entry.to_string());
            let at = exchange.at.map(|at| at.to_string());
            assert_eq!(at.as_deref(), Some("2024-09-05T15:00:50Z"));
            assert_eq!(exchange.response.expect("a response").status, 200);
            assert!(!exchange.request.body.is_rewritten);
            is_read(&json!([entry]).to_string());
            let lines = format!("{entry}\n{entry}\n");
            assert_eq!(read_log(&lines).expect("lines").len(), 2);
        }
    }

    #[test]
    fn a_body_that_a_log_has_parsed_has_no_layout() {
        let entry = json!({ "headers": {}, "body": { "event_type": "coupon.redeemed" } });
        let exchanges = read_log(&entry.to_string()).expect("an entry");
        assert!(exchanges[0].request.body.is_rewritten && exchanges[0].request.is_delivery());
    }

    #[test]
    fn a_curl_command_is_read() {
        for command in [
            format!(
                "$ curl -X POST https://game.example.com/hook -H 'X-Aghanim-Signature: ab' \\\n  --header=\"X-Aghanim-Signature-Timestamp: 7\" --data-raw '{BODY}'"
            ),
            format!(
                "curl --request POST 'http://127.0.0.1:8080/hook' -sS -o out.txt -H X-Aghanim-Signature:ab -H 'X-Aghanim-Signature-Timestamp: 7' -d'{BODY}'"
            ),
        ] {
            let exchange = is_read(&command);
            assert_eq!(exchange.request.method, "POST");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("", "not a complete HTTP request"),
            ("hello", "not a complete HTTP request"),
            ("POST /hook HTTP/1.1\nA: b", "not a complete HTTP request"),
            ("{\"a\": ", "invalid JSON"),
            ("{\"a\": 1}", "entry 1: no headers and no body"),
            ("curl 'x", "a quotation mark is not closed"),
            ("curl http://h/ -d @body.json", "reads its body from a file"),
            ("curl -H 'A: b'", "has no URL"),
        ] {
            let error = read_log(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
