//! Mistakes in the algorithm: another hash function, no HMAC, or swapped arguments.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::mistake::{Candidates, mistakes};

/// Computes a signature from a key and a message.
pub(super) type Algorithm = fn(&[u8], &[u8]) -> Vec<u8>;

mistakes! {
    "Use HMAC-SHA256 with the secret as the key.";
    HMAC_SHA1 "hmac_sha1" "The signature was made with HMAC-SHA1, not HMAC-SHA256.";
    HMAC_SHA512 "hmac_sha512" "The signature was made with HMAC-SHA512, not HMAC-SHA256.";
    HMAC_SHA384 "hmac_sha384" "The signature was made with HMAC-SHA384, not HMAC-SHA256.";
    SWAPPED "key_and_message_swapped"
        "The key and the message were swapped: the message was used as the key."
        "Swap the arguments of the HMAC function: the secret is the key.";
    SECRET_FIRST "plain_sha256_secret_first"
        "The signature is a plain SHA-256 of the secret followed by the message, not an HMAC.";
    SECRET_LAST "plain_sha256_secret_last"
        "The signature is a plain SHA-256 of the message followed by the secret, not an HMAC.";
    WITHOUT_SECRET "plain_sha256_without_secret"
        "The signature is a plain SHA-256 of the message without the secret, so anyone can compute it.";
}

pub(super) fn candidates() -> Candidates<Algorithm> {
    let mut algorithms: Candidates<Algorithm> = Candidates::correct(mac::<Hmac<Sha256>>);
    algorithms.push(mac::<Hmac<Sha1>>, [HMAC_SHA1]);
    algorithms.push(mac::<Hmac<Sha512>>, [HMAC_SHA512]);
    algorithms.push(mac::<Hmac<Sha384>>, [HMAC_SHA384]);
    algorithms.push(|key, message| mac::<Hmac<Sha256>>(message, key), [SWAPPED]);
    algorithms.push(|key, message| sha256(&[key, message]), [SECRET_FIRST]);
    algorithms.push(|key, message| sha256(&[message, key]), [SECRET_LAST]);
    algorithms.push(|_, message| sha256(&[message]), [WITHOUT_SECRET]);
    algorithms
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
