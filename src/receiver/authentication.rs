//! Whether a delivery comes from who knows the secret, and is of now. Looks at headers and raw
//! bytes only; what the body says is not its business.

use std::time::Duration;

use http::HeaderMap;

use crate::protocol::{SIGNATURE_HEADER, Signer, TIMESTAMP_HEADER};

use super::refusal::Refusal;

/// What a delivery is judged by.
#[derive(Clone, Copy)]
pub(super) struct Evidence<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) signer: &'a Signer,
    /// The receiver's time, in Unix seconds.
    pub(super) now: u64,
    pub(super) tolerance: Duration,
}

/// Checks the signature `[P]`, then that the timestamp is near the receiver's time.
pub(super) fn authenticate(evidence: &Evidence<'_>) -> Result<(), Refusal> {
    let signature = only_value(evidence.headers, SIGNATURE_HEADER)?;
    let timestamp = only_value(evidence.headers, TIMESTAMP_HEADER)?;
    let seconds = parse_timestamp(timestamp)?;
    let signer = evidence.signer;
    signer.verify(timestamp, evidence.body, signature)?;
    check_freshness(seconds, evidence.now, evidence.tolerance)
}

/// The value of a header that is there exactly once and not empty. Two signatures would leave it
/// open which one counts.
pub(super) fn only_value<'a>(
    headers: &'a HeaderMap,
    header: &'static str,
) -> Result<&'a [u8], Refusal> {
    let mut values = headers.get_all(header).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if !value.is_empty() => Ok(value.as_bytes()),
        _ => Err(Refusal::HeaderCount { header }),
    }
}

/// Digits only: `u64::from_str` would let a `+` through.
pub(super) fn parse_timestamp(text: &[u8]) -> Result<u64, Refusal> {
    if !text.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::TimestampMalformed);
    }
    std::str::from_utf8(text)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(Refusal::TimestampMalformed)
}

/// Refuses what was signed too long ago, or too far ahead. Good practice, not in Aghanim's public
/// template. `[A]`
pub(super) fn check_freshness(
    timestamp: u64,
    now: u64,
    tolerance: Duration,
) -> Result<(), Refusal> {
    let distance = now.abs_diff(timestamp);
    if Duration::from_secs(distance) > tolerance {
        return Err(Refusal::NotFresh { distance });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use crate::protocol::{Secret, SignatureMismatch};

    use super::*;

    const NOW: u64 = 1_725_548_450;
    const TOLERANCE: Duration = Duration::from_mins(5);
    const BODY: &[u8] = b"{}";

    fn signer() -> Signer {
        Signer::new(&Secret::new("whsec").expect("not empty"))
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    name.parse().expect("a name"),
                    HeaderValue::from_str(value).expect("a value"),
                )
            })
            .collect()
    }

    fn signed(timestamp: &str) -> HeaderMap {
        let signature = signer().sign_text(timestamp.as_bytes(), BODY).to_string();
        headers(&[
            (SIGNATURE_HEADER, &signature),
            (TIMESTAMP_HEADER, timestamp),
        ])
    }

    fn verdict(headers: &HeaderMap) -> Result<(), Refusal> {
        verdict_on(headers, BODY)
    }

    fn verdict_on(headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
        authenticate(&Evidence {
            headers,
            body,
            signer: &signer(),
            now: NOW,
            tolerance: TOLERANCE,
        })
    }

    #[test]
    fn the_tolerance_is_inclusive_in_both_directions() {
        for (timestamp, distance) in [(NOW, 0), (NOW - 300, 300), (NOW + 300, 300)] {
            assert_eq!(
                verdict(&signed(&timestamp.to_string())),
                Ok(()),
                "{distance}"
            );
        }
        for (timestamp, distance) in [
            (NOW - 301, 301),
            (NOW + 301, 301),
            (0, NOW),
            (u64::MAX, u64::MAX - NOW),
            (NOW * 1000, NOW * 999),
        ] {
            assert_eq!(
                verdict(&signed(&timestamp.to_string())),
                Err(Refusal::NotFresh { distance })
            );
        }
    }

    #[test]
    fn a_timestamp_that_is_no_number_is_refused_even_when_signed() {
        for text in [
            "+1725548450",
            "-1",
            "1725548450.0",
            "1e9",
            "now",
            "18446744073709551616",
        ] {
            assert_eq!(
                verdict(&signed(text)),
                Err(Refusal::TimestampMalformed),
                "{text}"
            );
        }
    }

    #[test]
    fn each_header_must_be_there_once() {
        let whole = signed(&NOW.to_string());
        for header in [SIGNATURE_HEADER, TIMESTAMP_HEADER] {
            let refusal = Err(Refusal::HeaderCount { header });
            let mut missing = whole.clone();
            missing.remove(header);
            assert_eq!(verdict(&missing), refusal);

            let mut empty = whole.clone();
            empty.insert(header, HeaderValue::from_static(""));
            assert_eq!(verdict(&empty), refusal);

            let mut twice = whole.clone();
            let value = whole[header].clone();
            twice.append(header, value);
            assert_eq!(verdict(&twice), refusal);
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_refused() {
        let mut odd = signed(&NOW.to_string());
        odd.insert(
            SIGNATURE_HEADER,
            HeaderValue::from_bytes(&[0xff; 64]).expect("a value"),
        );
        assert_eq!(
            verdict(&odd),
            Err(Refusal::Signature(SignatureMismatch::Malformed))
        );
    }

    #[test]
    fn another_body_is_refused() {
        let verdict = verdict_on(&signed(&NOW.to_string()), b"{ }");
        assert_eq!(
            verdict,
            Err(Refusal::Signature(SignatureMismatch::Different))
        );
    }
}
