//! Which topic fixes what. The matches are exhaustive, so that a new flaw, forgery or fault has a topic.

use super::Topic;
use crate::policy::{Fault, Forgery};
use crate::receiver::Flaw;
use crate::report::{GrantCause, Repetition};
use crate::verify::GrantFailure;

impl Topic {
    #[expect(clippy::too_many_lines, reason = "a table of all flaws")]
    pub(super) fn of_flaw(flaw: Flaw) -> Self {
        match flaw {
            Flaw::SignatureNotChecked
            | Flaw::SignatureFormOnly
            | Flaw::TimestampNotSigned
            | Flaw::SignatureCaseMismatch
            | Flaw::PrefixCompare
            | Flaw::SignatureBytesCompared
            | Flaw::MissingHeaderPasses
            | Flaw::UnkeyedHashAccepted
            | Flaw::SignaturePrefixStripped
            | Flaw::AnySignatureCounts
            | Flaw::NeighbouringTimestampTried
            | Flaw::EventTimeSigned
            | Flaw::GarbageSignatureCrashes => Self::Signature,
            Flaw::FreshnessNotChecked
            | Flaw::FutureTimestampAccepted
            | Flaw::FreshnessByEventTime
            | Flaw::TimestampParsedLoosely
            | Flaw::MillisecondsAccepted
            | Flaw::TimestampCrashes
            | Flaw::ClockAheadRefused
            | Flaw::MinuteOldRefused => Self::Timestamp,
            Flaw::ExpiredSecretAccepted
            | Flaw::EmptySecretAccepted
            | Flaw::DefaultSecretAccepted => Self::Secret,
            Flaw::KnownKeyNotVerified
            | Flaw::BodyReserialised
            | Flaw::BodyDumpedByPython
            | Flaw::BodyDumpedCompactly
            | Flaw::BodyEncodedByPhp
            | Flaw::BodySerialisedByDotnet
            | Flaw::BodySpacesRemoved
            | Flaw::BodyLinesJoined
            | Flaw::BodyLineBreaksNormalised
            | Flaw::BodyTrimmed
            | Flaw::UnsignedBodyCrashes
            | Flaw::ForgeriesUseUpSlots
            | Flaw::NonAsciiMangled => Self::RawBody,
            Flaw::FirstPieceOnly
            | Flaw::CutBodyLeavesLock
            | Flaw::LettersDecodedByPiece
            | Flaw::LettersDecodedAfterVerification
            | Flaw::ContentTypeComparedExactly
            | Flaw::HeaderNamesCaseSensitive
            | Flaw::BodyLimit8k
            | Flaw::BodyLimit64k
            | Flaw::BodyLimit100k => Self::WholeBody,
            Flaw::ContentLengthRequired
            | Flaw::ExpectationRefused
            | Flaw::SuspiciousTextRefused
            | Flaw::LoginRedirect => Self::OpenEndpoint,
            Flaw::ConnectionKeepsPlayer
            | Flaw::NullDescriptionCrashes
            | Flaw::AbsentFallbackCrashes
            | Flaw::NullContextCrashes
            | Flaw::UnknownKeyRefused
            | Flaw::OtherTriggersRefused
            | Flaw::OtherKeysRefused
            | Flaw::NulCrashes
            | Flaw::ItemRequired
            | Flaw::ItemsOnlyFirst
            | Flaw::OtherTypesDropped => Self::OpenSchema,
            Flaw::EventTypeNotChecked
            | Flaw::OnlyHubRedeemGranted
            | Flaw::SandboxGranted
            | Flaw::PlayerEnvironmentKept
            | Flaw::TestByCode
            | Flaw::TestGranted
            | Flaw::GrantedOnBoth
            | Flaw::PairedInOneOrder
            | Flaw::RemovalIgnored => Self::CreditedEvents,
            Flaw::Quantity32Bit | Flaw::Balance32Bit | Flaw::QuantityFloat => Self::Quantities,
            Flaw::BundleGrantedTwice
            | Flaw::BundleNotOpened
            | Flaw::FirstLevelOnly
            | Flaw::ThirdLevelNotOpened
            | Flaw::DeepBundleSkipped
            | Flaw::NestedQuantityIgnored
            | Flaw::DuplicateSkuLastWins
            | Flaw::FallbackBundleClosed
            | Flaw::EverySecondBundleClosed => Self::Bundles,
            Flaw::FallbackGrantedToo
            | Flaw::FallbackIgnored
            | Flaw::DeclinedButGranted
            | Flaw::LongBundleCut
            | Flaw::LastBatchLost
            | Flaw::BundlePartiallyGranted
            | Flaw::PartKeptWithFallback
            | Flaw::FallbackReplacesItems
            | Flaw::RefusedPartSkipped => Self::WholeGrant,
            Flaw::SkuTruncated
            | Flaw::PlayerCaseInsensitive
            | Flaw::PlayerIdRounded
            | Flaw::PlayerIdUnescaped
            | Flaw::PlayerAccentInsensitive
            | Flaw::PlayerNormalised
            | Flaw::PlayerTrailingSpace
            | Flaw::PlayerLeadingZeros
            | Flaw::PlayerLatin1
            | Flaw::WalletKeyJoined
            | Flaw::KeyCaseInsensitive
            | Flaw::KeyTruncated
            | Flaw::LongTransactionIdCrashes => Self::ExactIds,
            Flaw::KeyBeforeVerification
            | Flaw::SeenSignatureRefused
            | Flaw::DedupeMissing
            | Flaw::DedupeByEventId
            | Flaw::DedupeBySignature
            | Flaw::DedupeByTransactionId
            | Flaw::DedupeByCouponCode
            | Flaw::RemovalRepeated
            | Flaw::CheckThenInsertRace
            | Flaw::KeyWrittenLast
            | Flaw::ClaimExpiresDuringWork
            | Flaw::StoppedByHangup
            | Flaw::BusyPlayerAcked
            | Flaw::OlderEventDropped
            | Flaw::GrantBeforeKey
            | Flaw::KeyBeforeGrant
            | Flaw::KeyBeforeSlowGrant
            | Flaw::GrantBeforeSlowKey
            | Flaw::KeyOfRefusalKept
            | Flaw::FullInventoryAcked
            | Flaw::RefusalLeavesLock
            | Flaw::CouponsLimited
            | Flaw::OncePerItem
            | Flaw::RefusalRemembered
            | Flaw::ItemRefusedToAll
            | Flaw::RefusedRetriedByBoth
            | Flaw::CapacityCheckedFirst
            | Flaw::OverlapRefused
            | Flaw::DuplicateAckedWhilePending => Self::Idempotency,
            Flaw::OneKeyTable
            | Flaw::KeyRemovedWithItems
            | Flaw::DedupeInMemory
            | Flaw::LastKeyOnly
            | Flaw::LastKeysOfPlayer
            | Flaw::RecentKeysOnly
            | Flaw::KeysLostInSnapshot
            | Flaw::KeysPerInstance
            | Flaw::KeyForgottenTooSoon
            | Flaw::KeyExpiresByEventTime => Self::KeyStorage,
            Flaw::LostUpdate | Flaw::LockRemovedTooEarly | Flaw::RemovedRowStaysDeleted => {
                Self::Balance
            }
            Flaw::FullQueueDrops
            | Flaw::QueuedInMemory
            | Flaw::JournalBufferReused
            | Flaw::JournalTextSplit
            | Flaw::FrozenAfterResponse
            | Flaw::EarlyAnswer
            | Flaw::LargeBodyAnsweredEarly
            | Flaw::SlowAnswer => Self::RespondLast,
            Flaw::ForgeryAnswered500
            | Flaw::ForgeryAnswered200
            | Flaw::ErrorAnswered200
            | Flaw::RedeliveryAnswered409
            | Flaw::RedeliveryAnswered500
            | Flaw::RedeliveryAnsweredOtherwise => Self::StatusCodes,
        }
    }

