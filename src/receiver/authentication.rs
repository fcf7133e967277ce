//! Verifies the signature and the timestamp's freshness, from the headers and the raw body bytes.

use std::time::Duration;

use http::HeaderMap;

use crate::protocol::{SIGNATURE_HEADER, Signer, TIMESTAMP_HEADER};

use super::refusal::Refusal;

#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) signer: &'a Signer,
    /// The receiver's time, in Unix seconds.
    pub(crate) now: u64,
    pub(crate) tolerance: Duration,
}

pub(crate) fn authenticate(evidence: &Evidence<'_>) -> Result<(), Refusal> {
    let signature = only_value(evidence.headers, SIGNATURE_HEADER)?;
    let timestamp = only_value(evidence.headers, TIMESTAMP_HEADER)?;
    let seconds = parse_timestamp(timestamp)?;
    let signer = evidence.signer;
    signer.verify(timestamp, evidence.body, signature)?;
    check_freshness(seconds, evidence.now, evidence.tolerance)
}

/// The value of a header that must be present exactly once and not empty. With two signatures it
/// would be unclear which one counts.
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

/// Accepts digits only, because `u64::from_str` also accepts a leading `+`.
pub(crate) fn parse_timestamp(text: &[u8]) -> Result<u64, Refusal> {
    if !text.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::TimestampMalformed);
    }
    std::str::from_utf8(text)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(Refusal::TimestampMalformed)
}

/// Refuses a timestamp that is too old or too far in the future. This is good practice, but not
/// part of Aghanim's public template. `[A]`
pub(super) fn check_freshness(
    timestamp: u64,
    now: u64,
    tolerance: Duration,
) -> Result<(), Refusal> {
    if Duration::from_secs(now.abs_diff(timestamp)) > tolerance {
        return Err(Refusal::NotFresh { tolerance });
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
        for timestamp in [NOW, NOW - 300, NOW + 300] {
            let verdict = verdict(&signed(&timestamp.to_string()));
            assert_eq!(verdict, Ok(()), "{timestamp}");
        }
        for timestamp in [NOW - 301, NOW + 301, 0, u64::MAX, NOW * 1000] {
            let verdict = verdict(&signed(&timestamp.to_string()));
            let tolerance = TOLERANCE;
            let expected = Err(Refusal::NotFresh { tolerance });
            assert_eq!(verdict, expected, "{timestamp}");
        }
    }

    #[test]
    fn a_timestamp_that_is_not_a_number_is_refused_even_if_signed() {
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
    fn each_header_must_be_present_exactly_once() {
        let complete = signed(&NOW.to_string());
        for header in [SIGNATURE_HEADER, TIMESTAMP_HEADER] {
            let refusal = Err(Refusal::HeaderCount { header });
            let mut missing = complete.clone();
            missing.remove(header);
            assert_eq!(verdict(&missing), refusal);

            let mut empty = complete.clone();
            empty.insert(header, HeaderValue::from_static(""));
            assert_eq!(verdict(&empty), refusal);

            let mut duplicated = complete.clone();
            let value = complete[header].clone();
            duplicated.append(header, value);
            assert_eq!(verdict(&duplicated), refusal);
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_refused() {
        let mut binary = signed(&NOW.to_string());
        binary.insert(
            SIGNATURE_HEADER,
            HeaderValue::from_bytes(&[0xff; 64]).expect("a value"),
        );
        assert_eq!(
            verdict(&binary),
            Err(Refusal::Signature(SignatureMismatch::Malformed))
        );
    }

    #[test]
    fn a_different_body_is_refused() {
        let verdict = verdict_on(&signed(&NOW.to_string()), b"{ }");
        assert_eq!(
            verdict,
            Err(Refusal::Signature(SignatureMismatch::Different))
        );
    }
}
