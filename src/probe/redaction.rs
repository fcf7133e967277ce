//! Removes secrets from everything that is reported, even if a receiver sends them back.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::placeholders::percent_encoded;
use crate::protocol::Secret;

pub(crate) const REDACTED: &str = "[secret not shown]";

/// The minimum length, in bytes, of secrets whose encoded forms are redacted too. The encoded forms
/// of shorter ones would match any text by chance.
const ENCODED_FROM: usize = 6;

/// Replaces secrets in text and bytes, both in plain form and in the encodings that a receiver's
/// log or JSON may use.
#[derive(Debug, Clone)]
pub(crate) struct Redaction {
    /// All forms of all secrets, longest first.
    forms: Vec<Secret>,
}

impl Redaction {
    pub(crate) fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self::of_forms(secrets.into_iter().flat_map(forms_of).collect())
    }

    fn of_forms(mut forms: Vec<Secret>) -> Self {
        forms.sort_by(|one, other| {
            let (one, other) = (one.expose_text(), other.expose_text());
            (other.len(), other).cmp(&(one.len(), one))
        });
        forms.dedup_by(|one, other| one.expose_text() == other.expose_text());
        Self { forms }
    }

    /// Creates a redaction of environment variables that are long enough to be credentials. Shorter
    /// ones would match any text by chance.
    pub(crate) fn of_variables(values: Vec<String>) -> Self {
        const MIN_LENGTH: usize = 4;
        let long = values.into_iter().filter(|value| value.len() >= MIN_LENGTH);
        Self::new(long.filter_map(|value| Secret::new(value).ok()))
    }

    #[must_use]
    pub(crate) fn and<'other>(self, others: impl IntoIterator<Item = &'other Self>) -> Self {
        let others = others.into_iter().flat_map(|other| other.forms.clone());
        Self::of_forms(self.forms.into_iter().chain(others).collect())
    }

    pub(crate) fn text<'text>(&self, text: &'text str) -> Cow<'text, str> {
        self.forms
            .iter()
            .map(Secret::expose_text)
            .fold(text.into(), |text, secret| {
                if text.contains(secret) {
                    text.replace(secret, REDACTED).into()
                } else {
                    text
                }
            })
    }

    /// Removes the secrets from `bytes`, which may be binary. JSON with an escaped secret is
    /// serialised again without it.
    pub(crate) fn bytes<'bytes>(&self, bytes: &'bytes [u8]) -> Cow<'bytes, [u8]> {
        let plain = self
            .forms
            .iter()
            .map(Secret::expose_bytes)
            .fold(Cow::from(bytes), |bytes, secret| {
                replaced(&bytes, secret).map_or(bytes, Cow::Owned)
            });
        if plain.contains(&b'\\')
            && let Ok(mut json) = serde_json::from_slice(&plain)
            && self.redact_json(&mut json)
        {
            return Cow::Owned(json.to_string().into_bytes());
        }
        plain
    }

    /// Removes the secrets from the strings and keys of `json`.
    pub(crate) fn json<'json>(&self, json: &'json Value) -> Cow<'json, Value> {
        let mut redacted = json.clone();
        if self.redact_json(&mut redacted) {
            Cow::Owned(redacted)
        } else {
            Cow::Borrowed(json)
        }
    }

    /// Removes the secrets from all strings and keys. Returns whether there were any.
    fn redact_json(&self, json: &mut Value) -> bool {
        match json {
            Value::String(text) => match self.text(text) {
                Cow::Owned(redacted) => {
                    *text = redacted;
                    true
                }
                Cow::Borrowed(_) => false,
            },
            Value::Array(items) => {
                let found = items.iter_mut().map(|item| self.redact_json(item));
                found.filter(|found| *found).count() > 0
            }
            Value::Object(entries) => {
                let has_secret_key = entries
                    .keys()
                    .any(|key| matches!(self.text(key), Cow::Owned(_)));
                if has_secret_key {
                    let renamed = std::mem::take(entries)
                        .into_iter()
                        .map(|(key, value)| (self.text(&key).into_owned(), value));
                    *entries = renamed.collect();
                }
                let found = entries.values_mut().map(|value| self.redact_json(value));
                found.filter(|found| *found).count() > 0 || has_secret_key
            }
            _ => false,
        }
    }
}

