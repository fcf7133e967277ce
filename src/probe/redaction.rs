//! Removes secrets from everything that is reported, even if a receiver sends them back.

mod layer;
mod secret_form;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use self::secret_form::{ReadForms, SecretForm, find};
use crate::protocol::Secret;

pub(crate) const REDACTED: &str = "[secret not shown]";

/// Replaces secrets in text and bytes, both in plain form and in the encodings that receivers use; the
/// documentation lists them.
#[derive(Debug, Clone)]
pub(crate) struct Redaction {
    forms: Vec<ReadForms>,
}

impl Redaction {
    pub(crate) fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let secrets = secrets.into_iter();
        Self::of_forms(secrets.flat_map(|secret| SecretForm::all_of(&secret)))
    }

    fn of_forms(forms: impl Iterator<Item = SecretForm>) -> Self {
        let mut forms: Vec<SecretForm> = forms.collect();
        forms.sort_unstable();
        forms.dedup();
        Self {
            forms: ReadForms::all_of(&forms),
        }
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
        let others = others.into_iter().flat_map(|other| &other.forms);
        let all = self.forms.iter().chain(others);
        Self::of_forms(all.flat_map(|read| read.forms.iter().cloned()))
    }

    pub(crate) fn text<'text>(&self, text: &'text str) -> Cow<'text, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => text.into(),
            Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
        }
    }

    /// Removes the secrets from `bytes`, which may be binary.
    pub(crate) fn bytes<'bytes>(&self, bytes: &'bytes [u8]) -> Cow<'bytes, [u8]> {
        let found = find(&self.forms, bytes);
        if found.is_empty() {
            return bytes.into();
        }
        let mut redacted = Vec::new();
        let mut from = 0;
        for range in found {
            redacted.extend_from_slice(&bytes[from..range.start]);
            redacted.extend_from_slice(REDACTED.as_bytes());
            from = range.end;
        }
        redacted.extend_from_slice(&bytes[from..]);
        redacted.into()
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
            Value::Number(number) => match self.text(&number.to_string()) {
                Cow::Owned(redacted) => {
                    *json = Value::String(redacted);
                    true
                }
                Cow::Borrowed(_) => false,
            },
            _ => false,
        }
    }
}