    pub(super) fn of_forgery(forgery: Forgery) -> Self {
        match forgery {
            Forgery::MissingSignature
            | Forgery::MissingTimestamp
            | Forgery::EmptySignature
            | Forgery::WrongSecret
            | Forgery::TruncatedSignature
            | Forgery::GarbageSignature
            | Forgery::SwappedTimestamp
            | Forgery::BodyOnlySignature
            | Forgery::WrongAlgorithm
            | Forgery::PrefixedSignature
            | Forgery::TwoSignatures => Self::Signature,
            Forgery::TamperedBody => Self::RawBody,
            Forgery::StaleTimestamp
            | Forgery::FutureTimestamp
            | Forgery::TimestampWord
            | Forgery::TimestampExponent
            | Forgery::TimestampNegative
            | Forgery::TimestampHuge
            | Forgery::TimestampMilliseconds => Self::Timestamp,
            Forgery::ExpiredSecret
            | Forgery::EmptySecret
            | Forgery::BlankSecret
            | Forgery::GuessedSecret
            | Forgery::GuessedChangeme
            | Forgery::GuessedNull
            | Forgery::GuessedUndefined
            | Forgery::GuessedHeaderName => Self::Secret,
        }
    }

    pub(super) fn of_fault(fault: Fault) -> Self {
        match fault {
            Fault::CutBody | Fault::SlowBody(_) => Self::WholeBody,
            Fault::OutOfOrder => Self::KeyStorage,
            Fault::LostAck
            | Fault::TimeoutOverlap(_)
            | Fault::Reset
            | Fault::Duplicate
            | Fault::LateRetry(_)
            | Fault::RestartInFlight(_) => Self::Idempotency,
        }
    }

    pub(super) fn of_cause(cause: GrantCause) -> Self {
        match cause {
            GrantCause::Repeated(Repetition::AfterRestart) => Self::KeyStorage,
            GrantCause::Repeated(_) | GrantCause::KeyKept => Self::Idempotency,
            GrantCause::Forgery => Self::Signature,
            GrantCause::Timestamp => Self::Timestamp,
            GrantCause::Refused => Self::WholeGrant,
            GrantCause::Other(failure) => match failure {
                GrantFailure::NeverAccepted => Self::RawBody,
                GrantFailure::AcceptedNotGranted => Self::RespondLast,
                GrantFailure::PartMissing | GrantFailure::ItemAndFallback => Self::WholeGrant,
                GrantFailure::Repeated | GrantFailure::TooMuch | GrantFailure::TakenTooOften => {
                    Self::Idempotency
                }
                GrantFailure::BothEvents | GrantFailure::Forbidden | GrantFailure::NotTaken => {
                    Self::CreditedEvents
                }
                GrantFailure::Overflow | GrantFailure::Rounded => Self::Quantities,
                GrantFailure::BundleItself => Self::Bundles,
                GrantFailure::OtherItem => Self::ExactIds,
                GrantFailure::TooLittle => Self::Balance,
            },
        }
    }
}
