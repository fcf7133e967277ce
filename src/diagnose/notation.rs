//! Mistakes in the notation of the signature: its case, a prefix, another encoding, or a missing
//! end.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::mistake::Mistake;

/// The minimum number of matching hex digits, so that a match is not a coincidence.
const MIN_DIGITS: usize = 16;

/// One interpretation of the signature header: lowercase hex digits, and the mistakes that were
/// corrected.
pub(super) struct PresentedSignature {
    digits: String,
    pub(super) mistakes: Vec<Mistake>,
}

const FIX: &str = "Write the signature as exactly 64 lowercase hex digits.";

const TRUNCATED: Mistake = Mistake::new(
    "signature_truncated",
    "The signature is correct, but its end is missing.",
    "Find out what truncates it: a database column, a log line or a selection in a terminal.",
);

const TOO_LONG: Mistake = Mistake::new(
    "signature_too_long",
    "The signature is correct, but followed by extra digits.",
    FIX,
);

impl PresentedSignature {
    /// Compares this with `signature`: `None` if they differ, `Some(None)` if they are equal, and a
    /// mistake if one is a prefix of the other.
    #[expect(
        clippy::option_option,
        reason = "no match, a full match, a partial match"
    )]
    pub(super) fn compare(&self, signature: &str) -> Option<Option<Mistake>> {
        if signature == self.digits {
            Some(None)
        } else if self.digits.len() >= MIN_DIGITS && signature.starts_with(&self.digits) {
            Some(Some(TRUNCATED))
        } else if self.digits.starts_with(signature) {
            Some(Some(TOO_LONG))
        } else {
            None
        }
    }
}

/// Every interpretation of the header's value, or the mistake that makes it unreadable.
pub(super) fn read(signature: Option<&[u8]>) -> Result<Vec<PresentedSignature>, Mistake> {
    let Some(value) = signature else {
        return Err(Mistake::new(
            "signature_missing",
            "The X-Aghanim-Signature header is missing.",
            "Make sure that the header reaches the receiver: proxies and gateways may drop unknown \
             headers. Refuse requests without it.",
        ));
    };
    let text = String::from_utf8_lossy(value);
    if text.trim().is_empty() {
        return Err(Mistake::new(
            "signature_empty",
            "The X-Aghanim-Signature header is empty.",
            "Find out where the signature was lost. Refuse requests with an empty signature.",
        ));
    }
    let mut presented = Vec::new();
    let parts: Vec<&str> = text
        .split([',', ' ', '\t', ';'])
        .filter(|part| !part.is_empty())
        .collect();
    let several = parts.len() > 1;
    for part in parts {
        let mut mistakes = Vec::new();
        if several {
            mistakes.push(Mistake::new(
                "signature_several",
                "The header has several values, and one of them is the signature.",
                "Send exactly one signature. If a receiver accepts any one of several, an attacker \
                 can choose.",
            ));
        } else if part.len() != text.len() {
            mistakes.push(Mistake::new(
                "signature_has_whitespace",
                "The signature has whitespace around it.",
                FIX,
            ));
        }
        presented.extend(read_one(part, mistakes));
    }
    if presented.is_empty() {
        return Err(Mistake::new(
            "signature_unreadable",
            "The signature is neither hex nor base64.",
            "Check that you read the correct header and that nothing changes it in transit.",
        ));
    }
    Ok(presented)
}

/// Reads one value: removes whitespace, quotation marks and a prefix, then decodes it.
fn read_one(value: &str, mut mistakes: Vec<Mistake>) -> Option<PresentedSignature> {
    let trimmed = value.trim();
    if trimmed.len() != value.len() {
        mistakes.push(Mistake::new(
            "signature_has_whitespace",
            "The signature has whitespace around it.",
            FIX,
        ));
    }
    let bare = trimmed.trim_matches(['"', '\'']);
    if bare.len() != trimmed.len() {
        mistakes.push(Mistake::new(
            "signature_quoted",
            "The signature has quotation marks around it.",
            FIX,
        ));
    }
    let mut digits = bare;
    if let Some((prefix, rest)) = bare.split_once(['=', ':'])
        && !rest.trim_matches('=').is_empty()
        && prefix.len() <= 16
    {
        mistakes.push(Mistake::new(
            "signature_prefix",
            "The signature has a prefix such as `sha256=` or `v1=`.",
            FIX,
        ));
        digits = rest;
    }
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
            mistakes.push(Mistake::new(
                "signature_upper_case",
                "The signature is in uppercase hex.",
                "Write it in lowercase hex, because a text comparison is case-sensitive.",
            ));
        }
        return Some(PresentedSignature {
            digits: digits.to_ascii_lowercase(),
            mistakes,
        });
    }
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    let decoded = engines
        .iter()
        .find_map(|engine| engine.decode(digits).ok())?;
    let of_hex = decoded.len() >= 40 && decoded.iter().all(u8::is_ascii_hexdigit);
    mistakes.push(if of_hex {
        Mistake::new(
            "signature_base64_of_hex",
            "The signature's hex text is encoded as base64.",
            FIX,
        )
    } else {
        Mistake::new(
            "signature_base64",
            "The signature is encoded as base64 instead of hex.",
            FIX,
        )
    });
    let digits = if of_hex {
        String::from_utf8_lossy(&decoded).to_ascii_lowercase()
    } else {
        hex::encode(decoded)
    };
    Some(PresentedSignature { digits, mistakes })
}
