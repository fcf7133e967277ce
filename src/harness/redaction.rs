//! Keeps the secret out of everything that is reported, even where a receiver sends it back.

use std::borrow::Cow;

use crate::protocol::Secret;

/// What stands in place of the secret.
const SHOWN_INSTEAD: &str = "[secret not shown]";

/// Replaces a secret wherever it stands in text that did not come from us.
#[derive(Debug, Clone)]
pub struct Redaction {
    secret: Secret,
}

impl Redaction {
    /// Hides `secret`.
    pub fn new(secret: Secret) -> Self {
        Self { secret }
    }

    /// `text` without the secret.
    pub fn text<'text>(&self, text: &'text str) -> Cow<'text, str> {
        let secret = self.secret.expose_text();
        if text.contains(secret) {
            return text.replace(secret, SHOWN_INSTEAD).into();
        }
        text.into()
    }

    /// `bytes` without the secret, also where they are no text.
    pub fn bytes<'bytes>(&self, bytes: &'bytes [u8]) -> Cow<'bytes, [u8]> {
        let secret = self.secret.expose_bytes();
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
        if rest.len() == bytes.len() {
            return bytes.into();
        }
        kept.extend_from_slice(rest);
        kept.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_replaced_wherever_it_stands() {
        let redaction = Redaction::new(Secret::new("hunter2").unwrap());
        assert_eq!(redaction.text("a hunter2 b"), "a [secret not shown] b");
        assert_eq!(redaction.text("nothing here"), "nothing here");
        let bytes = redaction.bytes(b"\xffhunter2\xfehunter2");
        assert_eq!(
            bytes.as_ref(),
            b"\xff[secret not shown]\xfe[secret not shown]"
        );
        assert!(matches!(redaction.bytes(b"plain"), Cow::Borrowed(_)));
    }
}
