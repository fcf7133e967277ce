//! A recorded delivery: one line of a capture file, without players, names, addresses and secrets.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordedDelivery {
    /// The version of the format.
    pub(crate) capture: u32,
    /// When the first byte of the request arrived; null if a log does not say.
    pub(crate) at: Option<Timestamp>,
    /// The number of deliveries of this event type with this idempotency key so far, with this one.
    pub(crate) attempt: u64,
    /// The previous delivery with this key, if there is one.
    pub(crate) previous: Option<PreviousAttempt>,
    pub(crate) request: RecordedRequest,
    pub(crate) signature: SignatureCheck,
    /// Null if there was no complete response, or if it is not known.
    pub(crate) response: Option<RecordedResponse>,
    /// Why there was no complete response.
    pub(crate) failure: Option<String>,
    pub(crate) timings: Option<RecordedTimings>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PreviousAttempt {
    /// From the end of that attempt to the beginning of this one; null if a log does not say.
    pub(crate) ago_us: Option<u64>,
    /// Null if it got no complete response.
    pub(crate) status: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordedRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The HTTP version; null if a log does not say.
    pub(crate) version: Option<String>,
    /// Names and values in the order and spelling in which they were received.
    pub(crate) headers: Vec<(String, String)>,
    /// Whether the body was sent in chunks, instead of with its length.
    pub(crate) chunked: bool,
    pub(crate) body: RecordedBody,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordedResponse {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: RecordedBody,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordedBody {
    /// The length in bytes as it was received.
    pub(crate) length: u64,
    /// The text, with the layout in which it was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// Whether a log had parsed the JSON, so that its layout and the order of its keys are not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) rewritten: bool,
    /// Why there is no text, although the body was not empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_kept: Option<NotKept>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NotKept {
    /// Only JSON can be redacted.
    NotJson,
    /// It is longer than 256 KiB.
    TooLong,
}

/// What is known about the signature of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignatureCheck {
    /// It matches the secret, the timestamp and the body.
    Matches,
    /// It does not match.
    Differs,
    /// There is no signature, or no timestamp.
    Missing,
    /// The secret, or the whole body, was not known.
    NotChecked,
}

/// In microseconds since the first byte of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the names in the file say the unit"
)]
pub(crate) struct RecordedTimings {
    pub(crate) request_end_us: u64,
    pub(crate) response_begin_us: Option<u64>,
    pub(crate) end_us: u64,
}

impl RecordedDelivery {
    pub(crate) const FORMAT: u32 = 1;

    /// The body as JSON.
    pub(super) fn event(&self) -> Option<Value> {
        serde_json::from_str(self.request.body.text.as_deref()?).ok()
    }

    /// When the exchange ended.
    pub(super) fn ended(&self) -> Option<Timestamp> {
        let took = self.timings.map_or(0, |timings| timings.end_us);
        let took = std::time::Duration::from_micros(took);
        self.at?.checked_add(took).ok()
    }
}
