//! The reasons to refuse a request and their statuses, and to skip a grant. `response` builds the
//! response.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::flaw::Flaw;

/// Why an event is acknowledged and recorded, but not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    Sandbox,
    /// "Send test event" in the dashboard triggered the event.
    Test,
    /// The game credits the other event of the redemption.
    NotCredited,
    /// The other event of the redemption was granted.
    OtherGranted,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sandbox => "sandbox",
            Self::Test => "test",
            Self::NotCredited => "the other event of the redemption grants it",
            Self::OtherGranted => "the other event of the redemption was granted",
        })
    }
}

/// Why a request was refused. A refusal grants nothing and records no idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{header} must be present exactly once and not empty")]
    HeaderCount { header: &'static str },
    #[error("the timestamp is not a decimal number of Unix seconds")]
    TimestampMalformed,
    #[error("{0}")]
    Signature(#[from] crate::protocol::SignatureMismatch),
    /// The timestamp is too old or too far in the future.
    ///
    /// The message leaves out the exact difference, which can vary by a second between two equal
    /// runs and would change their snapshots.
    #[error("the timestamp differs from this receiver's clock by more than {} s", tolerance.as_secs())]
    NotFresh { tolerance: Duration },
    #[error("the body was cut off")]
    BodyCut,
    #[error("the body took too long to arrive")]
    BodySlow,
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("not a coupon.redeemed event: {0}")]
    NotAnEvent(String),
    #[error("not an item event: {0}")]
    NotAnItemEvent(String),
    /// The documented refusal of `item.add`. `[P]`
    #[error("declined: {0}")]
    Declined(String),
    #[error("unknown event_type {0:?}")]
    UnknownEventType(String),
    #[error("the idempotency_key is empty")]
    EmptyIdempotencyKey,
    #[error("{sku:?} can't be granted and has no fallback_item")]
    CannotGrant { sku: String },
    #[error("player IDs and SKUs must be ASCII")]
    NonAsciiId,
    #[error("{0} is beyond the limits of this game")]
    BeyondLimits(&'static str),
    #[error("unknown player")]
    UnknownPlayer,
    #[error("the quantity of {sku:?} is more than {max}", max = u64::MAX)]
    QuantityTooLarge { sku: String },
    #[error("{0} events are denied here")]
    Denied(Skipped),
    #[error("too many deliveries")]
    RateLimited,
    #[error("another delivery with this idempotency_key is already being processed")]
    InProgress { status: StatusCode },
    #[error("a delivery with this signature was already granted")]
    Replayed,
    #[error("refused by the flaw {flaw}")]
    CausedByFlaw { flaw: Flaw, status: StatusCode },
    #[error("the path is not percent-encoded UTF-8")]
    MalformedPath,
    #[error("expected a JSON array of statuses from 200 to 599, such as [503, 200]")]
    MalformedScript,
    #[error("no endpoint has this path")]
    NoSuchPath,
    #[error(
        "the Host header names another host; use an IP address or localhost, or start `aghook receive` with --allow-remote"
    )]
    OtherHost,
    #[error("this path allows only {allowed}")]
    MethodNotAllowed { allowed: &'static str },
}

impl Refusal {
    pub(super) fn is_forgery(&self) -> bool {
        matches!(
            self,
            Self::HeaderCount { .. }
                | Self::TimestampMalformed
                | Self::Signature(_)
                | Self::NotFresh { .. }
        )
    }

    pub fn status(&self) -> StatusCode {
        match self {
            Self::HeaderCount { .. }
            | Self::TimestampMalformed
            | Self::Signature(_)
            | Self::NotFresh { .. }
            | Self::Denied(_)
            | Self::Replayed => StatusCode::FORBIDDEN,
            Self::BodyCut
            | Self::NotAnEvent(_)
            | Self::NotAnItemEvent(_)
            | Self::Declined(_)
            | Self::UnknownEventType(_)
            | Self::EmptyIdempotencyKey
            | Self::MalformedPath
            | Self::MalformedScript => StatusCode::BAD_REQUEST,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::BodySlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CannotGrant { .. }
            | Self::QuantityTooLarge { .. }
            | Self::NonAsciiId
            | Self::BeyondLimits(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::CausedByFlaw { status, .. } | Self::InProgress { status } => *status,
            Self::OtherHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NoSuchPath | Self::UnknownPlayer => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        }
    }
}
