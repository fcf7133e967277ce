//! The main scenario of each flaw: the one whose `about` says what to fix.

use aghook::internals::receiver::Flaw;

/// The folder and name of the flaw's main scenario.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn main_scenario(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::SignatureNotChecked | Flaw::ForgeryAnswered500 | Flaw::ForgeryAnswered200 => {
            "signature/wrong_secret"
        }
        Flaw::SignatureFormOnly => "signature/tampered_body",
        Flaw::KnownKeyNotVerified => "signature/forged_redelivery",
        Flaw::KeyBeforeVerification => "signature/forgery_uses_nothing_up",
        Flaw::BodyReserialised => "payload/whole_price",
        Flaw::BodyDumpedByPython
        | Flaw::BodyDumpedCompactly
        | Flaw::BodyEncodedByPhp
        | Flaw::BodySerialisedByDotnet
        | Flaw::BodySpacesRemoved
        | Flaw::BodyLinesJoined
        | Flaw::BodyLineBreaksNormalised
        | Flaw::BodyTrimmed => "payload/body_layout",
        Flaw::TimestampNotSigned => "signature/body_only_signature",
        Flaw::NeighbouringTimestampTried => "signature/swapped_timestamp",
        Flaw::EventTimeSigned | Flaw::FreshnessByEventTime => "retries/late_by_minutes",
        Flaw::SeenSignatureRefused => "retries/first_signature_again",
        Flaw::FreshnessNotChecked => "signature/stale_timestamp",
        Flaw::FutureTimestampAccepted => "signature/future_timestamp",
        Flaw::SignatureCaseMismatch | Flaw::LoginRedirect => "payload/plain_item",
        Flaw::PrefixCompare => "signature/truncated_signature",
        Flaw::MissingHeaderPasses => "signature/missing_signature",
        Flaw::ExpiredSecretAccepted => "signature/expired_secret",
        Flaw::UnkeyedHashAccepted => "signature/wrong_algorithm",
        Flaw::SignaturePrefixStripped => "signature/prefixed_signature",
        Flaw::AnySignatureCounts => "signature/two_signatures",
        Flaw::GarbageSignatureCrashes | Flaw::SignatureBytesCompared => {
            "signature/garbage_signature"
        }
        Flaw::ForgeriesUseUpSlots => "signature/many_forgeries",
        Flaw::UnsignedBodyCrashes => "signature/unreadable_body",
        Flaw::EmptySecretAccepted => "signature/empty_secret",
        Flaw::DefaultSecretAccepted => "signature/guessed_secret",
        Flaw::TimestampParsedLoosely | Flaw::MillisecondsAccepted | Flaw::TimestampCrashes => {
            "signature/malformed_timestamp"
        }
        Flaw::ClockAheadRefused => "signature/clock_ahead",
        Flaw::MinuteOldRefused => "signature/clock_behind",
        Flaw::LettersDecodedAfterVerification => "wire/split_letters_of_player",
        Flaw::LettersDecodedByPiece => "wire/split_letters",
        Flaw::ContentLengthRequired => "wire/chunked_body",
        Flaw::ContentTypeComparedExactly => "wire/content_type_charset",
        Flaw::ExpectationRefused => "wire/expect_continue",
        Flaw::HeaderNamesCaseSensitive => "wire/header_names",
        Flaw::ConnectionKeepsPlayer => "wire/players_of_one_connection",
        Flaw::FirstPieceOnly => "faults/slow_body",
        Flaw::CutBodyLeavesLock => "faults/cut_body",
        Flaw::BodyLimit8k | Flaw::LongBundleCut => "payload/large_bundle",
        Flaw::BodyLimit64k | Flaw::BodyLimit100k => "payload/huge_bundle",
        Flaw::OtherTriggersRefused => "context/other_trigger",
        Flaw::OtherKeysRefused => "idempotency/uuid_key",
        Flaw::SuspiciousTextRefused => "payload/awkward_text",
        Flaw::NulCrashes => "payload/zero_character",
        Flaw::LongTransactionIdCrashes => "payload/transaction_id_length",
        Flaw::ItemRequired => "payload/items_without_item",
        Flaw::DuplicateSkuLastWins => "payload/repeated_sku",
        Flaw::OtherTypesDropped => "payload/other_item_type",
        Flaw::SkuTruncated => "payload/long_sku",
        Flaw::ItemsOnlyFirst => "payload/several_items",
        Flaw::PlayerCaseInsensitive | Flaw::PlayerTrailingSpace => "payload/similar_players",
        Flaw::PlayerLeadingZeros => "payload/leading_zeros",
        Flaw::PlayerAccentInsensitive | Flaw::PlayerNormalised | Flaw::PlayerLatin1 => {
            "payload/similar_players_beyond_ascii"
        }
        Flaw::WalletKeyJoined => "payload/joined_ids",
        Flaw::KeyCaseInsensitive => "idempotency/similar_keys",
        Flaw::KeyTruncated => "idempotency/long_keys",
        Flaw::EventTypeNotChecked => "payload/other_event_type",
        Flaw::OnlyHubRedeemGranted => "context/null_trigger",
        Flaw::NullDescriptionCrashes => "payload/null_description",
        Flaw::AbsentFallbackCrashes => "payload/absent_fields",
        Flaw::NullContextCrashes => "context/null_context",
        Flaw::UnknownKeyRefused => "payload/unknown_keys",
        Flaw::NonAsciiMangled => "payload/player_beyond_ascii",
        Flaw::Balance32Bit => "payload/large_balance",
        Flaw::PlayerIdRounded => "payload/player_like_number",
        Flaw::PlayerIdUnescaped => "payload/player_with_escapes",
        Flaw::Quantity32Bit | Flaw::QuantityFloat => "payload/large_quantity",
        Flaw::SandboxGranted => "context/sandbox",
        Flaw::PlayerEnvironmentKept => "context/sandbox_and_live",
        Flaw::TestByCode => "context/code_of_test",
        Flaw::TestGranted => "context/test_trigger",
        Flaw::BundleNotOpened | Flaw::BundleGrantedTwice | Flaw::NestedQuantityIgnored => {
            "payload/bundle"
        }
        Flaw::FirstLevelOnly | Flaw::ThirdLevelNotOpened => "payload/bundle_in_bundle",
        Flaw::DeepBundleSkipped => "payload/deep_bundle",
        Flaw::EverySecondBundleClosed => "payload/bundles_in_a_row",
        Flaw::LastBatchLost => "payload/many_items",
        Flaw::FallbackGrantedToo => "payload/fallback_item",
        Flaw::DedupeMissing
        | Flaw::RedeliveryAnswered409
        | Flaw::RedeliveryAnswered500
        | Flaw::RedeliveryAnsweredOtherwise => "idempotency/redelivery",
        Flaw::DedupeByEventId => "idempotency/retry_with_new_event_id",
        Flaw::DedupeBySignature => "faults/late_retry_in_time",
        Flaw::DedupeByTransactionId => "idempotency/shared_transaction",
        Flaw::GrantedOnBoth => "redemption/item_add_after_coupon",
        Flaw::PairedInOneOrder | Flaw::OneKeyTable => "redemption/item_add_before_coupon",
        Flaw::DeclinedButGranted => "redemption/item_add_alone",
        Flaw::RemovalIgnored | Flaw::RemovalRepeated => "redemption/item_remove",
        Flaw::KeyRemovedWithItems => "redemption/redelivery_after_removal",
        Flaw::RemovedRowStaysDeleted | Flaw::OncePerItem => "redemption/coupon_after_removal",
        Flaw::DedupeByCouponCode => "idempotency/one_code_of_two_players",
        Flaw::DedupeInMemory => "idempotency/redelivery_after_restart",
        Flaw::LastKeyOnly | Flaw::OlderEventDropped => "faults/out_of_order",
        Flaw::LastKeysOfPlayer | Flaw::CouponsLimited => {
            "idempotency/redelivery_after_many_coupons"
        }
        Flaw::KeysLostInSnapshot => "idempotency/redelivery_after_others_and_restart",
        Flaw::RecentKeysOnly => "idempotency/redelivery_after_all_others",
        Flaw::CheckThenInsertRace => "idempotency/simultaneous_redelivery",
        Flaw::KeyWrittenLast | Flaw::OverlapRefused => "faults/timeout_overlap",
        Flaw::ClaimExpiresDuringWork => "faults/timeout_overlap_of_large_bundle",
        Flaw::StoppedByHangup => "faults/reset",
        Flaw::LostUpdate | Flaw::BusyPlayerAcked => "idempotency/simultaneous_coupons",
        Flaw::LockRemovedTooEarly => "idempotency/stream_of_one_player",
        Flaw::FullQueueDrops => "idempotency/burst",
        Flaw::GrantBeforeKey | Flaw::EarlyAnswer => "retries/exhausted_retries",
        Flaw::KeyBeforeGrant => "retries/redelivered_after_exhaustion",
        Flaw::LargeBodyAnsweredEarly => "retries/large_bundle_refused",
        Flaw::SlowAnswer => "retries/answered_in_time",
        Flaw::KeysPerInstance => "idempotency/redelivery_to_another_instance",
        Flaw::KeyBeforeSlowGrant | Flaw::GrantBeforeSlowKey => "faults/restart_in_flight",
        Flaw::QueuedInMemory | Flaw::JournalBufferReused => "retries/acknowledged_before_restart",
        Flaw::JournalTextSplit => "retries/quoted_text_before_restart",
        Flaw::FrozenAfterResponse => "retries/silence_after_response",
        Flaw::KeyForgottenTooSoon => "idempotency/redelivery_after_hours",
        Flaw::KeyExpiresByEventTime => "retries/late_delivery",
        Flaw::DuplicateAckedWhilePending => "retries/duplicate_of_a_failing_delivery",
        Flaw::RefusedRetriedByBoth => "retries/no_late_grant_after_refusal",
        Flaw::KeyOfRefusalKept
        | Flaw::RefusalLeavesLock
        | Flaw::RefusalRemembered
        | Flaw::ItemRefusedToAll => "retries/redelivered_after_refusal",
        Flaw::ErrorAnswered200 | Flaw::FullInventoryAcked => "retries/acknowledged_without_room",
        Flaw::BundlePartiallyGranted | Flaw::RefusedPartSkipped => "retries/bundle_part_refused",
        Flaw::CapacityCheckedFirst => "idempotency/redelivery_to_full_inventory",
        Flaw::PartKeptWithFallback => "payload/fallback_of_bundle",
        Flaw::FallbackReplacesItems => "payload/fallback_of_one_item",
        Flaw::FallbackBundleClosed => "payload/fallback_bundle_of_full_item",
        Flaw::FallbackIgnored => "payload/fallback_of_full_item",
    }
}
