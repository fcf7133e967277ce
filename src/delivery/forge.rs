//! Builds the request of each forgery: what an attacker or a broken sender would send.
//!
//! [`Forgery::about`] says which mistake of a receiver each forgery reveals. The caller passes the
//! random number generator.

mod tamper;

use bytes::Bytes;
use rand::{Rng, RngExt};
use sha2::{Digest, Sha256};

use self::tamper::raise_quantity;
use crate::policy::Forgery;
use crate::protocol::{
    SIGNATURE_HEADER, Secret, Signature, Signer, TIMESTAMP_HEADER, request_headers,
};

/// How far off a stale or future timestamp is, in seconds: more than any sensible tolerance.
const ONE_DAY: u64 = 86_400;

/// The input for a genuine or forged request.
#[derive(Debug, Clone, Copy)]
pub struct ForgeInput<'a> {
    /// The target's authority, for the `Host` header.
    pub host: &'a str,
    /// The body of the genuine delivery.
    pub body: &'a Bytes,
    /// The current time, in Unix seconds.
    pub timestamp: u64,
    /// Signs with the current secret.
    pub signer: &'a Signer,
    /// Signs with the previous secret. If `None`, `expired_secret` uses a random secret.
    pub expired: Option<&'a Signer>,
}

/// The headers and the body of a genuine or forged delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The headers in the source's order and spelling.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
    /// The timestamp that was signed, in Unix seconds. The header may contain a different one.
    pub signed_timestamp: u64,
}

/// Builds the genuine delivery.
pub fn sign(input: &ForgeInput<'_>) -> SignedRequest {
    signed(input, input.signer, input.timestamp)
}

/// Builds a forged delivery. The same generator state gives the same bytes.
pub fn forge<R: Rng + ?Sized>(
    forgery: Forgery,
    input: &ForgeInput<'_>,
    rng: &mut R,
) -> SignedRequest {
    if let Some(guess) = forgery.guessed_secret() {
        return signed(input, &Signer::from_key(guess.as_bytes()), input.timestamp);
    }
    let mut request = sign(input);
    if let Some(text) = forgery.timestamp_text(input.timestamp) {
        let signature = input.signer.sign_text(text.as_bytes(), input.body);
        set(&mut request, TIMESTAMP_HEADER, text);
        set_signature(&mut request, signature.to_string());
        return request;
    }
    let correct = input.signer.sign(input.timestamp, input.body);
    match forgery {
        Forgery::MissingSignature => remove(&mut request, SIGNATURE_HEADER),
        Forgery::MissingTimestamp => remove(&mut request, TIMESTAMP_HEADER),
        Forgery::EmptySignature => set_signature(&mut request, String::new()),
        Forgery::WrongSecret => return signed(input, &random_signer(rng), input.timestamp),
        Forgery::TruncatedSignature => {
            let mut half = correct.to_string();
            half.truncate(half.len() / 2);
            set_signature(&mut request, half);
        }
        Forgery::GarbageSignature => {
            let letters = (0..64).map(|_| char::from(rng.random_range(b'g'..=b'z')));
            let letters = letters.collect();
            set_signature(&mut request, letters);
        }
        Forgery::TamperedBody => request.body = raise_quantity(input.body),
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
        Forgery::PrefixedSignature => set_signature(&mut request, format!("sha256={correct}")),
        Forgery::TwoSignatures => {
            let wrong = random_signer(rng).sign(input.timestamp, input.body);
            insert_before_signature(&mut request, &wrong);
        }
        // Built above.
        Forgery::EmptySecret
        | Forgery::BlankSecret
        | Forgery::GuessedSecret
        | Forgery::GuessedChangeme
        | Forgery::GuessedNull
        | Forgery::GuessedUndefined
        | Forgery::GuessedHeaderName
        | Forgery::TimestampWord
        | Forgery::TimestampExponent
        | Forgery::TimestampNegative
        | Forgery::TimestampHuge
        | Forgery::TimestampMilliseconds => {}
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
    let position = headers.position(|(name, _)| *name == SIGNATURE_HEADER);
    let header = (SIGNATURE_HEADER, signature.to_string());
    request.headers.insert(position.unwrap_or_default(), header);
}

/// A signer with a secret of 32 random letters.
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
