//! What a capture may contain. Everything that these rules do not keep is replaced, so that a key which
//! nobody knows yet is safe, too.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use aho_corasick::AhoCorasick;

use super::exchange::{RawBody, RawRequest, RawResponse};
use super::json_tokens::{Token, TokenKind, tokens};
use super::pseudonyms::Pseudonyms;
use super::recorded_delivery::{NotKept, RecordedBody, RecordedRequest, RecordedResponse};
use crate::probe::{REDACTED, Redaction};
use crate::protocol::TIMESTAMP_HEADER;

/// Texts of the event that stay.
const EVENT_TEXTS: [&str; 2] = ["event_type", "trigger"];
/// The IDs of an event, whose prefix stays.
const EVENT_IDS: [&str; 5] = [
    "event_id",
    "idempotency_key",
    "request_id",
    "transaction_id",
    "game_id",
];
/// Texts and numbers of an item that stay.
const ITEM_VALUES: [&str; 9] = [
    "id",
    "name",
    "description",
    "sku",
    "quantity",
    "price",
    "price_decimal",
    "currency",
    "type",
];
/// Texts of a response that stay.
const RESPONSE_TEXTS: [&str; 2] = ["status", "code"];
const HEADERS: [&str; 14] = [
    "accept",
    "accept-encoding",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "expect",
    "retry-after",
    "server",
    "transfer-encoding",
    "user-agent",
    "te",
];
/// Parts of the names of headers with credentials, of which not even the form is kept.
const CREDENTIALS: [&str; 7] = [
    "auth", "cookie", "token", "secret", "key", "password", "session",
];
/// A shorter value could be a part of any text.
const SHORTEST_HIDDEN: usize = 6;
const LONGEST_HIDDEN: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Document {
    Event,
    Response,
}

/// Redacts one delivery after the other.
pub(crate) struct Redactor {
    pseudonyms: Pseudonyms,
    secrets: Redaction,
    /// What identifies the player of the current delivery.
    hidden: BTreeSet<String>,
    /// Finds them in a text; made when it is needed.
    finder: Option<AhoCorasick>,
}

impl Redactor {
    /// `key` must be random.
    pub(crate) fn new(key: &[u8; 32], secrets: Redaction) -> Self {
        Self {
            pseudonyms: Pseudonyms::new(key),
            secrets,
            hidden: BTreeSet::new(),
            finder: None,
        }
    }

    /// A request and its response. What is replaced in one part is replaced in all others.
    pub(crate) fn exchange(
        &mut self,
        request: &RawRequest,
        response: Option<&RawResponse>,
    ) -> (RecordedRequest, Option<RecordedResponse>) {
        self.forget();
        let body = self.body(&request.body, Document::Event);
        let request = RecordedRequest {
            method: self.method(&request.method),
            path: self.path(&request.path),
            version: request
                .version
                .clone()
                .filter(|version| is_version(version)),
            headers: self.headers(&request.headers),
            chunked: request.is_chunked,
            body,
        };
        let response = response.map(|response| RecordedResponse {
            status: response.status,
            body: self.body(&response.body, Document::Response),
            headers: self.headers(&response.headers),
        });
        (request, response)
    }

    /// The text of an event alone; `None` if it is not JSON.
    pub(super) fn event(&mut self, text: &str) -> Option<String> {
        self.forget();
        self.json(text, Document::Event)
    }

    fn body(&mut self, body: &RawBody, document: Document) -> RecordedBody {
        let text = std::str::from_utf8(&body.kept)
            .ok()
            .filter(|_| body.is_whole());
        let text = text.and_then(|text| self.json(text, document));
        let not_kept = match &text {
            Some(_) => None,
            None if body.length == 0 => None,
            None if !body.is_whole() => Some(NotKept::TooLong),
            None => Some(NotKept::NotJson),
        };
        RecordedBody {
            length: body.length,
            text,
            rewritten: body.is_rewritten,
            not_kept,
        }
    }

