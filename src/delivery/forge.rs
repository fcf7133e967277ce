//! Makes the request of each forgery: what an attacker, or a sender gone wrong, would send.
//!
//! Which mistake of a receiver each one reveals is said by [`Forgery::about`]. What is random in a
//! forgery comes from the generator that is handed in.

mod tamper;

use bytes::Bytes;
use rand::{Rng, RngExt};
use sha2::{Digest, Sha256};

use self::tamper::ask_for_more;
use crate::protocol::{
    SIGNATURE_HEADER, Secret, Signature, Signer, TIMESTAMP_HEADER, request_headers,
};
use crate::scenario::Forgery;

/// How far a stale or future timestamp is off, in seconds: more than any sensible tolerance.
const ONE_DAY: u64 = 86_400;

/// What a forged request is made of.
#[derive(Debug, Clone, Copy)]
pub struct ForgeInput<'a> {
    /// The target's authority, for the `Host` header.
    pub host: &'a str,
    /// The body of the genuine delivery.
    pub body: &'a Bytes,
    /// The present, in Unix seconds.
    pub timestamp: u64,
    /// Signs with the present secret.
    pub signer: &'a Signer,
    /// Signs with the secret before the present one; without it a random secret stands for it.
    pub expired: Option<&'a Signer>,
}

/// The headers and the body of a delivery, genuine or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The headers in the source's order and spelling.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
    /// The timestamp that was signed, in Unix seconds. The header's can be another.
    pub signed_timestamp: u64,
}

/// The genuine delivery.
pub fn sign(input: &ForgeInput<'_>) -> SignedRequest {
    signed(input, input.signer, input.timestamp)
}

/// A forged delivery. The same generator state gives the same bytes.
///
/// - `missing_signature`, `missing_timestamp`: the header is left out, all else is genuine.
/// - `empty_signature`: the header's value has no characters.
/// - `wrong_secret`: signed with a random secret.
/// - `truncated_signature`: the first 32 of the right 64 hex digits.
/// - `garbage_signature`: 64 random letters from g to z, which are no hex digits.
/// - `tampered_body`: signed, then a digit of the first `quantity` is raised, so that the body
///   stays JSON and asks for more. A body without a quantity gets a space at its end.
/// - `swapped_timestamp`: signed, then the header's timestamp is set one second back: still fresh.
/// - `body_only_signature`: the HMAC of the body alone.
/// - `stale_timestamp`, `future_timestamp`: rightly signed, one day ago or ahead.
/// - `expired_secret`: rightly signed with the secret before the present one.
/// - `wrong_algorithm`: SHA-256 of `timestamp.body`, without a key, in 64 hex digits.
/// - `prefixed_signature`: `sha256=` and the right hex digits.
/// - `two_signatures`: a header with a signature by a random secret, then one with the right one.
pub fn forge<R: Rng + ?Sized>(
    forgery: Forgery,
    input: &ForgeInput<'_>,
    rng: &mut R,
) -> SignedRequest {
    let mut request = sign(input);
    let right = input.signer.sign(input.timestamp, input.body);
    match forgery {
        Forgery::MissingSignature => remove(&mut request, SIGNATURE_HEADER),
        Forgery::MissingTimestamp => remove(&mut request, TIMESTAMP_HEADER),
        Forgery::EmptySignature => set_signature(&mut request, String::new()),
        Forgery::WrongSecret => return signed(input, &random_signer(rng), input.timestamp),
        Forgery::TruncatedSignature => {
            let mut half = right.to_string();
            half.truncate(half.len() / 2);
            set_signature(&mut request, half);
        }
        Forgery::GarbageSignature => {
            let letters = (0..64).map(|_| char::from(rng.random_range(b'g'..=b'z')));
            let letters = letters.collect();
            set_signature(&mut request, letters);
        }
        Forgery::TamperedBody => request.body = ask_for_more(input.body),
        Forgery::SwappedTimestamp => {
            let other = input.timestamp.checked_sub(1).unwrap_or(1);
            set(&mut request, TIMESTAMP_HEADER, other.to_string());
        }
        Forgery::BodyOnlySignature => {
            let signature = input.signer.sign_message(input.body);
            set_signature(&mut request, signature.to_string());
        }
        Forgery::StaleTimestamp => {
            return signed(input, input.signer, input.timestamp.saturating_sub(ONE_DAY));
        }
        Forgery::FutureTimestamp => {
            return signed(input, input.signer, input.timestamp.saturating_add(ONE_DAY));
        }
        Forgery::ExpiredSecret => {
            return match input.expired {
                Some(expired) => signed(input, expired, input.timestamp),
                None => signed(input, &random_signer(rng), input.timestamp),
            };
        }
        Forgery::WrongAlgorithm => {
            let digest = Sha256::new()
                .chain_update(input.timestamp.to_string())
                .chain_update(b".")
                .chain_update(input.body)
                .finalize();
            set_signature(&mut request, hex::encode(digest));
        }
        Forgery::PrefixedSignature => set_signature(&mut request, format!("sha256={right}")),
        Forgery::TwoSignatures => {
            let wrong = random_signer(rng).sign(input.timestamp, input.body);
            insert_before_signature(&mut request, &wrong);
        }
    }
    request
}

fn signed(input: &ForgeInput<'_>, signer: &Signer, timestamp: u64) -> SignedRequest {
    let signature = signer.sign(timestamp, input.body);
    SignedRequest {
        headers: request_headers(input.host, timestamp, &signature),
        body: input.body.clone(),
        signed_timestamp: timestamp,
    }
}

fn remove(request: &mut SignedRequest, name: &str) {
    request.headers.retain(|(other, _)| *other != name);
}

fn set(request: &mut SignedRequest, name: &str, value: String) {
    let header = request.headers.iter_mut().find(|(other, _)| *other == name);
    if let Some((_, old)) = header {
        *old = value;
    }
}

fn set_signature(request: &mut SignedRequest, value: String) {
    set(request, SIGNATURE_HEADER, value);
}

fn insert_before_signature(request: &mut SignedRequest, signature: &Signature) {
    let mut headers = request.headers.iter();
    let place = headers.position(|(name, _)| *name == SIGNATURE_HEADER);
    let header = (SIGNATURE_HEADER, signature.to_string());
    request.headers.insert(place.unwrap_or_default(), header);
}

/// A signer with 32 random letters as its secret.
fn random_signer<R: Rng + ?Sized>(rng: &mut R) -> Signer {
    let letters: String = (0..32)
        .map(|_| char::from(rng.random_range(b'a'..=b'z')))
        .collect();
    match Secret::new(letters) {
        Ok(secret) => Signer::new(&secret),
        Err(_) => unreachable!("32 letters are not empty"),
    }
}

#[cfg(test)]
mod tests;
