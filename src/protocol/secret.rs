//! A webhook's secret, which must not appear in any output.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A webhook's secret: never empty, wiped from memory when dropped, and hidden in `Debug` output.
#[derive(Clone)]
pub struct Secret(SecretString);

/// The secret is empty, so anyone could sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret is empty")]
pub struct EmptySecret;

impl Secret {
    /// Creates a secret from its exact text, whose UTF-8 bytes are the key.
    pub fn new(text: impl Into<String>) -> Result<Self, EmptySecret> {
        let text = text.into();
        if text.is_empty() {
            return Err(EmptySecret);
        }
        Ok(Self(SecretString::from(text)))
    }

    /// The bytes of the key. They must not reach any output.
    pub fn expose_bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }

    /// The secret's text. It must not reach any output.
    pub fn expose_text(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret([not shown])")
    }
}
