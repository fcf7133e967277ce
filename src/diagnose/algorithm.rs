//! Mistakes in the algorithm: another hash function, no HMAC, or swapped arguments.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::mistake::Mistake;

/// An algorithm that computes a signature from a key and a message.
pub(super) struct Algorithm {
    function: fn(&[u8], &[u8]) -> Vec<u8>,
    /// The mistake in the algorithm.
    pub(super) mistake: Option<Mistake>,
}

impl Algorithm {
    /// Computes the signature.
    pub(super) fn sign(&self, key: &[u8], message: &[u8]) -> Vec<u8> {
        (self.function)(key, message)
    }
}

const FIX: &str = "Use HMAC-SHA256 with the secret as the key.";

/// The correct algorithm first, then the wrong ones.
pub(super) fn variants() -> Vec<Algorithm> {
    let wrong = |function, name, happened, fix| Algorithm {
        function,
        mistake: Some(Mistake::new(name, happened, fix)),
    };
    vec![
        Algorithm {
            function: mac::<Hmac<Sha256>>,
            mistake: None,
        },
        wrong(
            mac::<Hmac<Sha1>>,
            "hmac_sha1",
            "The signature was made with HMAC-SHA1, not HMAC-SHA256.",
            FIX,
        ),
        wrong(
            mac::<Hmac<Sha512>>,
            "hmac_sha512",
            "The signature was made with HMAC-SHA512, not HMAC-SHA256.",
            FIX,
        ),
        wrong(
            mac::<Hmac<Sha384>>,
            "hmac_sha384",
            "The signature was made with HMAC-SHA384, not HMAC-SHA256.",
            FIX,
        ),
        wrong(
            |key, message| mac::<Hmac<Sha256>>(message, key),
            "key_and_message_swapped",
            "The key and the message were swapped: the message was used as the key.",
            "Swap the arguments of the HMAC function: the secret is the key.",
        ),
        wrong(
            |key, message| sha256(&[key, message]),
            "plain_sha256_secret_first",
            "The signature is a plain SHA-256 of the secret followed by the message, not an HMAC.",
            FIX,
        ),
        wrong(
            |key, message| sha256(&[message, key]),
            "plain_sha256_secret_last",
            "The signature is a plain SHA-256 of the message followed by the secret, not an HMAC.",
            FIX,
        ),
        wrong(
            |_, message| sha256(&[message]),
            "plain_sha256_without_secret",
            "The signature is a plain SHA-256 of the message without the secret, so anyone can \
             compute it.",
            FIX,
        ),
    ]
}

fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    match <M as KeyInit>::new_from_slice(key) {
        Ok(mac) => mac.chain_update(message).finalize().into_bytes().to_vec(),
        Err(_) => unreachable!("HMAC accepts keys of any length"),
    }
}

/// The plain SHA-256 of the concatenated parts.
pub(super) fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().to_vec()
}
