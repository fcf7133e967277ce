//! Mistakes in how the signature is written: its case, a prefix, another encoding, or cut short.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::Mistake;

/// The fewest hex digits in which a match is no accident.
const FEWEST_DIGITS: usize = 16;

/// A reading of the presented text: lowercase hex digits, and what had to be put right for it.
pub(super) struct Presented {
    digits: String,
    pub(super) mistakes: Vec<Mistake>,
}

const RIGHT: &str = "Write the signature as 64 lowercase hex digits and nothing else.";

const TRUNCATED: Mistake = Mistake::new(
    "signature_truncated",
    "The signature is right as far as it goes, but its end is missing.",
    "Look for what cuts it: a database column, a log line or a selection in a terminal.",
);

const TOO_LONG: Mistake = Mistake::new(
    "signature_too_long",
    "The signature is right, but there are more digits after it.",
    RIGHT,
);

impl Presented {
    /// Whether this is `signature`: `None` if not, and a mistake inside if one of the
    /// two is the other's beginning.
    #[expect(
        clippy::option_option,
        reason = "no match, a whole match, a partial match"
    )]
    pub(super) fn compare(&self, signature: &str) -> Option<Option<Mistake>> {
        if signature == self.digits {
            Some(None)
        } else if self.digits.len() >= FEWEST_DIGITS && signature.starts_with(&self.digits) {
            Some(Some(TRUNCATED))
        } else if self.digits.starts_with(signature) {
            Some(Some(TOO_LONG))
        } else {
            None
        }
    }
}

/// Every reading of the header's value, or the mistake that leaves nothing to read.
pub(super) fn read(signature: Option<&[u8]>) -> Result<Vec<Presented>, Mistake> {
    let Some(value) = signature else {
        return Err(Mistake::new(
            "signature_missing",
            "There is no X-Aghanim-Signature header.",
            "Pass the header on to the receiver, and refuse a request without it. Proxies and \
             gateways may drop headers that they don't know.",
        ));
    };
    let text = String::from_utf8_lossy(value);
    if text.trim().is_empty() {
        return Err(Mistake::new(
            "signature_empty",
            "The X-Aghanim-Signature header is empty.",
            "Refuse a request whose signature is empty, and check where it was lost.",
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
                "The header holds several values, and one of them is a signature.",
                "Send one signature. A receiver that picks one of several lets an attacker choose.",
            ));
        } else if part.len() != text.len() {
            mistakes.push(Mistake::new(
                "signature_has_whitespace",
                "There is white space around the signature.",
                RIGHT,
            ));
        }
        presented.extend(read_one(part, mistakes));
    }
    if presented.is_empty() {
        return Err(Mistake::new(
            "signature_unreadable",
            "The signature is neither hex nor base64 of a digest.",
            "Check that the right header was taken, and that nothing has changed it on its way.",
        ));
    }
    Ok(presented)
}

/// Reads one value: takes off white space, quotation marks and a prefix, then decodes it.
fn read_one(value: &str, mut mistakes: Vec<Mistake>) -> Option<Presented> {
    let trimmed = value.trim();
    if trimmed.len() != value.len() {
        mistakes.push(Mistake::new(
            "signature_has_whitespace",
            "There is white space around the signature.",
            RIGHT,
        ));
    }
    let bare = trimmed.trim_matches(['"', '\'']);
    if bare.len() != trimmed.len() {
        mistakes.push(Mistake::new(
            "signature_quoted",
            "There are quotation marks around the signature.",
            RIGHT,
        ));
    }
    let mut digits = bare;
    if let Some((prefix, rest)) = bare.split_once(['=', ':'])
        && !rest.trim_matches('=').is_empty()
        && prefix.len() <= 16
    {
        mistakes.push(Mistake::new(
            "signature_prefix",
            "There is a prefix such as `sha256=` or `v1=` before the signature.",
            RIGHT,
        ));
        digits = rest;
    }
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
            mistakes.push(Mistake::new(
                "signature_upper_case",
                "The signature is in upper-case hex.",
                "Write it in lower-case hex; a comparison of the texts minds the case.",
            ));
        }
        return Some(Presented {
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
            "The signature is the base64 of its hex text.",
            RIGHT,
        )
    } else {
        Mistake::new(
            "signature_base64",
            "The signature is in base64, not in hex.",
            RIGHT,
        )
    });
    let digits = if of_hex {
        String::from_utf8_lossy(&decoded).to_ascii_lowercase()
    } else {
        hex::encode(decoded)
    };
    Some(Presented { digits, mistakes })
}