/// The secret in plain form, and encoded for JSON, shell quotes and URLs, in hex and in base64.
fn forms_of(secret: Secret) -> Vec<Secret> {
    let text = secret.expose_text();
    let bytes = secret.expose_bytes();
    let in_json = Value::from(text).to_string();
    let in_json = in_json.trim_matches('"');
    let mut encoded = vec![
        in_json.to_owned(),
        in_json.replace('/', "\\/"),
        text.replace('\'', r"'\''"),
    ];
    if bytes.len() >= ENCODED_FROM {
        encoded.extend([
            percent_encoded(text),
            hex::encode(bytes),
            hex::encode_upper(bytes),
            STANDARD_NO_PAD.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
        ]);
    }
    let encoded = encoded
        .into_iter()
        .filter_map(|form| Secret::new(form).ok());
    let mut forms: Vec<Secret> = encoded.collect();
    forms.push(secret);
    forms
}

/// Removes `secret` from `bytes`; `None` if it does not occur.
fn replaced(bytes: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    // Nearly all responses are text, and searching text is many times faster. A long response must
    // not delay other requests.
    if let (Ok(text), Ok(secret)) = (std::str::from_utf8(bytes), std::str::from_utf8(secret)) {
        let found = text.contains(secret);
        return found.then(|| text.replace(secret, REDACTED).into_bytes());
    }
    let mut redacted = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest
        .windows(secret.len())
        .position(|window| window == secret)
    {
        redacted.extend_from_slice(&rest[..at]);
        redacted.extend_from_slice(REDACTED.as_bytes());
        rest = &rest[at + secret.len()..];
    }
    (rest.len() < bytes.len()).then(|| {
        redacted.extend_from_slice(rest);
        redacted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_replaced_in_text_and_bytes() {
        let secrets = ["hunter2", "swordfish"].map(|text| Secret::new(text).unwrap());
        let redaction = Redaction::new(secrets);
        assert_eq!(redaction.text("a hunter2 b"), "a [secret not shown] b");
        assert_eq!(redaction.text("nothing here"), "nothing here");
        let bytes = redaction.bytes(b"\xffhunter2\xfeswordfishhunter2");
        let expected = b"\xff[secret not shown]\xfe[secret not shown][secret not shown]";
        assert_eq!(bytes.as_ref(), expected);
        assert!(matches!(redaction.bytes(b"plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn encoded_secrets_are_replaced_too() {
        let secret = "whsec/+ \"ж";
        let redaction = Redaction::new([Secret::new(secret).unwrap()]);
        for text in [
            hex::encode(secret),
            hex::encode_upper(secret),
            base64::engine::general_purpose::STANDARD.encode(secret),
            base64::engine::general_purpose::URL_SAFE.encode(secret),
            r#"{"a":"whsec\/+ \"ж"}"#.to_owned(),
            r#"{"a":[{"whs\u0065c/+ \u0022\u0436":1}]}"#.to_owned(),
            percent_encoded(secret),
        ] {
            let hidden = redaction.bytes(text.as_bytes());
            let hidden = String::from_utf8(hidden.into_owned()).unwrap();
            assert!(hidden.contains(REDACTED), "{text}: {hidden}");
        }
    }

    #[test]
    fn encodings_of_a_short_secret_are_not_replaced() {
        let redaction = Redaction::new([Secret::new("abc").unwrap()]);
        assert_eq!(redaction.text("616263 abc"), "616263 [secret not shown]");
    }
}
