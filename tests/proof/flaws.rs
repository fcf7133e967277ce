//! Tests each flaw of the built-in receiver over loopback: a flawed receiver shows the bug, a sound
//! one does not, and everything else works in both.
//!
//! Each flaw has one test with the flaw's name, in the file of the step that it replaces. The table
//! below registers the tests; a flaw without an entry fails the build.

mod answering;
mod authentication;
mod crashing;
mod documentation;
mod granting;
mod interpretation;
mod peer;
mod reading;
mod recording;
mod redemption;
mod rewritten_body;
mod stopping;
mod values;

use aghook::internals::receiver::Flaw;

/// `module: Flaw test …;` declares a test for each flaw.
macro_rules! tests_of_flaws {
    ($($module:ident: $($flaw:ident $test:ident)*;)*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                assert_eq!(Flaw::$flaw.name(), stringify!($test));
                $module::$test().await;
            }
        )*)*

        /// Fails to compile if a flaw has no test.
        const fn _is_tested(flaw: Flaw) {
            match flaw { $($(Flaw::$flaw => (),)*)* }
        }
    };
}

tests_of_flaws! {
    authentication:
        SignatureNotChecked signature_not_checked
        SignatureFormOnly signature_form_only
        KnownKeyNotVerified known_key_not_verified
        KeyBeforeVerification key_before_verification
        BodyReserialised body_reserialised
        TimestampNotSigned timestamp_not_signed
        NeighbouringTimestampTried neighbouring_timestamp_tried
        EventTimeSigned event_time_signed
        SeenSignatureRefused seen_signature_refused
        FreshnessNotChecked freshness_not_checked
        FutureTimestampAccepted future_timestamp_accepted
        FreshnessByEventTime freshness_by_event_time
        SignatureCaseMismatch signature_case_mismatch
        PrefixCompare prefix_compare
        SignatureBytesCompared signature_bytes_compared
        MissingHeaderPasses missing_header_passes
        ExpiredSecretAccepted expired_secret_accepted
        UnkeyedHashAccepted unkeyed_hash_accepted
        SignaturePrefixStripped signature_prefix_stripped
        AnySignatureCounts any_signature_counts
        GarbageSignatureCrashes garbage_signature_crashes
        UnsignedBodyCrashes unsigned_body_crashes
        ForgeriesUseUpSlots forgeries_use_up_slots
        EmptySecretAccepted empty_secret_accepted
        DefaultSecretAccepted default_secret_accepted
        TimestampParsedLoosely timestamp_parsed_loosely
        MillisecondsAccepted milliseconds_accepted
        TimestampCrashes timestamp_crashes
        ClockAheadRefused clock_ahead_refused
        MinuteOldRefused minute_old_refused;
    values:
        BodyLimit8k body_limit_8k
        BodyLimit64k body_limit_64k
        BodyLimit100k body_limit_100k
        OtherTriggersRefused other_triggers_refused
        OtherKeysRefused other_keys_refused
        SuspiciousTextRefused suspicious_text_refused
        NulCrashes nul_crashes
        LongTransactionIdCrashes long_transaction_id_crashes
        ItemRequired item_required
        ItemsOnlyFirst items_only_first
        DuplicateSkuLastWins duplicate_sku_last_wins
        LongBundleCut long_bundle_cut
        LastBatchLost last_batch_lost
        OtherTypesDropped other_types_dropped
        SkuTruncated sku_truncated
        PlayerCaseInsensitive player_case_insensitive
        PlayerAccentInsensitive player_accent_insensitive
        PlayerNormalised player_normalised
        PlayerTrailingSpace player_trailing_space
        PlayerLeadingZeros player_leading_zeros
        PlayerLatin1 player_latin1
        WalletKeyJoined wallet_key_joined
        KeyCaseInsensitive key_case_insensitive
        KeyTruncated key_truncated;
    rewritten_body:
        BodyDumpedByPython body_dumped_by_python
        BodyDumpedCompactly body_dumped_compactly
        BodyEncodedByPhp body_encoded_by_php
        BodySerialisedByDotnet body_serialised_by_dotnet
        BodySpacesRemoved body_spaces_removed
        BodyLinesJoined body_lines_joined
        BodyLineBreaksNormalised body_line_breaks_normalised
        BodyTrimmed body_trimmed;
    reading:
        FirstPieceOnly first_piece_only
        CutBodyLeavesLock cut_body_leaves_lock
        LettersDecodedByPiece letters_decoded_by_piece
        LettersDecodedAfterVerification letters_decoded_after_verification
        ContentLengthRequired content_length_required
        ContentTypeComparedExactly content_type_compared_exactly
        ExpectationRefused expectation_refused
        HeaderNamesCaseSensitive header_names_case_sensitive
        ConnectionKeepsPlayer connection_keeps_player;
    interpretation:
        EventTypeNotChecked event_type_not_checked
        NullDescriptionCrashes null_description_crashes
        AbsentFallbackCrashes absent_fallback_crashes
        NullContextCrashes null_context_crashes
        UnknownKeyRefused unknown_key_refused
        NonAsciiMangled non_ascii_mangled
        Quantity32Bit quantity_32_bit
        QuantityFloat quantity_float;
    granting:
        OnlyHubRedeemGranted only_hub_redeem_granted
        SandboxGranted sandbox_granted
        PlayerEnvironmentKept player_environment_kept
        TestGranted test_granted
        BundleGrantedTwice bundle_granted_twice
        BundleNotOpened bundle_not_opened
        Balance32Bit balance_32_bit
        TestByCode test_by_code
        PlayerIdRounded player_id_rounded
        PlayerIdUnescaped player_id_unescaped
        FirstLevelOnly first_level_only
        ThirdLevelNotOpened third_level_not_opened
        DeepBundleSkipped deep_bundle_skipped
        EverySecondBundleClosed every_second_bundle_closed
        NestedQuantityIgnored nested_quantity_ignored
        FallbackGrantedToo fallback_granted_too;
    redemption:
        GrantedOnBoth granted_on_both
        PairedInOneOrder paired_in_one_order
        DeclinedButGranted declined_but_granted
        RemovalIgnored removal_ignored
        OneKeyTable one_key_table
        RemovalRepeated removal_repeated
        KeyRemovedWithItems key_removed_with_items
        RemovedRowStaysDeleted removed_row_stays_deleted;
    recording:
        DedupeMissing dedupe_missing
        DedupeByEventId dedupe_by_event_id
        DedupeBySignature dedupe_by_signature
        DedupeByTransactionId dedupe_by_transaction_id
        DedupeByCouponCode dedupe_by_coupon_code
        DedupeInMemory dedupe_in_memory
        LastKeyOnly last_key_only
        LastKeysOfPlayer last_keys_of_player
        CouponsLimited coupons_limited
        OncePerItem once_per_item
        RecentKeysOnly recent_keys_only
        KeysLostInSnapshot keys_lost_in_snapshot
        CheckThenInsertRace check_then_insert_race
        KeyWrittenLast key_written_last
        StoppedByHangup stopped_by_hangup
        ClaimExpiresDuringWork claim_expires_during_work
        LostUpdate lost_update
        LockRemovedTooEarly lock_removed_too_early
        BusyPlayerAcked busy_player_acked
        OlderEventDropped older_event_dropped
        FullQueueDrops full_queue_drops
        GrantBeforeKey grant_before_key
        KeyBeforeGrant key_before_grant;
    stopping:
        KeysPerInstance keys_per_instance
        KeyBeforeSlowGrant key_before_slow_grant
        GrantBeforeSlowKey grant_before_slow_key
        QueuedInMemory queued_in_memory
        JournalBufferReused journal_buffer_reused
        JournalTextSplit journal_text_split
        FrozenAfterResponse frozen_after_response
        KeyForgottenTooSoon key_forgotten_too_soon
        KeyExpiresByEventTime key_expires_by_event_time
        DuplicateAckedWhilePending duplicate_acked_while_pending
        BundlePartiallyGranted bundle_partially_granted
        RefusedPartSkipped refused_part_skipped
        KeyOfRefusalKept key_of_refusal_kept
        FullInventoryAcked full_inventory_acked
        RefusalRemembered refusal_remembered
        RefusedRetriedByBoth refused_retried_by_both
        ItemRefusedToAll item_refused_to_all
        CapacityCheckedFirst capacity_checked_first
        PartKeptWithFallback part_kept_with_fallback
        RefusalLeavesLock refusal_leaves_lock
        FallbackReplacesItems fallback_replaces_items
        FallbackBundleClosed fallback_bundle_closed
        FallbackIgnored fallback_ignored;
    answering:
        ForgeryAnswered500 forgery_answered_500
        ForgeryAnswered200 forgery_answered_200
        ErrorAnswered200 error_answered_200
        RedeliveryAnswered409 redelivery_answered_409
        RedeliveryAnswered500 redelivery_answered_500
        RedeliveryAnsweredOtherwise redelivery_answered_otherwise
        OverlapRefused overlap_refused
        EarlyAnswer early_answer
        LargeBodyAnsweredEarly large_body_answered_early
        SlowAnswer slow_answer
        LoginRedirect login_redirect;
}
