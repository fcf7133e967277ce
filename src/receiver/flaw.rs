//! The names of the flaws and what each costs. `revelation` says how to reveal them, `remedy` what fixes
//! them, and `imitation::flaws` implements them.

mod remedy;
mod revelation;

use super::named_enum::named_enum;

named_enum! {
    /// The worst effect of a flaw on a game.
    FlawClass {
        Loses "loses" "players get too little";
        Doubles "doubles" "players get too much";
        Forges "forges" "players get items without a coupon";
        Conditional "conditional" "wrong only for values that may never occur";
        // Inventories are correct.
        Answers "answers" "misleading responses";
    }
}

/// Defines the flaws. Each line of the table has the Rust variant, the name, the class and
/// the description.
macro_rules! flaws {
    ($($variant:ident $name:literal $class:ident $about:literal;)*) => {
        named_enum! {
            /// A bug of real receivers that this one imitates. Everything else stays sound.
            Flaw { $($variant $name $about;)* }
        }

        impl Flaw {
            /// The class of the flaw.
            pub fn class(self) -> FlawClass {
                match self { $(Self::$variant => FlawClass::$class,)* }
            }
        }
    };
}

flaws! {
    // Authentication.
    SignatureNotChecked "signature_not_checked" Forges
        "The receiver never checks the signature: anyone who finds the URL can grant themselves items.";
    SignatureFormOnly "signature_form_only" Forges
        "The receiver checks only the format of the signature (64 hex digits), like a test mock that was shipped by mistake: any made-up signature passes.";
    KnownKeyNotVerified "known_key_not_verified" Answers
        "The receiver looks up the idempotency key before it verifies the signature and answers a forgery of a granted event like a redelivery: anyone can find out which events were granted.";
    KeyBeforeVerification "key_before_verification" Loses
        "The receiver records the idempotency key before it verifies the signature: after a refused forgery, the genuine delivery looks like a redelivery and is never granted.";
    BodyReserialised "body_reserialised" Loses
        "The receiver verifies the signature over JSON that it parsed and wrote again without whitespace, instead of the raw bytes of the body: an event that is serialized differently is refused on every attempt.";
    BodyDumpedByPython "body_dumped_by_python" Loses
        "The receiver verifies the signature over Python's `json.dumps(json.loads(body))`: it accepts only bodies with a space after each colon and comma and with `\\uXXXX` for every non-ASCII character.";
    BodyDumpedCompactly "body_dumped_compactly" Loses
        "The receiver verifies the signature over Python's `json.dumps` with compact separators, which writes non-ASCII characters as `\\uXXXX`: it refuses names in most languages.";
    BodyEncodedByPhp "body_encoded_by_php" Loses
        "The receiver verifies the signature over PHP's `json_encode(json_decode($body))`, which escapes slashes and non-ASCII characters: it refuses texts with either.";
    BodySerialisedByDotnet "body_serialised_by_dotnet" Loses
        "The receiver verifies the signature over what .NET's `JsonSerializer` writes, which escapes quotes, `<`, `>`, `&`, `+` and non-ASCII characters: it refuses texts with any of them.";
    BodySpacesRemoved "body_spaces_removed" Loses
        "The receiver removes all spaces from the body before it verifies the signature, because a test event contained none: it refuses every event with a space anywhere.";
    BodyLinesJoined "body_lines_joined" Loses
        "The receiver reads the body line by line and joins the lines without their line breaks, like a `BufferedReader` loop in Java: it refuses every body that contains a line break.";
    BodyLineBreaksNormalised "body_line_breaks_normalised" Loses
        "The receiver reads the body in text mode, which turns Windows line breaks into Unix ones: it refuses every body with Windows line breaks.";
    BodyTrimmed "body_trimmed" Loses
        "The receiver trims the body before it verifies the signature: it refuses every body with whitespace at its beginning or end.";
    TimestampNotSigned "timestamp_not_signed" Forges
        "The receiver also accepts a signature of the body alone, left over from an older scheme: such a signature never expires, because it works with any fresh timestamp.";
    NeighbouringTimestampTried "neighbouring_timestamp_tried" Answers
        "The receiver also tries timestamps shortly before and after the timestamp header, to tolerate clock differences: it accepts requests whose timestamp was changed (here by up to two seconds).";
    EventTimeSigned "event_time_signed" Loses
        "The receiver verifies the signature with the body's `event_time` instead of the timestamp header, because both are equal in the documented example: it refuses every retry and every late delivery.";
    SeenSignatureRefused "seen_signature_refused" Answers
        "The receiver refuses every signature it has seen before as a replay, even if the first attempt failed: if a sender repeats the first signature in its retries, the coupon is lost (whether Aghanim does so is not documented).";
    FreshnessNotChecked "freshness_not_checked" Answers
        "The receiver does not check the age of the timestamp: a recorded delivery can be replayed at any time, and only the idempotency key prevents a second grant.";
    FutureTimestampAccepted "future_timestamp_accepted" Answers
        "The receiver checks only `now - timestamp > tolerance` instead of the absolute difference: a timestamp in the future passes and can be replayed until that time has passed.";
    FreshnessByEventTime "freshness_by_event_time" Loses
        "The receiver checks the age of the body's `event_time` instead of the timestamp header: it refuses all retries after a long outage and accepts an old signature of a recent event.";
    SignatureCaseMismatch "signature_case_mismatch" Loses
        "The receiver computes the signature in uppercase hex and compares it with the lowercase header: it refuses every genuine delivery.";
    PrefixCompare "prefix_compare" Forges
        "The receiver compares only as many characters as the signature header has: an empty signature or any prefix of the correct one passes.";
    SignatureBytesCompared "signature_bytes_compared" Forges
        "The receiver decodes the signature from hex, up to the first character that is not hex, and compares only as many bytes: a signature that decodes to nothing passes.";
    MissingHeaderPasses "missing_header_passes" Forges
        "The receiver skips verification if the signature or the timestamp header is missing: anyone can leave the header out and grant themselves items.";
    ExpiredSecretAccepted "expired_secret_accepted" Forges
        "The receiver still accepts the previous secret after it was replaced: anyone who has the leaked secret can keep granting items.";
    UnkeyedHashAccepted "unkeyed_hash_accepted" Forges
        "The receiver accepts a plain SHA-256 of timestamp and body as a signature: anyone can compute it without the secret.";
    SignaturePrefixStripped "signature_prefix_stripped" Answers
        "The receiver strips `sha256=` before it compares signatures, as in a handler copied from another vendor's guide: it accepts a format that Aghanim never sends.";
    AnySignatureCounts "any_signature_counts" Answers
        "The receiver accepts a request with several signature headers if any of them matches: a proxy or log that reads a different one sees a signature that was never verified.";
    GarbageSignatureCrashes "garbage_signature_crashes" Answers
        "The handler crashes if the signature is not hex: forgeries look like an outage and cause retries.";
    UnsignedBodyCrashes "unsigned_body_crashes" Answers
        "The receiver parses the body before it verifies the signature, and crashes if it is not an event: whatever anyone sends to the URL looks like an outage.";
    ForgeriesUseUpSlots "forgeries_use_up_slots" Conditional
        "The receiver takes a slot of a pool before it verifies the signature, and gives it back only after a genuine delivery: after enough forgeries (here 100), everything is answered 503.";
    EmptySecretAccepted "empty_secret_accepted" Forges
        "The receiver also accepts signatures with an empty or blank secret, as if its variable were not set: anyone can compute them.";
    DefaultSecretAccepted "default_secret_accepted" Forges
        "The receiver also accepts signatures with the default secret of its template or its framework: anyone can guess it.";
    TimestampParsedLoosely "timestamp_parsed_loosely" Answers
        "The receiver reads the timestamp loosely, as `parseInt` does: a text after the digits is ignored, and a text without digits is NaN, whose age is never too large.";
    MillisecondsAccepted "milliseconds_accepted" Answers
        "The receiver takes a large timestamp for milliseconds: it accepts a format that Aghanim never sends.";
    TimestampCrashes "timestamp_crashes" Answers
        "The handler crashes if the timestamp is not a number or not a date: such requests look like an outage, and whoever sends them needs no secret.";
    ClockAheadRefused "clock_ahead_refused" Answers
        "The receiver refuses every timestamp that is ahead of its clock: if the sender's clock runs only a second ahead, every delivery is refused (how exact Aghanim's clock is, is not documented).";
    MinuteOldRefused "minute_old_refused" Answers
        "The receiver refuses a signature that is a minute old: a delivery that waited in a queue, or comes from a clock that runs behind, is refused (here after 45 s; whether Aghanim sends such deliveries is not documented).";

    // Reading the body.
    FirstPieceOnly "first_piece_only" Loses
        "The receiver treats the first chunk it reads from the socket as the whole body: a body that arrives in several pieces is cut off, so its signature does not match.";
    CutBodyLeavesLock "cut_body_leaves_lock" Loses
        "The receiver locks the player while it reads the body and does not unlock them if the body is interrupted: all later deliveries for that player are answered 503.";
    LettersDecodedByPiece "letters_decoded_by_piece" Loses
        "The receiver decodes each piece of the body as UTF-8 on its own, like `body += chunk` in JavaScript: a letter that is split between two pieces is replaced, and the signature does not match.";
    LettersDecodedAfterVerification "letters_decoded_after_verification" Loses
        "The receiver verifies the signature over the raw bytes, but decodes each piece of the body as UTF-8 on its own: an ID with a letter that is split between two pieces is replaced, and the item goes to a player who does not exist.";
    ContentLengthRequired "content_length_required" Answers
        "The receiver requires `Content-Length`: a sender or proxy that sends the body chunked is refused (whether Aghanim does so is not documented).";
    ContentTypeComparedExactly "content_type_compared_exactly" Answers
        "The receiver compares `Content-Type` with `application/json` as a text: if a charset follows, the delivery is refused (Aghanim's documented example has none).";
    ExpectationRefused "expectation_refused" Answers
        "The receiver, or a proxy in front of it, refuses every request with an `Expect` header: a sender that waits before it sends a body never delivers anything (whether Aghanim does so is not documented).";
    HeaderNamesCaseSensitive "header_names_case_sensitive" Loses
        "The receiver looks up headers by their exact spelling: a sender or proxy that spells them in lower case seems to send no signature.";
    ConnectionKeepsPlayer "connection_keeps_player" Loses
        "The receiver keeps the player of a connection's first delivery for all later ones: coupons of other players are granted to this player.";

    BodyLimit8k "body_limit_8k" Loses
        "The receiver reads the body into a small buffer and ignores the rest: a bundle of about 50 items is cut off (here at 8 KiB), so its signature does not match.";
    BodyLimit64k "body_limit_64k" Conditional
        "The receiver keeps the body in a column that is too short and verifies it from there: a large body is cut off (here at 64 KiB, as by TEXT in MySQL), so its signature does not match.";
    BodyLimit100k "body_limit_100k" Conditional
        "The receiver's framework refuses large bodies: a very large bundle is lost (here above 100 KiB, the default of Express).";

    // Parsing the event.
    EventTypeNotChecked "event_type_not_checked" Forges
        "The receiver ignores `event_type`: any event that contains an item is granted.";
    OnlyHubRedeemGranted "only_hub_redeem_granted" Loses
        "The receiver treats every trigger other than `hub.redeem` as a test: a coupon whose trigger is null is answered 200 but not granted.";
    NullDescriptionCrashes "null_description_crashes" Loses
        "The handler does not expect an item's `description` to be null: such an event fails on every attempt.";
    AbsentFallbackCrashes "absent_fallback_crashes" Loses
        "The handler expects `fallback_item` to be always present: an event without that key fails on every attempt.";
    NullContextCrashes "null_context_crashes" Loses
        "The handler does not expect `context` to be null: such an event fails on every attempt.";
    UnknownKeyRefused "unknown_key_refused" Loses
        "The receiver refuses keys that the schema does not name: it will refuse every event as soon as Aghanim adds a key, as happened with `items`.";
    NonAsciiMangled "non_ascii_mangled" Loses
        "The receiver decodes the body as Latin-1 instead of UTF-8: grants for a player ID with non-ASCII letters go to an ID that does not exist.";
    OtherTriggersRefused "other_triggers_refused" Loses
        "The receiver has a closed list of triggers (`hub.redeem`, `test` and null) and refuses any other: it loses coupons that are issued in another way.";
    OtherKeysRefused "other_keys_refused" Loses
        "The receiver expects every idempotency key to begin with `idmpt_`: it refuses the UUIDs that older pages of the documentation describe.";
    SuspiciousTextRefused "suspicious_text_refused" Loses
        "The receiver, or a filter in front of it, takes texts for attacks and refuses them: an item whose name contains `<script`, `' or '` or `${jndi:` can't be redeemed.";
    NulCrashes "nul_crashes" Conditional
        "The database can't store the character U+0000, like PostgreSQL: an event with it in a text fails on every attempt.";
    LongTransactionIdCrashes "long_transaction_id_crashes" Loses
        "The column for transaction IDs is too short: an event with a longer ID fails on every attempt (here above 16 characters, as many as one of two public examples).";
    ItemRequired "item_required" Conditional
        "The handler expects `item` to be always present: an event that has only `items` fails on every attempt.";
    PlayerIdRounded "player_id_rounded" Loses
        "The receiver turns a player ID of digits into a floating-point number: a long one is rounded, and another player gets the item.";
    PlayerIdUnescaped "player_id_unescaped" Loses
        "The receiver decodes the player ID as a part of a URL or a form: if it contains a percent sign or a plus sign, the item goes to a player who does not exist.";
    Quantity32Bit "quantity_32_bit" Loses
        "The receiver stores quantities in 32 bits, which overflow: a player who should get 2^32 + 5 gets 5.";
    Balance32Bit "balance_32_bit" Loses
        "The receiver keeps balances in 32 bits, although every quantity fits: a player who gets 1,500,000,000 twice holds a negative number.";
    QuantityFloat "quantity_float" Loses
        "The receiver stores quantities as single-precision floats (FLOAT in SQL): above 2^24, a player gets slightly too little or too much.";

    // Granting.
    SandboxGranted "sandbox_granted" Forges
        "The receiver grants sandbox events like live ones: anyone with access to the sandbox gets real items.";
    PlayerEnvironmentKept "player_environment_kept" Loses
        "The receiver decides by a player's first event whether the player is in the sandbox: live coupons of a tester are ignored, or sandbox coupons are granted.";
    TestByCode "test_by_code" Loses
        "The receiver takes a coupon for a test if its code begins with `test` or `sandbox`: it answers 200 to a live coupon and grants nothing.";
    TestGranted "test_granted" Forges
        "The receiver grants events of \"Send test event\" like live ones: each click in the dashboard grants real items.";
    BundleGrantedTwice "bundle_granted_twice" Doubles
        "The receiver grants both the bundle's own SKU and its contents: when the game unpacks the bundle, the player has everything twice.";
    BundleNotOpened "bundle_not_opened" Loses
        "The receiver grants a bundle by its own SKU, like a plain item: if the game can't open it, the player never gets what is inside.";
    FirstLevelOnly "first_level_only" Loses
        "The receiver reads only the first level of `nested_items` and grants an inner bundle by its own SKU: the player never gets what is inside.";
    ThirdLevelNotOpened "third_level_not_opened" Loses
        "The receiver opens a bundle and the bundles in it with one `.flat()` of JavaScript, and grants a deeper bundle by its own SKU: the player never gets what is inside.";
    DeepBundleSkipped "deep_bundle_skipped" Loses
        "The receiver opens bundles only three levels deep and skips what is deeper: the items in there are lost.";
    NestedQuantityIgnored "nested_quantity_ignored" Loses
        "The receiver ignores the quantity of nested items: a player gets one of each.";
    FallbackGrantedToo "fallback_granted_too" Doubles
        "The receiver grants the fallback item even if it can grant the main item: the player gets both.";
    GrantedOnBoth "granted_on_both" Doubles
        "The receiver grants both `coupon.redeemed` and `item.add`: a redeemed coupon is granted twice.";
    PairedInOneOrder "paired_in_one_order" Doubles
        "The receiver skips an `item.add` after the `coupon.redeemed` of the same redemption, but does not expect them in the other order: if `item.add` arrives first, the coupon is granted twice.";
    DeclinedButGranted "declined_but_granted" Doubles
        "The receiver declines an `item.add` with 400 after it has granted it: the purchase can be refunded, but the player keeps the items.";
    RemovalIgnored "removal_ignored" Doubles
        "The receiver answers `item.remove` with 200 and takes nothing away: the player keeps what was refunded.";

    DuplicateSkuLastWins "duplicate_sku_last_wins" Loses
        "The receiver collects the contents of a bundle in a map by SKU and assigns instead of adding: of an SKU that occurs twice, only the last quantity is granted.";
    LongBundleCut "long_bundle_cut" Loses
        "The receiver grants only the first page or batch of a bundle: the rest is lost (here after 20 items).";
    EverySecondBundleClosed "every_second_bundle_closed" Loses
        "The receiver recognizes bundles with a global regular expression, whose position survives the request, and opens only every second bundle in a row: the others are granted by their own SKU, which players can't use.";
    LastBatchLost "last_batch_lost" Loses
        "The receiver writes the items of an event in batches, and an incomplete last batch after a complete one is never written: its items are lost (here in batches of 25).";
    OtherTypesDropped "other_types_dropped" Loses
        "The receiver grants only the types `item` and `bundle` and answers 200 to others: a `currency` or `lootbox` is lost.";
    SkuTruncated "sku_truncated" Loses
        "The column for SKUs is too short and cuts longer ones: the player gets an item that does not exist (here above 100 characters, the limit before 2026-07-14).";
    ItemsOnlyFirst "items_only_first" Conditional
        "The receiver grants only the first of `items`: a coupon that grants several items loses the others.";
    PlayerCaseInsensitive "player_case_insensitive" Conditional
        "The database compares player IDs without regard to case, as MySQL does by default: if the game has two such players, one gets the other's items.";
    PlayerAccentInsensitive "player_accent_insensitive" Conditional
        "The database compares player IDs without regard to accents, as MySQL does by default: if the game has two such players, one gets the other's items.";
    PlayerNormalised "player_normalised" Conditional
        "The receiver normalizes the Unicode of player IDs: if the game has two players whose IDs look the same, one gets the other's items.";
    PlayerTrailingSpace "player_trailing_space" Conditional
        "The database ignores spaces at the end of player IDs, as CHAR columns do: if the game has two such players, one gets the other's items.";
    PlayerLeadingZeros "player_leading_zeros" Conditional
        "The database compares player IDs of digits as numbers: if the game has two players whose IDs differ only in zeros at the beginning, one gets the other's items.";
    PlayerLatin1 "player_latin1" Conditional
        "The column for player IDs is Latin-1 and replaces all other letters by `?`: if the game has two players whose IDs differ only in such letters, one gets the other's items.";
    WalletKeyJoined "wallet_key_joined" Conditional
        "The receiver joins the player ID and the SKU with a colon to the key of the balance: if either may contain a colon, two players share a balance.";

    // Granting only once.
    DedupeMissing "dedupe_missing" Doubles
        "The receiver grants every delivery: if a response is lost, the retry grants the coupon again.";
    DedupeByEventId "dedupe_by_event_id" Doubles
        "The receiver detects duplicates by `event_id` instead of `idempotency_key`: a retry with a new event ID is granted again.";
    DedupeBySignature "dedupe_by_signature" Doubles
        "The receiver detects duplicates by signature instead of `idempotency_key`: a retry that is signed again in a later second is granted again.";
    DedupeByTransactionId "dedupe_by_transaction_id" Loses
        "The receiver detects duplicates by `transaction_id` instead of `idempotency_key`: the second event of a transaction looks like a retry of the first and is lost.";
    DedupeByCouponCode "dedupe_by_coupon_code" Loses
        "The receiver detects duplicates by coupon code instead of `idempotency_key`: of all players who redeem the same code, only the first gets something.";
    OneKeyTable "one_key_table" Loses
        "The receiver records the idempotency keys of all event types in one table, also of those that grant nothing: if `item.add` and `coupon.redeemed` share a key and `item.add` arrives first, the coupon looks like a redelivery and is lost.";
    RemovalRepeated "removal_repeated" Loses
        "The receiver deduplicates grants, but not removals: a redelivered `item.remove` takes the items away again.";
    KeyRemovedWithItems "key_removed_with_items" Doubles
        "The receiver deletes the redemption, and its idempotency key with it, when an `item.remove` takes its items away: a redelivery of the coupon is granted again.";
    KeyCaseInsensitive "key_case_insensitive" Loses
        "The database compares idempotency keys without regard to case, as MySQL does by default: another event whose key differs only in case looks like a retry and is lost.";
    KeyTruncated "key_truncated" Loses
        "The column for idempotency keys is too short and cuts longer ones: another event whose key begins alike (here with the same 64 characters) looks like a retry and is lost.";
    DedupeInMemory "dedupe_in_memory" Doubles
        "The receiver keeps idempotency keys only in memory: a retry after a restart is granted again.";
    LastKeyOnly "last_key_only" Doubles
        "The receiver keeps only the last idempotency key of each player, in a column of the player's row: a retry that arrives after another coupon is granted again.";
    LastKeysOfPlayer "last_keys_of_player" Doubles
        "The receiver keeps only the last idempotency keys of each player, in a list in the player's row: a retry that arrives after more coupons of the player (here ten) is granted again.";
    RecentKeysOnly "recent_keys_only" Doubles
        "The receiver keeps idempotency keys in a cache of limited size: a retry that arrives after many other coupons is granted again (here after 256).";
    CheckThenInsertRace "check_then_insert_race" Doubles
        "The receiver checks the key in one transaction and grants in another, without a unique key: concurrent deliveries all find the key unused and are all granted.";
    KeyWrittenLast "key_written_last" Doubles
        "The receiver records the key only after a slow grant is finished: a retry that arrives meanwhile finds no key and is granted again.";
    ClaimExpiresDuringWork "claim_expires_during_work" Doubles
        "The receiver claims the idempotency key for a short time, however long the work takes: a retry that arrives while a large bundle is still written (here after 100 ms) claims the key again, and all is granted twice.";
    StoppedByHangup "stopped_by_hangup" Doubles
        "The receiver stops its handler when the sender hangs up, as some servers do, even between the grant and the key: the retry grants again.";
    LostUpdate "lost_update" Loses
        "The receiver reads how much of an item a player holds, adds to it and writes it back without a lock: if two coupons for one item overlap, one is lost.";
    LockRemovedTooEarly "lock_removed_too_early" Loses
        "The receiver removes a player's lock from the map on release, although other requests wait for it: the next request makes a new lock and works beside the one that waited, and one of the two grants is lost.";
    BusyPlayerAcked "busy_player_acked" Loses
        "The receiver merges simultaneous requests of one player instead of one key, and answers 200 to all of them: only one coupon is granted, and nobody delivers the others again.";
    OlderEventDropped "older_event_dropped" Loses
        "The receiver takes an event whose `event_time` is before the player's last one for outdated, answers 200 and drops it: a coupon that arrives late is lost.";
    FullQueueDrops "full_queue_drops" Loses
        "The receiver queues grants, drops them when the queue is full, and answers 200 nevertheless: a burst of coupons loses some of them.";
    CouponsLimited "coupons_limited" Loses
        "The receiver limits how many coupons a player can redeem, answers 200 to all others and grants nothing: they are lost (here after 15).";
    OncePerItem "once_per_item" Loses
        "The receiver grants each item ID to a player only once: a second coupon for the same item is answered 200 and lost.";
    RemovedRowStaysDeleted "removed_row_stays_deleted" Loses
        "The receiver marks the row of an item as deleted when none is left, and never clears the mark: the item of a later coupon never appears.";
    GrantBeforeKey "grant_before_key" Doubles
        "The receiver commits the grant first and the key in a second transaction: after a crash or an error in between, the retry grants again.";
    KeyBeforeGrant "key_before_grant" Loses
        "The receiver commits the key first and the grant in a second transaction: after a crash or an error in between, the retry looks like a redelivery and nothing is ever granted.";
    KeysLostInSnapshot "keys_lost_in_snapshot" Doubles
        "The receiver replaces its log by a snapshot that lacks older idempotency keys: after a restart it knows only the newest ones (here 64), and an earlier coupon is granted again.";
    KeysPerInstance "keys_per_instance" Doubles
        "The receiver keeps idempotency keys in a file or database of each instance: a retry that a load balancer sends to another instance is granted again.";
    KeyBeforeSlowGrant "key_before_slow_grant" Loses
        "The receiver commits the key, calls another service and then grants, and removes the key after an error, but not if its process is killed: the retry looks like a redelivery and nothing is ever granted.";
    GrantBeforeSlowKey "grant_before_slow_key" Doubles
        "The receiver grants, calls another service and only then commits the key, guarded by a lock in memory: if its process is killed in between, the lock is gone and the retry grants again.";
    QueuedInMemory "queued_in_memory" Loses
        "The receiver answers 200 and puts the grant into a queue in memory: a restart empties the queue, and nobody retries an acknowledged event.";
    JournalBufferReused "journal_buffer_reused" Loses
        "The receiver writes a batch of journal entries from one buffer: of grants that arrive together only the last is in the journal, and a restart loses the others.";
    JournalTextSplit "journal_text_split" Loses
        "The receiver writes its journal as values between commas, without quotes: a text with a comma shifts the values behind it, and a restart loses the grant.";
    FrozenAfterResponse "frozen_after_response" Loses
        "The receiver grants after its response, on a platform that freezes the process until the next request: the last coupon before a quiet time is granted hours later or never.";
    KeyForgottenTooSoon "key_forgotten_too_soon" Doubles
        "The receiver keeps idempotency keys only for a short time, such as in a cache: a later retry is granted again (here after ten minutes).";
    KeyExpiresByEventTime "key_expires_by_event_time" Doubles
        "The receiver forgets a key some time after the `event_time` of its event, not after it was handled: the key of an event that arrives late (here by ten minutes) is forgotten at once, and each redelivery is granted again.";
    DuplicateAckedWhilePending "duplicate_acked_while_pending" Loses
        "The receiver answers 200 to a duplicate while another delivery of the event is still being processed: if that one then fails, the sender has its 200 and never retries.";
    BundlePartiallyGranted "bundle_partially_granted" Doubles
        "The receiver grants a bundle part by part, without a transaction, and refuses it at the first part that it can't grant: the parts before it stay, and each retry grants them again.";
    RefusedPartSkipped "refused_part_skipped" Loses
        "The receiver grants a bundle without the parts that it can't grant and answers 200: nobody retries, and the player never gets them.";
    KeyOfRefusalKept "key_of_refusal_kept" Loses
        "The receiver stores the idempotency key before it knows whether the game can grant the item, and keeps it when it refuses the event: a later delivery is answered 200 but nothing is granted.";
    FullInventoryAcked "full_inventory_acked" Loses
        "The receiver answers 200 and stores the idempotency key although the game can't grant the item: nobody retries, a redelivery changes nothing, and nothing is ever granted.";
    RefusalLeavesLock "refusal_leaves_lock" Loses
        "The receiver locks the player and does not unlock them if it refuses the event: all later coupons of that player are answered 503.";
    RefusalRemembered "refusal_remembered" Loses
        "The receiver stores the response to the first attempt under the idempotency key even if it is a refusal or an error: every retry gets it again, and nothing is ever granted.";
    RefusedRetriedByBoth "refused_retried_by_both" Doubles
        "The receiver puts an event that it refused into a queue and tries again on its own, under another key: if the sender delivers it again as well, it is granted twice.";
    ItemRefusedToAll "item_refused_to_all" Loses
        "The receiver remembers that it could not grant an item, but not to whom: another player's coupon for the item is refused, although the game can grant it.";
    CapacityCheckedFirst "capacity_checked_first" Answers
        "The receiver checks whether the game can grant the items before it looks up the idempotency key: a redelivery of a granted coupon is refused once the inventory is full, and the sender believes that the coupon was refused.";
    FallbackIgnored "fallback_ignored" Loses
        "The receiver does not read `fallback_item`: if it can't grant the main item, it only logs that, answers 200 and grants nothing.";
    PartKeptWithFallback "part_kept_with_fallback" Doubles
        "The receiver grants a bundle part by part, and grants the fallback if it comes to a part that it can't grant: the player keeps the parts before it, too.";
    FallbackReplacesItems "fallback_replaces_items" Conditional
        "The receiver undoes all grants of an event if one of its `items` can't be granted, and grants only the fallback of that one: the others are lost.";
    FallbackBundleClosed "fallback_bundle_closed" Loses
        "The receiver opens a bundle in `item`, but grants a bundle in `fallback_item` by its own SKU: the player never gets what is inside.";

    // Responses.
    ForgeryAnswered500 "forgery_answered_500" Answers
        "The receiver answers a forgery with 500 instead of 403: it looks like an outage and causes retries.";
    ForgeryAnswered200 "forgery_answered_200" Answers
        "The receiver answers a forgery with 200 and puts the error in the body: a sender with the wrong secret believes that everything was delivered.";
    ErrorAnswered200 "error_answered_200" Loses
        "The receiver answers 200 with an error in the body if it can't grant the item: the sender takes that for success, nobody retries, and the coupon is lost.";
    RedeliveryAnswered409 "redelivery_answered_409" Answers
        "The receiver answers a redelivery with 409: the sender believes that a granted coupon was refused.";
    RedeliveryAnswered500 "redelivery_answered_500" Answers
        "The receiver answers 500 to a redelivery, which violates the unique key: the sender retries until it gives up.";
    RedeliveryAnsweredOtherwise "redelivery_answered_otherwise" Answers
        "The receiver answers a redelivery with 200 but a different body than the first delivery: a sender that compares responses, or an operator who reads the log, sees two outcomes for one event.";
    OverlapRefused "overlap_refused" Answers
        "The receiver answers 409 while another delivery with the same key is being processed: a sender whose first attempt timed out believes that the coupon was refused.";
    EarlyAnswer "early_answer" Loses
        "The receiver answers 200 as soon as the signature is verified and processes the event afterwards: if the processing fails, nobody retries and the coupon is lost.";
    LargeBodyAnsweredEarly "large_body_answered_early" Loses
        "The receiver answers 200 to large events at once and processes them afterwards: if the processing fails, nobody retries and the coupon is lost (here above 4 KiB).";
    SlowAnswer "slow_answer" Answers
        "The receiver grants the coupon but responds after the sender's timeout: every delivery is retried until the sender gives up.";
    LoginRedirect "login_redirect" Loses
        "The endpoint is behind the site's login and redirects to the login page: no event ever reaches the handler.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_round_trips() {
        for flaw in Flaw::ALL {
            let json = serde_json::to_string(&flaw).expect("serialises");
            assert_eq!(json, format!("\"{flaw}\""));
            assert_eq!(serde_json::from_str::<Flaw>(&json).ok(), Some(flaw));
            assert_eq!(Flaw::from_name(flaw.name()), Some(flaw));
        }
        assert_eq!(Flaw::from_name("signature"), None);
    }

    #[test]
    fn every_text_is_one_sentence() {
        for flaw in Flaw::ALL {
            for text in [flaw.about(), flaw.revealed_by()] {
                assert!(
                    text.ends_with('.') && !text.contains(". "),
                    "{flaw}: {text}"
                );
                assert!(!text.contains('|'), "{flaw}: `|` breaks a table");
            }
        }
    }

    /// A receiver with the same bug has other limits.
    #[test]
    fn what_is_wrong_has_no_limit_of_the_imitation() {
        let units = [
            "characters",
            "KiB",
            "items",
            "seconds",
            "minutes",
            " ms",
            " s)",
        ];
        for flaw in Flaw::ALL {
            let (cause, _) = flaw.about().split_once(": ").expect("what it costs");
            let has_unit = |unit: &&str| {
                let mut before = cause.match_indices(*unit).map(|(at, _)| &cause[..at]);
                let number = |text: &str| {
                    let word = text.trim_end().rsplit([' ', '(']).next();
                    word.is_some_and(|word| {
                        word.parse::<u32>().is_ok() || ["two", "ten"].contains(&word)
                    })
                };
                before.any(number)
            };
            assert!(!units.iter().any(has_unit), "{flaw}: {cause}");
            let limits = ["batches of ", "(here "];
            let has_limit = limits.iter().any(|limit| cause.contains(limit));
            assert!(!has_limit, "{flaw}: {cause}");
        }
    }

    /// Reports name a likely cause by this part of the description.
    #[test]
    fn every_description_begins_with_what_is_wrong() {
        for flaw in Flaw::ALL {
            let (cause, _) = flaw.about().split_once(": ").expect("what it costs");
            assert!(cause.starts_with("The "), "{flaw}: {cause}");
            assert!(cause.chars().count() <= 150, "{flaw}: {cause}");
        }
    }
}
