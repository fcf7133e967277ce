//! Signing and verification: lowercase hex of HMAC-SHA256 over `timestamp "." body`.
//!
//! Source: `docs/protocol.md`, "Signature" `[P]`.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Secret;

type HmacSha256 = Hmac<Sha256>;

/// The length of a signature in bytes. Its hex text is twice as long.
const SIGNATURE_BYTES: usize = 32;

/// The signature of a timestamp and a body. `Display` writes it in lowercase hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; SIGNATURE_BYTES]);

impl Signature {
    pub fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }

    /// The signature's 64 lowercase hex digits, without allocating.
    pub fn to_hex(self) -> [u8; 2 * SIGNATURE_BYTES] {
        let mut digits = [b'0'; 2 * SIGNATURE_BYTES];
        // The lengths match, so this can't fail.
        let _ = hex::encode_to_slice(self.0, &mut digits);
        digits
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureMismatch {
    #[error("the signature is not 64 lowercase hex digits")]
    Malformed,
    #[error("the signature does not match the secret, the timestamp and the body")]
    Different,
}

/// Signs and verifies with one secret. The key is prepared only once.
#[derive(Clone)]
pub struct Signer {
    keyed: HmacSha256,
}

impl Signer {
    /// Prepares the key.
    pub fn new(secret: &Secret) -> Self {
        Self::from_key(secret.expose_bytes())
    }

    /// Prepares a key of any length.
    pub(crate) fn from_key(key: &[u8]) -> Self {
        match HmacSha256::new_from_slice(key) {
            Ok(keyed) => Self { keyed },
            Err(_) => unreachable!("HMAC accepts keys of any length"),
        }
    }

    /// Signs `body` with `timestamp` in Unix seconds.
    pub fn sign(&self, timestamp: u64, body: &[u8]) -> Signature {
        self.sign_text(itoa::Buffer::new().format(timestamp).as_bytes(), body)
    }

    /// Signs `body` with the exact text of the timestamp header.
    pub fn sign_text(&self, timestamp: &[u8], body: &[u8]) -> Signature {
        let mac = self.mac_of(&[timestamp, b".", body]);
        Signature(mac.finalize().into_bytes().into())
    }

    /// Signs any message, for senders that build it differently.
    pub fn sign_message(&self, message: &[u8]) -> Signature {
        Signature(self.mac_of(&[message]).finalize().into_bytes().into())
    }

    /// Checks in constant time that `signature` is the header text for this timestamp and body.
    pub fn verify(
        &self,
        timestamp: &[u8],
        body: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureMismatch> {
        let lowercase_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if signature.len() != 2 * SIGNATURE_BYTES || !signature.iter().all(lowercase_hex) {
            return Err(SignatureMismatch::Malformed);
        }
        let mut tag = [0; SIGNATURE_BYTES];
        hex::decode_to_slice(signature, &mut tag).map_err(|_| SignatureMismatch::Malformed)?;
        self.mac_of(&[timestamp, b".", body])
            .verify_slice(&tag)
            .map_err(|_| SignatureMismatch::Different)
    }

    fn mac_of(&self, parts: &[&[u8]]) -> HmacSha256 {
        let mut keyed = self.keyed.clone();
        for part in parts {
            keyed.update(part);
        }
        keyed
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Signer([not shown])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with OpenSSL 3, which shares no code with this crate:
    /// `printf '%s' 'TIMESTAMP.BODY' | openssl dgst -sha256 -hmac 'SECRET'`
    const VECTORS: [(&str, u64, &str, &str); 4] = [
        (
            "whsec_test_1",
            1_725_548_450,
            "{\"event_type\":\"coupon.redeemed\"}",
            "f2f253cff43fc2f8115cc3d8a90e6a8b52b130720141c6bfe08a914f8749a1b9",
        ),
        (
            "пароль🔑",
            0,
            "",
            "d425fca5f9cbb586a3ddc682216cc2ac4bcefd2d5c08cc6348bd0064af101027",
        ),
        (
            "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
            18_446_744_073_709_551_615,
            "{\"name\":\"Кристалл 💎\"}",
            "21a3990df3da688bbb79634819e371f738e03c13999256e45c4dfcb2c8be567f",
        ),
        (
            "s",
            1,
            "\n",
            "78fc10bad285b37fbea08cac28fc265a97b880638500234bd403dd4960b080a2",
        ),
    ];

    fn signer(secret: &str) -> Signer {
        Signer::new(&Secret::new(secret).expect("not empty"))
    }

    #[test]
    fn signatures_equal_those_of_openssl() {
        for (secret, timestamp, body, expected) in VECTORS {
            let signature = signer(secret).sign(timestamp, body.as_bytes());
            assert_eq!(signature.to_string(), expected);
            assert_eq!(&signature.to_hex(), expected.as_bytes());
        }
    }

    #[test]
    fn verifies_only_what_was_signed() {
        let signer = signer("whsec_test_1");
        let body = b"{}";
        let header = signer.sign(7, body).to_hex();
        assert_eq!(signer.verify(b"7", body, &header), Ok(()));
        assert_eq!(
            signer.verify(b"8", body, &header),
            Err(SignatureMismatch::Different)
        );
        assert_eq!(
            signer.verify(b"07", body, &header),
            Err(SignatureMismatch::Different)
        );
        assert_eq!(
            signer.verify(b"7", b"{ }", &header),
            Err(SignatureMismatch::Different)
        );
    }

    #[test]
    fn a_malformed_signature_is_reported_as_malformed() {
        let signer = signer("whsec_test_1");
        let header = signer.sign(7, b"{}").to_string();
        for malformed in [
            "",
            &header[..63],
            &header.to_uppercase(),
            &format!("sha256={header}"),
        ] {
            let verdict = signer.verify(b"7", b"{}", malformed.as_bytes());
            assert_eq!(verdict, Err(SignatureMismatch::Malformed), "{malformed:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let secret = Secret::new("hunter2hunter2").expect("not empty");
        let text = format!("{secret:?} {:?}", Signer::new(&secret));
        assert!(!text.contains("hunter2"), "{text}");
    }
}
