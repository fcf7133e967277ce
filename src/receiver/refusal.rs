//! The reasons to refuse a request and their statuses, and to skip a grant. `response` builds the
//! response.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::flaw::Flaw;

/// Why an event is acknowledged and recorded, but not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// The event comes from the sandbox environment.
    Sandbox,
    /// "Send test event" in the dashboard triggered the event.
    Test,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sandbox => "sandbox",
            Self::Test => "test",
        })
    }
}

/// Why a request was refused. A refusal grants nothing and records no idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The header is missing, duplicated or empty.
    #[error("{header} must be present exactly once and not empty")]
    HeaderCount {
        /// The header's name.
        header: &'static str,
    },
    /// The timestamp is not a decimal number of seconds.
    #[error("the timestamp is not a decimal number of Unix seconds")]
    TimestampMalformed,
    /// The signature is malformed or does not match.
    #[error("{0}")]
    Signature(#[from] crate::protocol::SignatureMismatch),
    /// The timestamp is too old or too far in the future.
    ///
    /// The message leaves out the exact difference, which can vary by a second between two equal
    /// runs and would change their snapshots.
    #[error("the timestamp differs from this receiver's clock by more than {} s", tolerance.as_secs())]
    NotFresh {
        /// The largest difference that the receiver accepts.
        tolerance: Duration,
    },
    /// The body is incomplete.
    #[error("the body was cut off")]
    BodyCut,
    /// The body took too long to arrive.
    #[error("the body took too long to arrive")]
    BodySlow,
    /// The body is too large.
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body is not an event.
    #[error("not a coupon.redeemed event: {0}")]
    NotAnEvent(String),
    /// This receiver does not handle the event type.
    #[error("unknown event_type {0:?}")]
    UnknownEventType(String),
    /// The idempotency key is empty, so it can't prevent a second grant.
    #[error("the idempotency_key is empty")]
    EmptyIdempotencyKey,
    /// The game can grant neither the item nor any of its fallbacks.
    #[error("{sku:?} can't be granted and has no fallback_item")]
    CannotGrant {
        /// The SKU that can't be granted.
        sku: String,
    },
    /// The player ID or an SKU is not ASCII.
    #[error("player IDs and SKUs must be ASCII")]
    NonAsciiId,
    /// The game does not know the player.
    #[error("unknown player")]
    UnknownPlayer,
    /// The event grants more of one SKU than fits into 64 bits.
    #[error("the quantity of {sku:?} is more than {max}", max = u64::MAX)]
    QuantityTooLarge {
        /// The SKU.
        sku: String,
    },
    /// The game denies such events instead of skipping them.
    #[error("{0} events are denied here")]
    Denied(Skipped),
    /// The rate limit is exceeded.
    #[error("too many deliveries")]
    RateLimited,
    /// Another delivery with the same idempotency key is already being processed.
    #[error("another delivery with this idempotency_key is already being processed")]
    InProgress {
        /// The response's status.
        status: StatusCode,
    },
    /// A delivery with the same signature was already granted.
    #[error("a delivery with this signature was already granted")]
    Replayed,
    /// A sound receiver would not refuse the request here.
    #[error("refused by the flaw {flaw}")]
    CausedByFlaw {
        /// The flaw.
        flaw: Flaw,
        /// The response's status.
        status: StatusCode,
    },
    /// A path segment is not percent-encoded UTF-8.
    #[error("the path is not percent-encoded UTF-8")]
    MalformedPath,
    /// The script is not a JSON array of statuses.
    #[error("expected a JSON array of statuses from 200 to 599, such as [503, 200]")]
    MalformedScript,
    /// No endpoint has this path.
    #[error("no endpoint has this path")]
    NoSuchPath,
    /// The endpoint does not allow this method.
    #[error("this path allows only {allowed}")]
    MethodNotAllowed {
        /// The allowed method.
        allowed: &'static str,
    },
}

impl Refusal {
    /// Whether the signature or the timestamp was refused.
    pub(super) fn is_forgery(&self) -> bool {
        matches!(
            self,
            Self::HeaderCount { .. }
                | Self::TimestampMalformed
                | Self::Signature(_)
                | Self::NotFresh { .. }
        )
    }

    /// The status of the response.
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
            | Self::UnknownEventType(_)
            | Self::EmptyIdempotencyKey
            | Self::MalformedPath
            | Self::MalformedScript => StatusCode::BAD_REQUEST,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::BodySlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CannotGrant { .. } | Self::QuantityTooLarge { .. } | Self::NonAsciiId => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::CausedByFlaw { status, .. } | Self::InProgress { status } => *status,
            Self::NoSuchPath | Self::UnknownPlayer => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        }
    }
}