    /// Replaces the values of a JSON text where they are written, so that its layout stays.
    fn json(&mut self, text: &str, document: Document) -> Option<String> {
        let tokens = tokens(text)?;
        for token in tokens.iter().filter(|token| is_replaced(document, token)) {
            let value = decoded(text, token).unwrap_or_default();
            match token.path.first().map(AsRef::as_ref) {
                Some(id) if EVENT_IDS.contains(&id) => self.pseudonyms.learn_prefix(&value),
                _ if token.is_at(&["event_data", "coupon", "code"]) => {}
                _ => self.hide(&value),
            }
        }
        let mut redacted = String::with_capacity(text.len());
        let mut from = 0;
        for token in &tokens {
            if let Some(replacement) = self.replacement(text, token, document) {
                redacted.push_str(&text[from..token.range.start]);
                redacted.push_str(&replacement);
                from = token.range.end;
            }
        }
        redacted.push_str(&text[from..]);
        Some(self.secrets.text(&redacted).into_owned())
    }

    fn replacement(&mut self, text: &str, token: &Token, document: Document) -> Option<String> {
        let written = &text[token.range.clone()];
        let is_replaced = is_replaced(document, token);
        match token.kind {
            TokenKind::Number if is_replaced => Some(self.pseudonyms.of_number(written)),
            TokenKind::Key | TokenKind::String => {
                let Some(decoded) = decoded(text, token) else {
                    return Some("\"[not text]\"".to_owned());
                };
                let is_replaced = is_replaced || self.contains_hidden(&decoded);
                let replacement = is_replaced.then(|| self.pseudonyms.of(&decoded));
                replacement.map(|replacement| rewrite(written, &replacement))
            }
            _ => None,
        }
    }

    fn headers(&mut self, headers: &[(String, String)]) -> Vec<(String, String)> {
        let redacted = headers.iter().map(|(name, value)| {
            let lower = name.to_ascii_lowercase();
            let is_kept =
                HEADERS.contains(&lower.as_str()) || lower.eq_ignore_ascii_case(TIMESTAMP_HEADER);
            let value = if is_kept {
                self.kept(value)
            } else if CREDENTIALS.iter().any(|part| lower.contains(part)) {
                REDACTED.to_owned()
            } else {
                self.pseudonyms.of(value)
            };
            (self.kept(name), value)
        });
        redacted.collect()
    }

    fn method(&mut self, method: &str) -> String {
        let is_method = method.len() <= 10 && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_method {
            return self.kept(method);
        }
        self.pseudonyms.of(method)
    }

    /// Keeps the words of a path, and replaces IDs, tokens and the values of a query.
    fn path(&mut self, path: &str) -> String {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let is_word = |part: &str| {
            let plain = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_' | b'.');
            let is_version = part.len() <= 3 && part.starts_with('v');
            part.len() <= 24 && part.bytes().all(plain) || is_version
        };
        let parts = path.split('/').map(|part| {
            if is_word(part) {
                self.kept(part)
            } else {
                self.pseudonyms.of(part)
            }
        });
        let mut redacted = parts.collect::<Vec<_>>().join("/");
        for (number, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            let (name, value) = pair.split_once('=').unwrap_or(("", pair));
            redacted.push(if number == 0 { '?' } else { '&' });
            if !name.is_empty() {
                redacted.push_str(&self.kept(name));
                redacted.push('=');
            }
            redacted.push_str(&self.pseudonyms.of(value));
        }
        redacted
    }

    /// A text that stays, unless it contains what was replaced elsewhere.
    fn kept(&mut self, text: &str) -> String {
        if self.contains_hidden(text) {
            return self.pseudonyms.of(text);
        }
        self.secrets.text(text).into_owned()
    }

    fn hide(&mut self, value: &str) {
        if value.chars().count() < SHORTEST_HIDDEN {
            return;
        }
        // The beginning of a long value is enough to find it.
        let end = value.floor_char_boundary(LONGEST_HIDDEN);
        if self.hidden.insert(value[..end].to_owned()) {
            self.finder = None;
        }
    }

    fn contains_hidden(&mut self, text: &str) -> bool {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number || self.hidden.is_empty() {
            return false;
        }
        if self.finder.is_none() {
            self.finder = AhoCorasick::new(&self.hidden).ok();
        }
        // What can't be searched is replaced.
        self.finder
            .as_ref()
            .is_none_or(|finder| finder.is_match(text))
    }

