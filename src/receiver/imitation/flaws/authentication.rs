//! Flaws in authentication. Uses the headers and the raw body, like the sound step, and also the
//! body's `event_time` if that is the bug.

use std::sync::atomic::Ordering;

use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::protocol::{SIGNATURE_HEADER, SignatureMismatch, Signer, TIMESTAMP_HEADER};
use crate::receiver::authentication::{
    self, Evidence, check_freshness, only_value, parse_timestamp,
};
use crate::receiver::refusal::Refusal;

use super::{Flaw, Flaws, caused_by, lock};

/// The end of the year 9999, in Unix seconds. Many libraries have no later date.
const LAST_DATE: u64 = 253_402_300_799;

/// The tolerance of [`Flaw::MinuteOldRefused`], in seconds.
const SHORT_TOLERANCE: u64 = 45;

/// The slots of [`Flaw::ForgeriesUseUpSlots`].
const SLOTS: usize = 100;

const EMPTY_SECRETS: &[&str] = &["", " "];
const DEFAULT_SECRETS: &[&str] = &["secret", "changeme", "null", "undefined", SIGNATURE_HEADER];

/// Whether a body is an object with the type of an event.
fn is_event(body: &[u8]) -> bool {
    let body = serde_json::from_slice::<serde_json::Value>(body);
    body.is_ok_and(|body| body["event_type"].is_string())
}

impl Flaws {
    pub(crate) fn authenticate(&self, evidence: &Evidence<'_>) -> Result<(), Refusal> {
        if self.chosen.is_empty() {
            return authentication::authenticate(evidence);
        }
        if self.has(Flaw::ForgeriesUseUpSlots) && self.used_slots.load(Ordering::Relaxed) >= SLOTS {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(caused_by(Flaw::ForgeriesUseUpSlots, status));
        }
        self.verify(evidence).inspect_err(|_| {
            self.used_slots.fetch_add(1, Ordering::Relaxed);
        })
    }

    fn verify(&self, evidence: &Evidence<'_>) -> Result<(), Refusal> {
        if self.has(Flaw::LoginRedirect) {
            return Err(caused_by(Flaw::LoginRedirect, StatusCode::FOUND));
        }
        if self.has(Flaw::UnsignedBodyCrashes) && !is_event(evidence.body) {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Err(caused_by(Flaw::UnsignedBodyCrashes, status));
        }
        let is_missing = |header| !evidence.headers.contains_key(header);
        if self.has(Flaw::MissingHeaderPasses)
            && (is_missing(SIGNATURE_HEADER) || is_missing(TIMESTAMP_HEADER))
        {
            return Ok(());
        }
        let timestamp = only_value(evidence.headers, TIMESTAMP_HEADER)?;
        let seconds = self.read_timestamp(timestamp)?;
        self.check_signature(evidence, timestamp)?;
        if let Some(seconds) = seconds {
            self.check_age(evidence, seconds)?;
        }
        self.check_unseen(evidence)
    }

    /// The timestamp in Unix seconds; `None` if it is NaN, whose age is never too large.
    fn read_timestamp(&self, text: &[u8]) -> Result<Option<u64>, Refusal> {
        let parsed = parse_timestamp(text);
        if self.has(Flaw::TimestampCrashes)
            && !parsed.as_ref().is_ok_and(|seconds| *seconds <= LAST_DATE)
        {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Err(caused_by(Flaw::TimestampCrashes, status));
        }
        if self.has(Flaw::TimestampParsedLoosely) {
            return Ok(leading_number(text));
        }
        let seconds = parsed?;
        if self.has(Flaw::MillisecondsAccepted) && seconds > LAST_DATE {
            return Ok(Some(seconds / 1000));
        }
        Ok(Some(seconds))
    }

