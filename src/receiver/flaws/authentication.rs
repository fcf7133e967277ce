//! Flaws in authentication. Uses the headers and the raw body, like the sound step, and also the
//! body's `event_time` if that is the bug.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::protocol::{SIGNATURE_HEADER, SignatureMismatch, TIMESTAMP_HEADER};
use crate::receiver::authentication::{Evidence, check_freshness, only_value, parse_timestamp};
use crate::receiver::refusal::Refusal;

use super::javascript::stringify_parsed;
use super::{Flaw, Flaws, lock};

/// Runs the checks of the sound step in the same order, each with the chosen flaws.
pub(in crate::receiver) fn authenticate(
    flaws: &Flaws,
    evidence: &Evidence<'_>,
) -> Result<(), Refusal> {
    if flaws.has(Flaw::LoginRedirect) {
        return Err(Refusal::CausedByFlaw {
            flaw: Flaw::LoginRedirect,
            status: StatusCode::FOUND,
        });
    }
    let is_missing = |header| !evidence.headers.contains_key(header);
    if flaws.has(Flaw::MissingHeaderPasses)
        && (is_missing(SIGNATURE_HEADER) || is_missing(TIMESTAMP_HEADER))
    {
        return Ok(());
    }
    let timestamp = only_value(evidence.headers, TIMESTAMP_HEADER)?;
    let seconds = parse_timestamp(timestamp)?;
    check_signature(flaws, evidence, timestamp)?;
    check_age(flaws, evidence, seconds)?;
    check_unseen(flaws, evidence)
}

/// Refuses a signature that was seen before. Identical deliveries in the same second have the same
/// signature, so this does not prove a replay.
fn check_unseen(flaws: &Flaws, evidence: &Evidence<'_>) -> Result<(), Refusal> {
    if !flaws.has(Flaw::SeenSignatureRefused) {
        return Ok(());
    }
    let signature = only_value(evidence.headers, SIGNATURE_HEADER)?;
    if lock(&flaws.seen_signatures).insert(signature.to_vec()) {
        Ok(())
    } else {
        Err(Refusal::CausedByFlaw {
            flaw: Flaw::SeenSignatureRefused,
            status: StatusCode::FORBIDDEN,
        })
    }
}

fn check_signature(
    flaws: &Flaws,
    evidence: &Evidence<'_>,
    timestamp: &[u8],
) -> Result<(), Refusal> {
    if flaws.has(Flaw::SignatureNotChecked) {
        return Ok(());
    }
    let signatures = given_signatures(flaws, evidence.headers)?;
    if flaws.has(Flaw::GarbageSignatureCrashes)
        && let Some(given) = signatures.first()
        && !given.iter().all(u8::is_ascii_hexdigit)
    {
        return Err(Refusal::CausedByFlaw {
            flaw: Flaw::GarbageSignatureCrashes,
            status: StatusCode::INTERNAL_SERVER_ERROR,
        });
    }
    let is_well_formed =
        |given: &&[u8]| given.len() == 64 && given.iter().all(u8::is_ascii_hexdigit);
    if flaws.has(Flaw::SignatureFormOnly) && signatures.iter().all(is_well_formed) {
        return Ok(());
    }
    let accepted = accepted_signatures(flaws, evidence, timestamp);
    let matches = |given: &&[u8]| {
        accepted
            .iter()
            .any(|accepted| equals(flaws, accepted, given))
    };
    if signatures.iter().any(matches) {
        Ok(())
    } else {
        Err(SignatureMismatch::Different.into())
    }
}

/// The values of the signature header. Without flaws this is exactly one value, not empty.
fn given_signatures<'a>(flaws: &Flaws, headers: &'a HeaderMap) -> Result<Vec<&'a [u8]>, Refusal> {
    let mut values: Vec<&[u8]> = headers
        .get_all(SIGNATURE_HEADER)
        .iter()
        .map(http::HeaderValue::as_bytes)
        .collect();
    let count_allowed =
        values.len() == 1 || (values.len() > 1 && flaws.has(Flaw::AnySignatureCounts));
    let values_allowed =
        flaws.has(Flaw::PrefixCompare) || values.iter().all(|value| !value.is_empty());
    if !count_allowed || !values_allowed {
        let header = SIGNATURE_HEADER;
        return Err(Refusal::HeaderCount { header });
    }
    if flaws.has(Flaw::SignaturePrefixStripped) {
        for value in &mut values {
            *value = value.strip_prefix(b"sha256=").unwrap_or(value);
        }
    }
    Ok(values)
}

/// Every accepted signature, in lowercase hex. A sound receiver accepts only the first.
fn accepted_signatures(flaws: &Flaws, evidence: &Evidence<'_>, timestamp: &[u8]) -> Vec<String> {
    let rewritten = flaws
        .has(Flaw::BodyReserialised)
        .then(|| stringify_parsed(evidence.body))
        .flatten();
    let body = rewritten.as_deref().unwrap_or(evidence.body);
    let signer = evidence.signer;
    let event_time = flaws
        .has(Flaw::EventTimeSigned)
        .then(|| event_time(evidence.body))
        .flatten()
        .map(|seconds| seconds.to_string());
    let timestamp = event_time.as_deref().map_or(timestamp, str::as_bytes);
    let mut accepted = vec![signer.sign_text(timestamp, body).to_string()];
    if flaws.has(Flaw::TimestampNotSigned) {
        accepted.push(signer.sign_message(body).to_string());
    }
    if flaws.has(Flaw::NeighbouringTimestampTried)
        && let Ok(seconds) = parse_timestamp(timestamp)
    {
        let neighbours = seconds.saturating_sub(2)..=seconds.saturating_add(2);
        accepted.extend(neighbours.map(|seconds| signer.sign(seconds, body).to_string()));
    }
    if flaws.has(Flaw::ExpiredSecretAccepted)
        && let Some(expired) = &flaws.expired_signer
    {
        accepted.push(expired.sign_text(timestamp, body).to_string());
    }
    if flaws.has(Flaw::UnkeyedHashAccepted) {
        let digest = Sha256::new()
            .chain_update(timestamp)
            .chain_update(b".")
            .chain_update(body)
            .finalize();
        accepted.push(hex::encode(digest));
    }
    accepted
}

/// Compares text as flawed handlers do. Not in constant time, since that can't be observed reliably
/// from outside.
fn equals(flaws: &Flaws, accepted: &str, given: &[u8]) -> bool {
    let accepted = if flaws.has(Flaw::SignatureCaseMismatch) {
        Cow::Owned(accepted.to_uppercase())
    } else {
        Cow::Borrowed(accepted)
    };
    if flaws.has(Flaw::PrefixCompare) {
        accepted.as_bytes().starts_with(given)
    } else {
        accepted.as_bytes() == given
    }
}

fn check_age(flaws: &Flaws, evidence: &Evidence<'_>, timestamp: u64) -> Result<(), Refusal> {
    if flaws.has(Flaw::FreshnessNotChecked)
        || (flaws.has(Flaw::FutureTimestampAccepted) && timestamp > evidence.now)
    {
        return Ok(());
    }
    let event_time = flaws
        .has(Flaw::FreshnessByEventTime)
        .then(|| event_time(evidence.body))
        .flatten();
    let checked = event_time.unwrap_or(timestamp);
    check_freshness(checked, evidence.now, evidence.tolerance)
}

/// The body's `event_time`. `None` if the body is not an event, which the next step refuses.
fn event_time(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Timed {
        event_time: u64,
    }
    serde_json::from_slice::<Timed>(body)
        .ok()
        .map(|timed| timed.event_time)
}