    fn forget(&mut self) {
        self.hidden.clear();
        self.finder = None;
    }
}

/// Whether this is an HTTP version: a log can have anything there.
fn is_version(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    text.len() <= 3 && text.bytes().all(allowed)
}

/// Whether the rules replace a value, or the name of a member.
fn is_replaced(document: Document, token: &Token) -> bool {
    let path: Vec<&str> = token.path.iter().map(AsRef::as_ref).collect();
    match token.kind {
        TokenKind::Key => path.last().is_some_and(|name| !is_name(name)),
        TokenKind::String | TokenKind::Number => match document {
            Document::Event => !stays_in_event(&path),
            Document::Response => path
                .last()
                .is_none_or(|last| !RESPONSE_TEXTS.contains(last)),
        },
        TokenKind::Word | TokenKind::Object | TokenKind::List => false,
    }
}

fn stays_in_event(path: &[&str]) -> bool {
    match path {
        [name] => EVENT_TEXTS.contains(name) || *name == "event_time",
        ["event_data", "coupon", name] => matches!(*name, "sku" | "redeemed_at"),
        ["event_data", name] => matches!(*name, "sku" | "item_id"),
        ["event_data", "item" | "items", .., name] => ITEM_VALUES.contains(name),
        _ => false,
    }
}

/// Whether the name of a member is a word of a program, and not an ID that is used as a key.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(allowed)
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
        && name.bytes().filter(u8::is_ascii_digit).count() <= 2
}

/// The text of a string, or a number as it is written.
fn decoded<'text>(text: &'text str, token: &Token) -> Option<Cow<'text, str>> {
    let written = &text[token.range.clone()];
    match token.kind {
        TokenKind::Key | TokenKind::String => {
            serde_json::from_str::<String>(written).ok().map(Cow::Owned)
        }
        _ => Some(written.into()),
    }
}

