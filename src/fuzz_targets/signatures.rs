//! Signature headers, as the built-in receiver and `aghook verify` read them.

use http::{HeaderMap, HeaderValue};

use crate::cli::HeaderLines;
use crate::diagnose::{
    Received, SignatureVerdict, compare_signed_text, diagnose, timestamp_concern,
};
use crate::protocol::{SIGNATURE_HEADER, Secret, Signer, TIMESTAMP_HEADER};
use crate::receiver::{Evidence, ReceiverSettings, authenticate, parse_timestamp};

/// Longer bodies make a diagnosis slow, and are not read in another way.
const LONGEST_BODY: usize = 200;

/// Verifies and diagnoses a delivery. The input is header lines, and a body after an empty line. The signature
/// `@` means the right one.
pub fn signature(bytes: &[u8]) {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&bytes[..end], &bytes[end + 2..]),
        None => (bytes, &[][..]),
    };
    let body = &body[..body.len().min(LONGEST_BODY)];
    let headers = HeaderLines::parse(&String::from_utf8_lossy(head));
    let timestamp = headers.value(TIMESTAMP_HEADER).unwrap_or_default();
    let secret = Secret::new("whsec_test_1").expect("not empty");
    let signer = Signer::new(&secret);
    let right = signer.sign_text(timestamp.as_bytes(), body).to_string();
    let signature = headers.value(SIGNATURE_HEADER).unwrap_or_default();
    let signature = signature.replace('@', &right);

    let verified = signer.verify(timestamp.as_bytes(), body, signature.as_bytes());
    assert_eq!(verified.is_ok(), signature == right);
    check_receiver(&signer, &timestamp, &signature, body, verified.is_ok());
    let received = Received {
        signature: Some(signature.as_bytes()),
        timestamp: Some(timestamp.as_bytes()),
        body,
    };
    let others = [Secret::new("other").expect("not empty")];
    let diagnosis = diagnose(&received, &secret, &others);
    match &diagnosis.verdict {
        SignatureVerdict::Matches => assert!(verified.is_ok()),
        SignatureVerdict::Mistaken(mistakes) => {
            assert!(verified.is_err() && !mistakes.is_empty());
        }
        SignatureVerdict::Unexplained => assert!(verified.is_err()),
    }
    let comparison = compare_signed_text(&received, &secret, &others, bytes).expect("a timestamp");
    if let Some(difference) = comparison.difference {
        assert!(difference.offset <= bytes.len().max(timestamp.len() + 1 + body.len()));
        assert!(difference.line >= 1 && difference.column >= 1);
    }
}

/// The receiver accepts a verified signature whose timestamp is a number, if its clock agrees.
fn check_receiver(signer: &Signer, timestamp: &str, signature: &str, body: &[u8], verified: bool) {
    let seconds = parse_timestamp(timestamp.as_bytes());
    let now = seconds.as_ref().map_or(0, |seconds| *seconds);
    let _ = timestamp_concern(timestamp.as_bytes(), 1_725_548_450);
    let values = [
        (SIGNATURE_HEADER, HeaderValue::from_str(signature)),
        (TIMESTAMP_HEADER, HeaderValue::from_str(timestamp)),
    ];
    let headers = values
        .into_iter()
        .map(|(name, value)| Some((name.parse().ok()?, value.ok()?)));
    let Some(headers) = headers.collect::<Option<HeaderMap>>() else {
        return;
    };
    let authenticated = authenticate(&Evidence {
        headers: &headers,
        body,
        signer,
        now,
        tolerance: ReceiverSettings::DEFAULT_TOLERANCE,
    });
    let expected = verified && seconds.is_ok() && !timestamp.is_empty();
    assert_eq!(authenticated.is_ok(), expected, "{authenticated:?}");
    // A number is signed as its shortest text.
    if let (Ok(seconds), true) = (seconds, verified)
        && seconds.to_string() == timestamp
    {
        assert_eq!(signer.sign(seconds, body).to_string(), signature);
    }
}
