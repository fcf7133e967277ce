//! How to reveal that a receiver has a flaw.

use super::Flaw;

/// Defines how to reveal the flaws. Each line has the Rust variant and one sentence.
macro_rules! revelations {
    ($($variant:ident $revealed_by:literal;)*) => {
        impl Flaw {
            /// What a test must send to reveal the bug and what it then observes, in one sentence.
            pub fn revealed_by(self) -> &'static str {
                match self { $(Self::$variant => $revealed_by,)* }
            }
        }
    };
}

revelations! {
    // Authentication.
    SignatureNotChecked "Every forgery with a fresh timestamp is answered 200 and granted.";
    SignatureFormOnly "The forgeries `wrong_secret`, `tampered_body`, `swapped_timestamp`, `body_only_signature` and `wrong_algorithm` are answered 200 and granted, while missing and malformed signatures are refused.";
    KnownKeyNotVerified "A forgery of an event that was already delivered is answered 200, while a forgery of a new event is refused.";
    KeyBeforeVerification "A forgery is refused, and the genuine delivery of the same event after it is answered 200 but not granted.";
    BodyReserialised "An event with a quantity above 2^53, a number such as `20.0`, whitespace, an unnecessary escape or digits as a key is answered 403, while plain compact events pass.";
    BodyDumpedByPython "Every compact event is answered 403.";
    BodyDumpedCompactly "An event with a non-ASCII character that is not escaped is answered 403, while plain compact events pass.";
    BodyEncodedByPhp "An event with a slash or a non-ASCII character that is not escaped is answered 403, while plain compact events pass.";
    BodySerialisedByDotnet "An event with an apostrophe, a plus sign or a non-ASCII character that is not escaped is answered 403, while plain compact events pass.";
    BodySpacesRemoved "An event with a space in a text or after a colon is answered 403.";
    BodyLinesJoined "An indented event, or one with a newline at its end, is answered 403, while events on one line pass.";
    BodyLineBreaksNormalised "An event that is indented with CR LF is answered 403, while one that is indented with LF passes.";
    BodyTrimmed "An event with a newline at its end or beginning is answered 403, while other events pass.";
    TimestampNotSigned "The forgery `body_only_signature` is answered 200 and granted.";
    NeighbouringTimestampTried "The forgery `swapped_timestamp` is answered 200.";
    EventTimeSigned "An event is answered 403 unless it is signed in the second of its `event_time`, and then the forgery `swapped_timestamp` is answered 200.";
    SeenSignatureRefused "The second delivery with the same timestamp and body is answered 403.";
    FreshnessNotChecked "The forgeries `stale_timestamp` and `future_timestamp` are answered 200.";
    FutureTimestampAccepted "The forgery `future_timestamp` is answered 200, while `stale_timestamp` is refused.";
    FreshnessByEventTime "An event whose `event_time` is an hour ago is answered 403 and not granted, although its signature is fresh.";
    SignatureCaseMismatch "Every genuine delivery is answered 403.";
    PrefixCompare "The forgeries `empty_signature` and `truncated_signature` are answered 200 and granted.";
    SignatureBytesCompared "The forgeries `garbage_signature`, `prefixed_signature` and `truncated_signature` are answered 200 and granted, while an empty signature is refused.";
    MissingHeaderPasses "The forgeries `missing_signature` and `missing_timestamp` are answered 200 and granted.";
    ExpiredSecretAccepted "The forgery `expired_secret`, which needs the expired secret on both sides, is answered 200 and granted.";
    UnkeyedHashAccepted "The forgery `wrong_algorithm` is answered 200 and granted.";
    SignaturePrefixStripped "The forgery `prefixed_signature` is answered 200.";
    AnySignatureCounts "The forgery `two_signatures` is answered 200.";
    GarbageSignatureCrashes "The forgery `garbage_signature` is answered 500.";
    UnsignedBodyCrashes "A forgery whose body is not an event is answered 500, while other forgeries are answered 403.";
    ForgeriesUseUpSlots "After 100 forgeries, a genuine delivery is answered 503 and not granted, until the receiver restarts.";
    EmptySecretAccepted "The forgeries `empty_secret` and `blank_secret` are answered 200 and granted.";
    DefaultSecretAccepted "The forgeries `guessed_secret`, `guessed_changeme`, `guessed_null`, `guessed_undefined` and `guessed_header_name` are answered 200 and granted.";
    TimestampParsedLoosely "The forgeries `timestamp_word` and `timestamp_exponent` are answered 200.";
    MillisecondsAccepted "The forgery `timestamp_milliseconds` is answered 200.";
    TimestampCrashes "The forgeries `timestamp_word`, `timestamp_exponent`, `timestamp_negative`, `timestamp_huge` and `timestamp_milliseconds` are answered 500.";
    ClockAheadRefused "A genuine delivery signed 2 s ahead is answered 403 and not granted.";
    MinuteOldRefused "A genuine delivery signed a minute ago is answered 403 and not granted.";

    // Reading the body.
    FirstPieceOnly "With the fault `slow_body`, or if the last byte arrives separately, a genuine delivery is answered 403 and not granted.";
    CutBodyLeavesLock "After the fault `cut_body`, every retry is answered 503 and nothing is granted.";
    LettersDecodedByPiece "An event with a non-ASCII letter that is split between two pieces is answered 403 and not granted.";
    LettersDecodedAfterVerification "An event whose player ID has a non-ASCII letter that is split between two pieces is answered 200, but its player gets nothing.";
    ContentLengthRequired "A chunked delivery is answered 411 and not granted.";
    ContentTypeComparedExactly "A delivery with `Content-Type: application/json; charset=utf-8` is answered 415 and not granted.";
    ExpectationRefused "A delivery with `Expect: 100-continue` is answered 417 and not granted.";
    HeaderNamesCaseSensitive "Over HTTP/1.1, a delivery whose header names are in another case is answered 403 and not granted.";
    ConnectionKeepsPlayer "Of two players' events on one connection, the second is answered 200 but granted to the first player.";

    BodyLimit8k "An event with a body of more than 8 KiB is answered 403 and not granted, while smaller ones pass.";
    BodyLimit64k "An event with a body of more than 64 KiB is answered 403 and not granted, while smaller ones pass.";
    BodyLimit100k "An event with a body of more than 100 KiB is answered 413 and not granted, while smaller ones pass.";

    // Parsing the event.
    EventTypeNotChecked "An event of another type is answered 200 and granted.";
    OnlyHubRedeemGranted "An event with `trigger: null` is answered 200, but its player gets nothing.";
    NullDescriptionCrashes "An event is answered 500 if its item or a nested item has `description: null`.";
    AbsentFallbackCrashes "An event whose item has no `fallback_item` key is answered 500, while the same event with `fallback_item: null` is granted.";
    NullContextCrashes "An event with `context: null`, or without that key, is answered 500, while an event with a context is granted.";
    UnknownKeyRefused "An event with an extra key anywhere, or with `items`, is answered 422.";
    NonAsciiMangled "An event with a non-ASCII player ID or SKU is answered 200, but its player gets nothing.";
    OtherTriggersRefused "An event with another trigger, such as `hub.purchase`, is answered 422.";
    OtherKeysRefused "An event whose idempotency key is a UUID is answered 422.";
    SuspiciousTextRefused "An event with such a text in a name or description is answered 403 and not granted.";
    NulCrashes "An event whose item has `\\u0000` in its name is answered 500.";
    LongTransactionIdCrashes "An event whose `transaction_id` has 31 characters is answered 500, while those with 16 pass.";
    ItemRequired "An event with `items` and without `item` is answered 500.";
    PlayerIdRounded "An event for a player whose ID is a number above 2^53 is answered 200, but its player gets nothing.";
    PlayerIdUnescaped "An event for a player whose ID contains `%41` or `+` is answered 200, but its player gets nothing.";
    Quantity32Bit "An event with a quantity of 2^32 or more is answered 200 and granted modulo 2^32.";
    Balance32Bit "After two events that grant 1,500,000,000 of an item each, its player holds -1,294,967,296.";
    QuantityFloat "An event with the quantity 2^24 + 1 is answered 200, but only 2^24 are granted.";

    // Granting.
    SandboxGranted "An event with `sandbox: true` changes its player's inventory, although the policy is `sandbox: ignore`.";
    PlayerEnvironmentKept "A live event after a sandbox event of the same player is answered 200 but not granted, and a sandbox event after a live one is granted.";
    TestByCode "A live event whose coupon code begins with `TEST` is answered 200 and not granted.";
    TestGranted "An event with `trigger: test` changes its player's inventory, although the policy is `test: ignore`.";
    BundleGrantedTwice "After a bundle, the player holds both its own SKU and its contents.";
    BundleNotOpened "Every bundle is answered 200, and the player holds the bundle's SKU instead of its contents.";
    FirstLevelOnly "After a bundle inside a bundle, the player holds the inner bundle's SKU but none of its contents.";
    ThirdLevelNotOpened "After a bundle in a bundle in a bundle, the player holds the innermost bundle's SKU but none of its contents.";
    DeepBundleSkipped "Of a bundle in a bundle in a bundle in a bundle, the innermost items are not granted.";
    NestedQuantityIgnored "After a bundle with a nested quantity above 1, the player holds only 1 of that item.";
    FallbackGrantedToo "After an event with a `fallback_item`, the player holds both SKUs.";
    GrantedOnBoth "A `coupon.redeemed` and the `item.add` of the same redemption are both granted.";
    PairedInOneOrder "A `coupon.redeemed` that is delivered after the `item.add` of the same redemption is granted again, while in the other order they are granted once.";
    DeclinedButGranted "An `item.add` is answered 400 with `code: declined`, and its items are granted.";
    RemovalIgnored "After an `item.remove` that is answered 200, the player still holds the items, although the policy is `item_remove: take`.";

    DuplicateSkuLastWins "After a bundle that contains an SKU twice, at the same or at different levels, the player holds only the last of its quantities.";
    LongBundleCut "After a bundle of 50 items, the player holds only the first 20.";
    EverySecondBundleClosed "Of two bundles in a row, one is opened and the other granted by its own SKU.";
    LastBatchLost "Of a bundle with 40 different SKUs, only 25 are granted.";
    OtherTypesDropped "An event whose item has another type is answered 200, but its player gets nothing.";
    SkuTruncated "An event whose SKU has 255 characters is answered 200, but its player does not hold that SKU.";
    ItemsOnlyFirst "After an event with two `items`, the player holds only the first.";
    PlayerCaseInsensitive "After events for two players whose IDs differ only in case, each seems to hold the items of both.";
    PlayerAccentInsensitive "After events for two players whose IDs differ only in an accent, each seems to hold the items of both.";
    PlayerNormalised "After events for two players whose IDs differ only in their Unicode normalization, each seems to hold the items of both.";
    PlayerTrailingSpace "After events for two players whose IDs differ only in a space at the end, each seems to hold the items of both.";
    PlayerLeadingZeros "After events for two players whose IDs differ only in a zero at the beginning, each seems to hold the items of both.";
    PlayerLatin1 "After events for two players whose IDs differ only in letters beyond Latin-1, each seems to hold the items of both.";
    WalletKeyJoined "After events for the player `P` with the SKU `a:b` and for the player `P:a` with the SKU `b`, each seems to hold the items of both.";

    // Granting only once.
    DedupeMissing "The same event delivered twice is granted twice.";
    DedupeByEventId "Two events with the same `idempotency_key` but different `event_id`s are both granted.";
    DedupeBySignature "The same event with another fresh timestamp is granted twice, for example with the fault `late_retry` and a short retry policy.";
    DedupeByTransactionId "Of two events with the same `transaction_id`, only the first is granted, but both are answered 200.";
    DedupeByCouponCode "Of two players' events with the same `coupon.code`, only the first is granted, but both are answered 200.";
    OneKeyTable "A `coupon.redeemed` that is delivered after an `item.add` with the same `idempotency_key` is answered 200 but not granted.";
    RemovalRepeated "After an `item.remove` that is delivered twice, the player has lost its items twice.";
    KeyRemovedWithItems "An event that is delivered again after the `item.remove` of its transaction is granted twice.";
    KeyCaseInsensitive "Of two events whose keys differ only in case, only the first is granted, but both are answered 200.";
    KeyTruncated "Of two events whose keys have 200 characters and differ only in the last, only the first is granted, but both are answered 200.";
    DedupeInMemory "The same event delivered before and after a restart with the same store (or `POST /debug/restart`) is granted twice.";
    LastKeyOnly "An event that is delivered again after another event for the same player is granted twice, for example with the fault `out_of_order`.";
    LastKeysOfPlayer "An event that is delivered again after ten other events of its player is granted twice.";
    RecentKeysOnly "An event that is delivered again after 256 other events is granted twice.";
    CheckThenInsertRace "The same event delivered several times at the same time is granted more than once, while sequential deliveries are granted once.";
    KeyWrittenLast "With the fault `timeout_overlap`, or if it is delivered several times at the same time, the event is granted more than once, while sequential deliveries are granted once.";
    ClaimExpiresDuringWork "With the fault `timeout_overlap` and 150 ms between the attempts, a bundle of 150 items is granted twice, while small events are granted once.";
    StoppedByHangup "With the fault `reset`, the event is granted twice.";
    LostUpdate "Several events for one player and SKU at the same time are all answered 200, but not all are granted.";
    LockRemovedTooEarly "Many events for one player and SKU that arrive one after the other, before the earlier ones are granted, are all answered 200, but not all are granted.";
    BusyPlayerAcked "Several events for one player at the same time are all answered 200, but only one is granted until they are delivered again.";
    OlderEventDropped "With the fault `out_of_order`, or after a later event of the same player, an older event is answered 200 but not granted.";
    FullQueueDrops "About two dozen events at the same time are all answered 200, but not all are granted.";
    CouponsLimited "The 16th event of a player is answered 200 and not granted.";
    OncePerItem "A second event of a player for the same item is answered 200 and not granted.";
    RemovedRowStaysDeleted "An event for an item of which an `item.remove` took away all is answered 200, but the player does not hold the item.";
    GrantBeforeKey "A delivery that fails halfway (a script of 503, or `--crash-after` and a restart with the same store) is granted, and so is its retry.";
    KeyBeforeGrant "After a delivery that fails halfway (a script of 503, or `--crash-after` and a restart with the same store), the retry is answered 200 but nothing is granted.";
    KeysLostInSnapshot "After 64 other events and a restart (`POST /debug/restart`), an event that is delivered again is granted twice.";
    KeysPerInstance "With several instances (`--instances 2`), an event that is delivered to one and again to another is granted twice.";
    KeyBeforeSlowGrant "With the fault `restart_in_flight`, the retry is answered 200 but nothing is granted, while errors and sequential deliveries are handled well.";
    GrantBeforeSlowKey "With the fault `restart_in_flight`, the event is granted twice, while simultaneous and sequential deliveries are granted once.";
    QueuedInMemory "An event that is answered 200 right before a restart (or `POST /debug/restart`) and not delivered again is never granted.";
    JournalBufferReused "Of events that are delivered simultaneously and answered 200, all but the last are not granted any more after a restart (`POST /debug/restart`).";
    JournalTextSplit "An event whose item has a comma in its name is not granted any more after a restart (`POST /debug/restart`).";
    FrozenAfterResponse "An event that is delivered once, with no other delivery after it, is answered 200 but not granted.";
    KeyForgottenTooSoon "An event that is delivered again after the receiver's clock was moved by an hour (`POST /debug/clock/3600`) is granted twice.";
    KeyExpiresByEventTime "An event whose `event_time` is more than ten minutes ago is granted at each delivery.";
    DuplicateAckedWhilePending "Of simultaneous deliveries of an event, one fails (a script of 503), the others are answered 200, and nothing is granted.";
    BundlePartiallyGranted "After a bundle with a part that the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`) was refused, the player holds the parts before it.";
    RefusedPartSkipped "A bundle with a part that the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`) is answered 200, and the player holds only the other parts.";
    KeyOfRefusalKept "An event that was refused because the game can't grant its item (`PUT /debug/players/{player_id}/items/{sku}/full`) is answered 200 once it can, but not granted.";
    FullInventoryAcked "An event whose item the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`) is answered 200, and a redelivery is answered 200 but not granted.";
    RefusalLeavesLock "After an event that the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`), every other event of its player is answered 503.";
    RefusalRemembered "An event that was refused once (a script of 503, or `PUT /debug/players/{player_id}/items/{sku}/full`) is refused with the same response at each later delivery.";
    RefusedRetriedByBoth "An event that the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`) and that is delivered again once it can is granted twice within a second.";
    ItemRefusedToAll "After an event that the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`), another player's event for the same item is refused.";
    CapacityCheckedFirst "A redelivery of a granted event, after the game can't grant its item any more (`PUT /debug/players/{player_id}/items/{sku}/full`), is answered 422.";
    PartKeptWithFallback "After a bundle with a fallback, of which the game can't grant the last part (`PUT /debug/players/{player_id}/items/{sku}/full`), the player holds the fallback and the other parts.";
    FallbackReplacesItems "Of an event with several `items`, one of which has a fallback and can't be granted (`PUT /debug/players/{player_id}/items/{sku}/full`), only the fallback is granted.";
    FallbackBundleClosed "An event whose `fallback_item` is a bundle, and whose main item the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`), is answered 200, and the player holds the bundle's SKU instead of its contents.";
    FallbackIgnored "An event with a `fallback_item`, whose main item the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`), is answered 200, and the player holds neither.";

    // Responses.
    ForgeryAnswered500 "Every forgery is answered 500 and grants nothing.";
    ForgeryAnswered200 "Every forgery is answered 200 and grants nothing.";
    ErrorAnswered200 "An event whose item the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`) is answered 200 with `error` in the body, and is not granted unless it is delivered again.";
    RedeliveryAnswered409 "The second delivery of an event is answered 409, and the event is granted once.";
    RedeliveryAnswered500 "The second delivery of an event is answered 500, and the event is granted once.";
    RedeliveryAnsweredOtherwise "The second delivery of an event is answered 200 with `duplicate` in the body, and the event is granted once.";
    OverlapRefused "With the fault `timeout_overlap`, the retry is answered 409, and the event is granted once.";
    EarlyAnswer "A delivery that fails (a script of 503, or an item that can't be granted) is answered 200 but not granted.";
    LargeBodyAnsweredEarly "A bundle of 60 items, one of which the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`), is answered 200 and not granted.";
    SlowAnswer "Every attempt times out, and the event is granted once.";
    LoginRedirect "Every delivery is answered 302 with a `Location` header, and nothing is granted.";
}