    fn check_signature(&self, evidence: &Evidence<'_>, timestamp: &[u8]) -> Result<(), Refusal> {
        if self.has(Flaw::SignatureNotChecked) {
            return Ok(());
        }
        let signatures = self.given_signatures(evidence.headers)?;
        let is_hex = |given: &[u8]| given.iter().all(u8::is_ascii_hexdigit);
        if self.has(Flaw::GarbageSignatureCrashes)
            && signatures.first().is_some_and(|given| !is_hex(given))
        {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Err(caused_by(Flaw::GarbageSignatureCrashes, status));
        }
        let is_well_formed = |given: &&[u8]| given.len() == 64 && is_hex(given);
        if self.has(Flaw::SignatureFormOnly) && signatures.iter().all(is_well_formed) {
            return Ok(());
        }
        let accepted = self.accepted_signatures(evidence, timestamp);
        let matches = |given: &&[u8]| accepted.iter().any(|accepted| self.equals(accepted, given));
        if signatures.iter().any(matches) {
            Ok(())
        } else {
            Err(SignatureMismatch::Different.into())
        }
    }

    /// The values of the signature header. Without flaws this is exactly one value, not empty.
    fn given_signatures<'a>(&self, headers: &'a HeaderMap) -> Result<Vec<&'a [u8]>, Refusal> {
        let values = headers.get_all(SIGNATURE_HEADER).iter();
        let mut values: Vec<&[u8]> = values.map(HeaderValue::as_bytes).collect();
        let count_allowed =
            values.len() == 1 || (values.len() > 1 && self.has(Flaw::AnySignatureCounts));
        let values_allowed =
            self.has(Flaw::PrefixCompare) || values.iter().all(|value| !value.is_empty());
        if !count_allowed || !values_allowed {
            let header = SIGNATURE_HEADER;
            return Err(Refusal::HeaderCount { header });
        }
        if self.has(Flaw::SignaturePrefixStripped) {
            for value in &mut values {
                *value = value.strip_prefix(b"sha256=").unwrap_or(value);
            }
        }
        Ok(values)
    }

    /// Every accepted signature, in lowercase hex. A sound receiver accepts only the first.
    fn accepted_signatures(&self, evidence: &Evidence<'_>, timestamp: &[u8]) -> Vec<String> {
        let rewritten = self.rewritten_body(evidence.body);
        let body = rewritten.as_deref().unwrap_or(evidence.body);
        let signer = evidence.signer;
        let event_time = self.event_time(Flaw::EventTimeSigned, evidence.body);
        let event_time = event_time.map(|seconds| seconds.to_string());
        let timestamp = event_time.as_deref().map_or(timestamp, str::as_bytes);
        let mut accepted = vec![signer.sign_text(timestamp, body).to_string()];
        if self.has(Flaw::TimestampNotSigned) {
            accepted.push(signer.sign_message(body).to_string());
        }
        if self.has(Flaw::NeighbouringTimestampTried)
            && let Ok(seconds) = parse_timestamp(timestamp)
        {
            let neighbours = seconds.saturating_sub(2)..=seconds.saturating_add(2);
            accepted.extend(neighbours.map(|seconds| signer.sign(seconds, body).to_string()));
        }
        if self.has(Flaw::ExpiredSecretAccepted)
            && let Some(expired) = &self.expired_signer
        {
            accepted.push(expired.sign_text(timestamp, body).to_string());
        }
        let guesses = [
            (Flaw::EmptySecretAccepted, EMPTY_SECRETS),
            (Flaw::DefaultSecretAccepted, DEFAULT_SECRETS),
        ];
        for (_, secrets) in guesses.into_iter().filter(|(flaw, _)| self.has(*flaw)) {
            let signers = secrets
                .iter()
                .map(|secret| Signer::from_key(secret.as_bytes()));
            accepted.extend(signers.map(|signer| signer.sign_text(timestamp, body).to_string()));
        }
        if self.has(Flaw::UnkeyedHashAccepted) {
            let message = [timestamp, b".", body].concat();
            accepted.push(hex::encode(Sha256::digest(message)));
        }
        accepted
    }

    /// Compares text as flawed handlers do. Not in constant time, since that can't be observed
    /// reliably from outside.
    fn equals(&self, accepted: &str, given: &[u8]) -> bool {
        let mut accepted = accepted.as_bytes().to_vec();
        if self.has(Flaw::SignatureCaseMismatch) {
            accepted.make_ascii_uppercase();
        }
        if self.has(Flaw::SignatureBytesCompared) {
            let given = leading_hex_digits(given);
            accepted.starts_with(&given[..given.len().min(accepted.len())])
        } else if self.has(Flaw::PrefixCompare) {
            accepted.starts_with(given)
        } else {
            accepted == given
        }
    }

    fn check_age(&self, evidence: &Evidence<'_>, timestamp: u64) -> Result<(), Refusal> {
        if self.has(Flaw::FreshnessNotChecked)
            || (self.has(Flaw::FutureTimestampAccepted) && timestamp > evidence.now)
        {
            return Ok(());
        }
        let age = evidence.now.saturating_sub(timestamp);
        for (flaw, is_refused) in [
            (Flaw::ClockAheadRefused, timestamp > evidence.now),
            (Flaw::MinuteOldRefused, age > SHORT_TOLERANCE),
        ] {
            if is_refused && self.has(flaw) {
                return Err(caused_by(flaw, StatusCode::FORBIDDEN));
            }
        }
        let event_time = self.event_time(Flaw::FreshnessByEventTime, evidence.body);
        let checked = event_time.unwrap_or(timestamp);
        check_freshness(checked, evidence.now, evidence.tolerance)
    }

    /// Refuses a signature that was seen before. Identical deliveries in the same second have the
    /// same signature, so this does not prove a replay.
    fn check_unseen(&self, evidence: &Evidence<'_>) -> Result<(), Refusal> {
        let flaw = Flaw::SeenSignatureRefused;
        if self.has(flaw) {
            let signature = only_value(evidence.headers, SIGNATURE_HEADER)?;
            if !lock(&self.seen_signatures).insert(signature.to_vec()) {
                return Err(caused_by(flaw, StatusCode::FORBIDDEN));
            }
        }
        Ok(())
    }

    /// The body's `event_time`, if this flaw uses it. `None` if the body is not an event, which the
    /// next step refuses.
    fn event_time(&self, flaw: Flaw, body: &[u8]) -> Option<u64> {
        #[derive(Deserialize)]
        struct Timed {
            event_time: u64,
        }
        let timed: Timed = serde_json::from_slice(body).ok()?;
        self.has(flaw).then_some(timed.event_time)
    }
}