/// Writes another text with the escapes of a string: `\u00e9` stays such an escape.
fn rewrite(written: &str, replacement: &str) -> String {
    let mut rest = written[1..written.len() - 1].chars();
    let mut rewritten = String::with_capacity(written.len());
    rewritten.push('"');
    for c in replacement.chars() {
        match rest.next() {
            Some('\\') => match rest.next() {
                Some('u') => {
                    let digits: String = rest.by_ref().take(4).collect();
                    let is_upper = digits.contains(|digit: char| digit.is_ascii_uppercase());
                    for (number, unit) in c.encode_utf16(&mut [0; 2]).iter().enumerate() {
                        if number > 0 {
                            // The second half of the pair: `\uXXXX`.
                            rest.by_ref().take(6).for_each(drop);
                        }
                        // Writing to a string can't fail.
                        let _ = if is_upper {
                            write!(rewritten, "\\u{unit:04X}")
                        } else {
                            write!(rewritten, "\\u{unit:04x}")
                        };
                    }
                }
                escaped => rewritten.extend(['\\'].into_iter().chain(escaped)),
            },
            _ => rewritten.push(c),
        }
    }
    rewritten.push('"');
    rewritten
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(&[7; 32], Redaction::new([]))
    }

    fn request(path: &str, headers: &[(&str, &str)], body: &str) -> RawRequest {
        let headers = headers.iter();
        RawRequest {
            method: "POST".to_owned(),
            path: path.to_owned(),
            version: None,
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: RawBody::whole(body),
            is_chunked: false,
        }
    }

    fn redacted(body: &str) -> String {
        let (request, _) = redactor().exchange(&request("/", &[], body), None);
        request.body.text.expect("JSON")
    }

    #[test]
    fn only_what_the_rules_name_stays() {
        let body = json!({
            "event_type": "coupon.redeemed",
            "event_data": {
                "player_id": "2D2R-OP3C",
                "coupon": { "code": "WELCOME", "sku": "crystals", "redeemed_at": 1_725_548_450 },
                "item": {
                    "id": "itm_exTBZQmIlDz", "name": "Gift for 2D2R-OP3C", "sku": "crystals",
                    "quantity": 5, "type": "item", "owner": "Anna",
                },
            },
            "event_time": 1_725_548_450,
            "sandbox": false,
            "context": { "player": { "name": "Zoë 水晶", "level": 12, "P1-ANNA": null, "phone": 491_701_234_567_u64 } },
        });
        let text = redacted(&body.to_string());
        for gone in ["2D2R", "WELCOME", "Anna", "Zoë", "P1-ANNA", "491701234567"] {
            assert!(!text.contains(gone), "{gone} in {text}");
        }
        let event: Value = serde_json::from_str(&text).expect("JSON");
        let item = &event["event_data"]["item"];
        assert_eq!(item["id"], "itm_exTBZQmIlDz");
        assert_eq!(item["quantity"], 5);
        assert_eq!(event["event_data"]["coupon"]["sku"], "crystals");
        assert_eq!(event["event_time"], 1_725_548_450);
        let player_id = event["event_data"]["player_id"].as_str().expect("text");
        assert_eq!((player_id.len(), &player_id[4..5]), (9, "-"));
    }

    #[test]
    fn the_layout_stays() {
        let body = "{ \"context\" : {\r\n\t\"a\": \"x\\/Z\\u00e9\\uD83D\\uDC8E\\n\\\"é\" , \"n\": -1.50E3}}\n";
        let text = redacted(body);
        let plain = |text: &str| {
            let class = |c: char| match c {
                '0'..='9' => '0',
                'a'..='z' => 'a',
                'A'..='Z' => 'A',
                '\0'..='\u{7f}' => c,
                _ => 'é',
            };
            text.chars().map(class).collect::<String>()
        };
        assert_eq!(text.len(), body.len());
        let without_hex = |text: &str| plain(text)[..30].to_owned();
        assert_eq!(without_hex(&text), without_hex(body));
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let read = read["context"]["a"].as_str().expect("text");
        assert_eq!(read.chars().count(), "x/Zé💎\n\"é".chars().count());
    }

    #[test]
    fn headers_and_paths_lose_what_identifies() {
        let (request, _) = redactor().exchange(
            &request(
                "/v1/webhooks/aghanim/tok_9aF3?player=P1&x",
                &[
                    ("Host", "game.example.com"),
                    ("X-Forwarded-For", "203.0.113.7"),
                    ("Authorization", "Bearer abc"),
                    ("User-Agent", "Aghanim/0.1.0"),
                    ("X-Aghanim-Signature-Timestamp", "1725548450"),
                ],
                "{}",
            ),
            None,
        );
        assert!(request.path.starts_with("/v1/webhooks/aghanim/"));
        let line = serde_json::to_string(&request).expect("JSON");
        for gone in ["9aF3", "P1", "game.example", "203.0.113.7", "Bearer", "abc"] {
            assert!(!line.contains(gone), "{gone} in {line}");
        }
        for kept in ["Aghanim/0.1.0", "1725548450", "X-Forwarded-For"] {
            assert!(line.contains(kept), "{kept} in {line}");
        }
    }

    #[test]
    fn a_response_keeps_its_status_only() {
        let response = RawResponse {
            status: 400,
            headers: vec![("Set-Cookie".to_owned(), "id=anna".to_owned())],
            body: RawBody::whole(
                r#"{"status":"error","code":"declined","message":"no Anna","id":17}"#,
            ),
        };
        let (_, recorded) = redactor().exchange(&request("/", &[], "{}"), Some(&response));
        let line = serde_json::to_string(&recorded).expect("JSON");
        assert!(
            line.contains("declined") && line.contains("error"),
            "{line}"
        );
        for gone in ["Anna", "anna", ":17"] {
            assert!(!line.contains(gone), "{gone} in {line}");
        }
    }

    #[test]
    fn what_is_not_json_is_not_kept() {
        let (request, _) = redactor().exchange(&request("/", &[], "player=Anna"), None);
        assert_eq!(
            request.body,
            RecordedBody {
                length: 11,
                text: None,
                rewritten: false,
                not_kept: Some(NotKept::NotJson)
            }
        );
    }
}
