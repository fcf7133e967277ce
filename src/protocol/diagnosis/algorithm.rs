//! Mistakes in the algorithm: another digest, no HMAC at all, or its arguments swapped.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Mistake;

/// A way to turn a key and a message into a signature.
pub(super) struct Algorithm {
    function: fn(&[u8], &[u8]) -> Vec<u8>,
    /// What is wrong with it.
    pub(super) mistake: Option<Mistake>,
}

impl Algorithm {
    /// The signature's bytes.
    pub(super) fn sign(&self, key: &[u8], message: &[u8]) -> Vec<u8> {
        (self.function)(key, message)
    }
}

const RIGHT: &str = "Use HMAC with SHA-256 and the secret as its key.";

/// The right algorithm, then the wrong ones.
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
            RIGHT,
        ),
        wrong(
            mac::<Hmac<Sha512>>,
            "hmac_sha512",
            "The signature was made with HMAC-SHA512, not HMAC-SHA256.",
            RIGHT,
        ),
        wrong(
            mac::<Hmac<Sha384>>,
            "hmac_sha384",
            "The signature was made with HMAC-SHA384, not HMAC-SHA256.",
            RIGHT,
        ),
        wrong(
            |key, message| mac::<Hmac<Sha256>>(message, key),
            "key_and_message_swapped",
            "The message was used as the key, and the secret as the message.",
            "Swap the arguments of the HMAC function: the secret is the key.",
        ),
        wrong(
            |key, message| sha256(&[key, message]),
            "plain_sha256_secret_first",
            "The signature is a plain SHA-256 of the secret followed by the message, not an HMAC.",
            RIGHT,
        ),
        wrong(
            |key, message| sha256(&[message, key]),
            "plain_sha256_secret_last",
            "The signature is a plain SHA-256 of the message followed by the secret, not an HMAC.",
            RIGHT,
        ),
        wrong(
            |_, message| sha256(&[message]),
            "plain_sha256_without_secret",
            "The signature is a plain SHA-256 of the message; no secret is in it, so that everyone \
             can make one.",
            RIGHT,
        ),
    ]
}

fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    match <M as KeyInit>::new_from_slice(key) {
        Ok(mac) => mac.chain_update(message).finalize().into_bytes().to_vec(),
        Err(_) => unreachable!("HMAC takes keys of every length"),
    }
}

/// Plain SHA-256 of the parts in a row.
pub(super) fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().to_vec()
}
