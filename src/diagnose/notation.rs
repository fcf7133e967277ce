//! Mistakes in the notation of the signature: its case, a prefix, another encoding, or a missing
//! end.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::mistake::{Mistake, mistakes};

/// The minimum number of matching hex digits, so that a match is not a coincidence.
const MIN_DIGITS: usize = 16;

/// One interpretation of the signature header: lowercase hex digits, and the mistakes that were
/// corrected.
pub(super) struct PresentedSignature {
    digits: String,
    pub(super) mistakes: Vec<Mistake>,
}

mistakes! {
    "Write the signature as exactly 64 lowercase hex digits.";
    MISSING "signature_missing" "The X-Aghanim-Signature header is missing."
        "Make sure that the header reaches the receiver: proxies and gateways may drop unknown \
         headers. Refuse requests without it.";
    EMPTY "signature_empty" "The X-Aghanim-Signature header is empty."
        "Find out where the signature was lost. Refuse requests with an empty signature.";
    UNREADABLE "signature_unreadable" "The signature is neither hex nor base64."
        "Check that you read the correct header and that nothing changes it in transit.";
    SEVERAL "signature_several" "The header has several values, and one of them is the signature."
        "Send exactly one signature. If a receiver accepts any one of several, an attacker can choose.";
    WHITESPACE "signature_has_whitespace" "The signature has whitespace around it.";
    QUOTED "signature_quoted" "The signature has quotation marks around it.";
    PREFIX "signature_prefix" "The signature has a prefix such as `sha256=` or `v1=`.";
    UPPER_CASE "signature_upper_case" "The signature is in uppercase hex."
        "Write it in lowercase hex, because a text comparison is case-sensitive.";
    BASE64 "signature_base64" "The signature is encoded as base64 instead of hex.";
    BASE64_OF_HEX "signature_base64_of_hex" "The signature's hex text is encoded as base64.";
    TRUNCATED "signature_truncated" "The signature is correct, but its end is missing."
        "Find out what truncates it: a database column, a log line or a selection in a terminal.";
    TOO_LONG "signature_too_long" "The signature is correct, but followed by extra digits.";
}

impl PresentedSignature {
    /// The mistakes in this notation of `signature`, or `None` if it is another signature.
    pub(super) fn mistakes_in(&self, signature: &str) -> Option<Vec<Mistake>> {
        let partial = if signature == self.digits {
            None
        } else if self.digits.len() >= MIN_DIGITS && signature.starts_with(&self.digits) {
            Some(TRUNCATED)
        } else if self.digits.starts_with(signature) {
            Some(TOO_LONG)
        } else {
            return None;
        };
        Some(self.mistakes.iter().cloned().chain(partial).collect())
    }
}

/// Every interpretation of the header's value, or the mistake that makes it unreadable.
pub(super) fn read(signature: Option<&[u8]>) -> Result<Vec<PresentedSignature>, Mistake> {
    let text = String::from_utf8_lossy(signature.ok_or(MISSING)?);
    if text.trim().is_empty() {
        return Err(EMPTY);
    }
    let parts: Vec<&str> = text
        .split([',', ' ', '\t', ';'])
        .filter(|part| !part.is_empty())
        .collect();
    let whole = match parts[..] {
        [part] if part.len() == text.len() => None,
        [_] => Some(WHITESPACE),
        _ => Some(SEVERAL),
    };
    let presented: Vec<_> = parts
        .into_iter()
        .filter_map(|part| read_one(part, whole.clone().into_iter().collect()))
        .collect();
    if presented.is_empty() {
        return Err(UNREADABLE);
    }
    Ok(presented)
}

/// Reads one value: removes whitespace, quotation marks and a prefix, then decodes it.
fn read_one(value: &str, mut mistakes: Vec<Mistake>) -> Option<PresentedSignature> {
    let trimmed = value.trim();
    if trimmed.len() != value.len() {
        mistakes.push(WHITESPACE);
    }
    let bare = trimmed.trim_matches(['"', '\'']);
    if bare.len() != trimmed.len() {
        mistakes.push(QUOTED);
    }
    let mut digits = bare;
    if let Some((prefix, rest)) = bare.split_once(['=', ':'])
        && !rest.trim_matches('=').is_empty()
        && prefix.len() <= 16
    {
        mistakes.push(PREFIX);
        digits = rest;
    }
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
            mistakes.push(UPPER_CASE);
        }
        let digits = digits.to_ascii_lowercase();
        return Some(PresentedSignature { digits, mistakes });
    }
    let decoded = decode_base64(digits)?;
    let digits = if decoded.len() >= 40 && decoded.iter().all(u8::is_ascii_hexdigit) {
        mistakes.push(BASE64_OF_HEX);
        String::from_utf8_lossy(&decoded).to_ascii_lowercase()
    } else {
        mistakes.push(BASE64);
        hex::encode(decoded)
    };
    Some(PresentedSignature { digits, mistakes })
}

pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    engines.iter().find_map(|engine| engine.decode(text).ok())
}
