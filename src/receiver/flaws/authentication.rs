//! Wrong ways to find out who sent a delivery, and when. Looks at headers and raw bytes, as the
//! sound step does, and at the body's `event_time` where that is the bug.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::protocol::{SIGNATURE_HEADER, SignatureMismatch, TIMESTAMP_HEADER};
use crate::receiver::authentication::{Evidence, check_freshness, only_value, parse_timestamp};
use crate::receiver::refusal::Refusal;

use super::javascript::stringify_parsed;
use super::{Flaw, Flaws, lock};

/// The sound step's questions in the same order, each answered as the flaws have it.
pub(in crate::receiver) fn authenticate(
    flaws: &Flaws,
    evidence: &Evidence<'_>,
) -> Result<(), Refusal> {
    if flaws.has(Flaw::LoginRedirect) {
        return Err(Refusal::OnPurpose {
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

/// A signature is a function of body and second, so that this is no proof of a replay.
fn check_unseen(flaws: &Flaws, evidence: &Evidence<'_>) -> Result<(), Refusal> {
    if !flaws.has(Flaw::SeenSignatureRefused) {
        return Ok(());
    }
    let signature = only_value(evidence.headers, SIGNATURE_HEADER)?;
    if lock(&flaws.seen_signatures).insert(signature.to_vec()) {
        Ok(())
    } else {
        Err(Refusal::OnPurpose {
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
        return Err(Refusal::OnPurpose {
            flaw: Flaw::GarbageSignatureCrashes,
            status: StatusCode::INTERNAL_SERVER_ERROR,
        });
    }
    let has_form = |given: &&[u8]| given.len() == 64 && given.iter().all(u8::is_ascii_hexdigit);
    if flaws.has(Flaw::SignatureFormOnly) && signatures.iter().all(has_form) {
        return Ok(());
    }
    let accepted = accepted_signatures(flaws, evidence, timestamp);
    let fits = |given: &&[u8]| {
        accepted
            .iter()
            .any(|accepted| equals(flaws, accepted, given))
    };
    if signatures.iter().any(fits) {
        Ok(())
    } else {
        Err(SignatureMismatch::Different.into())
    }
}

/// What the signature header says: one value that is not empty, but for the flaws.
fn given_signatures<'a>(flaws: &Flaws, headers: &'a HeaderMap) -> Result<Vec<&'a [u8]>, Refusal> {
    let mut values: Vec<&[u8]> = headers
        .get_all(SIGNATURE_HEADER)
        .iter()
        .map(http::HeaderValue::as_bytes)
        .collect();
    let is_only = values.len() == 1 || (values.len() > 1 && flaws.has(Flaw::AnySignatureCounts));
    let is_filled = flaws.has(Flaw::PrefixCompare) || values.iter().all(|value| !value.is_empty());
    if !is_only || !is_filled {
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

/// Every text that the header may be, in lowercase hex; of a sound receiver the first alone.
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
        && let Some(expired) = &flaws.expired
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

/// Compares text as these handlers do, and not in constant time: that can't be seen from outside
/// with any certainty.
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
    let judged = event_time.unwrap_or(timestamp);
    check_freshness(judged, evidence.now, evidence.tolerance)
}

/// The body's own time; none where it is no event, which the next step says.
fn event_time(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Timed {
        event_time: u64,
    }
    serde_json::from_slice::<Timed>(body)
        .ok()
        .map(|timed| timed.event_time)
}
