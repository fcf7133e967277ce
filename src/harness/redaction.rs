//! Keeps secrets out of everything that is reported, even where a receiver sends them back.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::placeholders::percent_encoded;
use crate::protocol::Secret;

/// What stands in place of a secret.
pub(super) const SHOWN_INSTEAD: &str = "[secret not shown]";

/// The shortest secret, in bytes, whose encoded forms are looked for as well: those of a shorter
/// one stand in any text by chance.
const ENCODED_FROM: usize = 6;

/// Replaces secrets wherever they stand in what did not come from us: as they are, and in the
/// forms that a receiver's log or JSON may give them.
#[derive(Debug, Clone)]
pub struct Redaction {
    /// All forms of all secrets, the longest first.
    forms: Vec<Secret>,
}

impl Redaction {
    /// Hides all of `secrets`.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut forms: Vec<Secret> = secrets.into_iter().flat_map(forms_of).collect();
        forms.sort_by(|one, other| {
            let (one, other) = (one.expose_text(), other.expose_text());
            (other.len(), other).cmp(&(one.len(), one))
        });
        forms.dedup_by(|one, other| one.expose_text() == other.expose_text());
        Self { forms }
    }

    /// `text` without the secrets.
    pub fn text<'text>(&self, text: &'text str) -> Cow<'text, str> {
        self.forms
            .iter()
            .map(Secret::expose_text)
            .fold(text.into(), |text, secret| {
                if text.contains(secret) {
                    text.replace(secret, SHOWN_INSTEAD).into()
                } else {
                    text
                }
            })
    }

    /// `bytes` without the secrets, also where they are no text. JSON in which a secret stands
    /// behind escapes is written anew without it.
    pub fn bytes<'bytes>(&self, bytes: &'bytes [u8]) -> Cow<'bytes, [u8]> {
        let plain = self
            .forms
            .iter()
            .map(Secret::expose_bytes)
            .fold(Cow::from(bytes), |bytes, secret| {
                replaced(&bytes, secret).map_or(bytes, Cow::Owned)
            });
        match self.behind_escapes(&plain) {
            Some(json) => Cow::Owned(json),
            None => plain,
        }
    }

    /// `json` without the secrets in its texts and keys.
    pub fn json<'json>(&self, json: &'json Value) -> Cow<'json, Value> {
        let mut hidden = json.clone();
        if self.hide_in(&mut hidden) {
            Cow::Owned(hidden)
        } else {
            Cow::Borrowed(json)
        }
    }

    fn behind_escapes(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if !bytes.contains(&b'\\') {
            return None;
        }
        let mut json: Value = serde_json::from_slice(bytes).ok()?;
        self.hide_in(&mut json)
            .then(|| json.to_string().into_bytes())
    }

    /// Takes the secrets out of all texts and keys; whether there were any.
    fn hide_in(&self, json: &mut Value) -> bool {
        match json {
            Value::String(text) => match self.text(text) {
                Cow::Owned(hidden) => {
                    *text = hidden;
                    true
                }
                Cow::Borrowed(_) => false,
            },
            Value::Array(items) => {
                let found = items.iter_mut().map(|item| self.hide_in(item));
                found.filter(|found| *found).count() > 0
            }
            Value::Object(entries) => {
                let keys_hide = entries
                    .keys()
                    .any(|key| matches!(self.text(key), Cow::Owned(_)));
                if keys_hide {
                    let renamed = std::mem::take(entries)
                        .into_iter()
                        .map(|(key, value)| (self.text(&key).into_owned(), value));
                    *entries = renamed.collect();
                }
                let found = entries.values_mut().map(|value| self.hide_in(value));
                found.filter(|found| *found).count() > 0 || keys_hide
            }
            _ => false,
        }
    }
}

/// The secret as it is, in JSON, in a shell's quotes, in a URL, in hex and in base64.
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

/// `bytes` without `secret`; nothing if it is not in there.
fn replaced(bytes: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    // Nearly every answer is text, in which the search is many times faster: a long answer must not
    // hold up those that are on their way.
    if let (Ok(text), Ok(secret)) = (std::str::from_utf8(bytes), std::str::from_utf8(secret)) {
        let is_there = text.contains(secret);
        return is_there.then(|| text.replace(secret, SHOWN_INSTEAD).into_bytes());
    }
    let mut kept = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest
        .windows(secret.len())
        .position(|window| window == secret)
    {
        kept.extend_from_slice(&rest[..at]);
        kept.extend_from_slice(SHOWN_INSTEAD.as_bytes());
        rest = &rest[at + secret.len()..];
    }
    (rest.len() < bytes.len()).then(|| {
        kept.extend_from_slice(rest);
        kept
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_replaced_wherever_they_stand() {
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
            assert!(hidden.contains(SHOWN_INSTEAD), "{text}: {hidden}");
        }
    }

    #[test]
    fn a_short_secret_leaves_what_only_looks_like_an_encoding_of_it() {
        let redaction = Redaction::new([Secret::new("abc").unwrap()]);
        assert_eq!(redaction.text("616263 abc"), "616263 [secret not shown]");
    }
}
