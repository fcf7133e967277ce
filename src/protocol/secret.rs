//! A webhook's secret, which no output may show.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A webhook's secret: not empty, wiped from memory when dropped, and never in `Debug` text.
#[derive(Clone)]
pub struct Secret(SecretString);

/// A secret of no characters, with which everyone could sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret is empty")]
pub struct EmptySecret;

impl Secret {
    /// Takes the secret's text as it is; its UTF-8 bytes are the key.
    pub fn new(text: impl Into<String>) -> Result<Self, EmptySecret> {
        let text = text.into();
        if text.is_empty() {
            return Err(EmptySecret);
        }
        Ok(Self(SecretString::from(text)))
    }

    /// The bytes of the key. What is made of them must not reach any output.
    pub fn expose_bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }

    /// The secret's text. What is made of it must not reach any output.
    pub fn expose_text(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret([not shown])")
    }
}
