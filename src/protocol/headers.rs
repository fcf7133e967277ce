//! The headers of a delivery, spelled and ordered as in the documented example `[S]`.

use super::Signature;

/// `Content-Type` of every delivery. `[S]`
pub(crate) const CONTENT_TYPE_VALUE: &str = "application/json";
/// `User-Agent` of every delivery. `[S]`
pub(crate) const USER_AGENT_VALUE: &str = "Aghanim/0.1.0";
/// Contains the signature in lowercase hex. `[S]`
pub const SIGNATURE_HEADER: &str = "X-Aghanim-Signature";
/// Contains the signed timestamp in Unix seconds. `[S]`
pub const TIMESTAMP_HEADER: &str = "X-Aghanim-Signature-Timestamp";

/// The headers of a signed delivery, in the documented order and spelling.
///
/// `host` is the target's authority, `timestamp` the signed time in Unix seconds.
pub(crate) fn request_headers(
    host: &str,
    timestamp: u64,
    signature: &Signature,
) -> Vec<(&'static str, String)> {
    vec![
        ("Content-Type", CONTENT_TYPE_VALUE.to_owned()),
        ("Host", host.to_owned()),
        ("User-Agent", USER_AGENT_VALUE.to_owned()),
        (SIGNATURE_HEADER, signature.to_string()),
        (TIMESTAMP_HEADER, timestamp.to_string()),
    ]
}
