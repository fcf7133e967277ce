//! Keeps secrets out of everything that is reported, even where a receiver sends them back.

use std::borrow::Cow;

use crate::protocol::Secret;

/// What stands in place of a secret.
const SHOWN_INSTEAD: &str = "[secret not shown]";

/// Replaces secrets wherever they stand in what did not come from us.
#[derive(Debug, Clone)]
pub struct Redaction {
    secrets: Vec<Secret>,
}

impl Redaction {
    /// Hides all of `secrets`.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self {
            secrets: secrets.into_iter().collect(),
        }
    }

    /// `text` without the secrets.
    pub fn text<'text>(&self, text: &'text str) -> Cow<'text, str> {
        self.secrets
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

    /// `bytes` without the secrets, also where they are no text.
    pub fn bytes<'bytes>(&self, bytes: &'bytes [u8]) -> Cow<'bytes, [u8]> {
        self.secrets
            .iter()
            .map(Secret::expose_bytes)
            .fold(bytes.into(), |bytes, secret| {
                replaced(&bytes, secret).map_or(bytes, Cow::Owned)
            })
    }
}

/// `bytes` without `secret`; nothing if it is not in there.
fn replaced(bytes: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
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
}
