//! Every reason to turn a request away, with the status that says so. How the answer is written
//! is in `answer`.

use http::StatusCode;

use super::flaws::Flaw;
use super::grants::Withheld;

/// Why a request was turned away. Nothing was granted and no idempotency key was used up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The header is missing, is there more than once, or is empty.
    #[error("{header} must be there exactly once and not be empty")]
    HeaderCount {
        /// The header's name.
        header: &'static str,
    },
    /// The timestamp is not a decimal number of seconds.
    #[error("the timestamp is not a decimal number of Unix seconds")]
    TimestampMalformed,
    /// The signature is not one, or not of this body.
    #[error("{0}")]
    Signature(#[from] crate::protocol::SignatureMismatch),
    /// The timestamp is too old or too far ahead.
    #[error("the timestamp is {distance} s from this clock, more than the tolerance")]
    NotFresh {
        /// Seconds between the timestamp and the receiver's clock.
        distance: u64,
    },
    /// The body did not arrive in full.
    #[error("the body was cut off")]
    BodyCut,
    /// The body took too long.
    #[error("the body took too long to arrive")]
    BodySlow,
    /// The body is larger than is accepted.
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge {
        /// The most bytes that are accepted.
        limit: usize,
    },
    /// The body is not an event.
    #[error("not a coupon.redeemed event: {0}")]
    NotAnEvent(String),
    /// The event is of a type that this receiver does not handle.
    #[error("unknown event_type {0:?}")]
    UnknownEventType(String),
    /// The event's idempotency key is empty, so nothing could be granted once.
    #[error("the idempotency_key is empty")]
    EmptyIdempotencyKey,
    /// The item, and every fallback of it, has something that the game can't grant.
    #[error("{sku:?} can't be granted and there is no fallback_item")]
    CannotGrant {
        /// The SKU that is in the way.
        sku: String,
    },
    /// The player's ID or an SKU is not ASCII, which this game's are.
    #[error("a player's ID and an SKU are ASCII here")]
    BeyondAscii,
    /// The game has no such player.
    #[error("there is no such player")]
    UnknownPlayer,
    /// What the event grants of one SKU is more than can be counted.
    #[error("the quantity of {sku:?} is more than {max}", max = u64::MAX)]
    QuantityTooLarge {
        /// The SKU.
        sku: String,
    },
    /// The game denies such events in place of passing them over.
    #[error("{0} events are denied here")]
    Denied(Withheld),
    /// More deliveries have come of late than are taken.
    #[error("too many deliveries")]
    TooMany,
    /// Another delivery of the same idempotency key is worked on at this moment.
    #[error("another delivery of this idempotency_key is worked on")]
    InProgress {
        /// What it is answered with.
        status: StatusCode,
    },
    /// The same signature has come before, and what it came with was granted.
    #[error("this signature was granted already")]
    Replayed,
    /// A sound receiver would have taken it further.
    #[error("on purpose: {flaw}")]
    OnPurpose {
        /// The flaw that is shown.
        flaw: Flaw,
        /// What it is answered with.
        status: StatusCode,
    },
    /// A path segment is not percent-encoded UTF-8.
    #[error("the path is not percent-encoded UTF-8")]
    MalformedPath,
    /// A script is not a JSON array of statuses.
    #[error("a script is a JSON array of statuses from 200 to 599, as [503, 200]")]
    MalformedScript,
    /// There is nothing at this path.
    #[error("there is nothing at this path")]
    NoSuchPath,
    /// The path takes another method.
    #[error("this path takes {allowed} only")]
    MethodNotAllowed {
        /// The method that it takes.
        allowed: &'static str,
    },
}

impl Refusal {
    /// Whether the request does not prove who sent it, and when.
    pub(super) fn is_forgery(&self) -> bool {
        matches!(
            self,
            Self::HeaderCount { .. }
                | Self::TimestampMalformed
                | Self::Signature(_)
                | Self::NotFresh { .. }
        )
    }

    /// The status that goes with it.
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
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::BodySlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CannotGrant { .. } | Self::QuantityTooLarge { .. } | Self::BeyondAscii => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::OnPurpose { status, .. } | Self::InProgress { status } => *status,
            Self::NoSuchPath | Self::UnknownPlayer => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        }
    }
}