/// The whole bytes at the start of a text in hex, as `Buffer.from(text, 'hex')` of Node.js decodes them;
/// here as their digits in lower case.
fn leading_hex_digits(text: &[u8]) -> Vec<u8> {
    let end = text.iter().position(|digit| !digit.is_ascii_hexdigit());
    let length = end.unwrap_or(text.len()) / 2 * 2;
    text[..length].to_ascii_lowercase()
}

/// The number at the start of a text, as `parseInt` reads it: `None` if there is none, 0 if it is
/// negative, and the largest number if it is larger.
fn leading_number(text: &[u8]) -> Option<u64> {
    let text = str::from_utf8(text).ok()?;
    let unsigned = text.strip_prefix('-');
    let digits = unsigned.unwrap_or(text);
    let end = digits.find(|letter: char| !letter.is_ascii_digit());
    let digits = &digits[..end.unwrap_or(digits.len())];
    if digits.is_empty() {
        return None;
    }
    let number = digits.parse().unwrap_or(u64::MAX);
    Some(if unsigned.is_some() { 0 } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_decoded_up_to_the_first_other_letter() {
        for (text, digits) in [
            ("00fF7a", "00ff7a"),
            ("00f", "00"),
            ("0az1", "0a"),
            ("sha256=00", ""),
            ("", ""),
        ] {
            assert_eq!(
                leading_hex_digits(text.as_bytes()),
                digits.as_bytes(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_number_is_read_up_to_the_first_other_letter() {
        for (text, number) in [
            ("1725548450", Some(1_725_548_450)),
            ("1725548450e0", Some(1_725_548_450)),
            ("12abc", Some(12)),
            ("-1", Some(0)),
            ("abc", None),
            ("-", None),
            ("", None),
            (&"9".repeat(400), Some(u64::MAX)),
        ] {
            assert_eq!(leading_number(text.as_bytes()), number, "{text}");
        }
    }
}
