//! A delivery in the queue, and its attempts.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::policy::{Forgery, Outcome};
use crate::transport::Response;

/// Whether a delivery is waiting, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeliveryState {
    /// An attempt is due, now or later.
    Pending,
    /// Answered 2xx.
    Delivered,
    /// Answered with a status that is not retried.
    Refused,
    /// Every attempt that the retry policy allows failed.
    Exhausted,
    /// Its webhook was deleted.
    Canceled,
}

impl DeliveryState {
    pub(crate) const ALL: [Self; 5] = [
        Self::Pending,
        Self::Delivered,
        Self::Refused,
        Self::Exhausted,
        Self::Canceled,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Exhausted => "exhausted",
            Self::Canceled => "canceled",
        }
    }

    /// Whether nothing follows, although the event did not arrive: a dead letter.
    pub(crate) fn is_dead(self) -> bool {
        matches!(self, Self::Refused | Self::Exhausted)
    }
}

impl FromStr for DeliveryState {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let mut all = Self::ALL.into_iter();
        all.find(|state| state.name() == name).ok_or(())
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl From<Outcome> for DeliveryState {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Delivered => Self::Delivered,
            Outcome::Refused => Self::Refused,
            Outcome::Exhausted => Self::Exhausted,
        }
    }
}

/// A delivery without its body. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Delivery {
    pub(crate) id: i64,
    pub(crate) webhook_id: String,
    pub(crate) event_type: String,
    pub(crate) event_id: String,
    pub(crate) transaction_id: String,
    pub(crate) player_id: String,
    pub(crate) code: String,
    pub(crate) state: DeliveryState,
    pub(crate) attempts: u32,
    /// How many of the attempts were made before the delivery was last sent again.
    #[serde(skip)]
    pub(crate) earlier: u32,
    pub(crate) created_at: i64,
    /// When the next attempt is due, if it is pending.
    pub(crate) due_at: i64,
    pub(crate) ended_at: Option<i64>,
    #[serde(skip)]
    pub(crate) first_timestamp: Option<u64>,
    /// The forgery that it is, instead of a genuine delivery.
    pub(crate) forgery: Option<Forgery>,
    /// Whether the response to its first attempt is lost.
    pub(crate) loses_response: bool,
    /// Whether it waits until the next delivery has overtaken it.
    pub(crate) held: bool,
    /// The delivery that it repeats.
    pub(crate) duplicate_of: Option<i64>,
}

/// A delivery with its body and attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliveryDetails {
    pub(crate) delivery: Delivery,
    pub(crate) body: Vec<u8>,
    pub(crate) attempts: Vec<AttemptRecord>,
}

/// One attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptRecord {
    /// Counted from 1.
    pub(crate) number: u32,
    pub(crate) started_at: i64,
    /// The timestamp that was signed, in Unix seconds.
    pub(crate) signed_timestamp: u64,
    pub(crate) duration_us: u64,
    /// The status of the response; `None` if there was none.
    pub(crate) status: Option<u16>,
    /// Why there was no response.
    pub(crate) failure: Option<String>,
    /// Unless the webhook's logs are off.
    pub(crate) response: Option<KeptResponse>,
    /// When the next attempt is due, if one follows.
    pub(crate) next_at: Option<i64>,
}

/// What is kept of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptResponse {
    pub(crate) headers: Vec<(String, String)>,
    /// The beginning of the body.
    pub(crate) body: Vec<u8>,
}

impl KeptResponse {
    /// How much of a body is kept.
    const LONGEST_BODY: usize = 4 * 1024;

    /// What is kept of a response, without what `redact` removes. It comes first, because the end of
    /// what is kept could be within a secret.
    pub(crate) fn of(response: &Response, redact: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let headers = response.headers.iter().map(|(name, value)| {
            let value = redact(value);
            (name.clone(), String::from_utf8_lossy(&value).into_owned())
        });
        let mut body = response.shown_body(&redact);
        body.truncate(Self::LONGEST_BODY);
        Self {
            headers: headers.collect(),
            body,
        }
    }
}

/// Which deliveries a list has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DeliveryFilter {
    pub(crate) webhook_id: Option<String>,
    pub(crate) states: Vec<DeliveryState>,
    pub(crate) player_id: Option<String>,
    /// Only deliveries with an ID below this one, for the next page.
    pub(crate) before: Option<i64>,
}

/// How many deliveries there are of each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct DeliveryCounts {
    pub(crate) pending: u64,
    pub(crate) delivered: u64,
    pub(crate) refused: u64,
    pub(crate) exhausted: u64,
    pub(crate) canceled: u64,
}

impl DeliveryCounts {
    pub(crate) fn of(&mut self, state: DeliveryState) -> &mut u64 {
        match state {
            DeliveryState::Pending => &mut self.pending,
            DeliveryState::Delivered => &mut self.delivered,
            DeliveryState::Refused => &mut self.refused,
            DeliveryState::Exhausted => &mut self.exhausted,
            DeliveryState::Canceled => &mut self.canceled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Redaction;
    use crate::protocol::Secret;

    #[test]
    fn no_part_of_a_secret_is_kept() {
        let secret = "0123456789abcdef";
        let redaction = Redaction::new(Secret::new(secret));
        let body = "x".repeat(KeptResponse::LONGEST_BODY - 10) + secret;
        let response = Response {
            status: 200,
            headers: Vec::new(),
            body_length: body.len() as u64,
            body: body.into(),
            encoded: false,
            truncated: false,
            complete: true,
        };
        let kept = KeptResponse::of(&response, |bytes| redaction.bytes(bytes).into_owned());
        let text = String::from_utf8_lossy(&kept.body);
        assert!(!text.contains("0123"), "{}", text.trim_start_matches('x'));
    }
}
