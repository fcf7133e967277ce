//! The names of the flaws, what each costs, and how to reveal it. `remedy` says what fixes them, and
//! `imitation::flaws` implements them.

mod remedy;

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

/// Defines the flaws. Each line of the table has the Rust variant, the name, the class, the
/// description, and how to reveal the flaw.
macro_rules! flaws {
    ($($variant:ident $name:literal $class:ident $about:literal $revealed_by:literal;)*) => {
        named_enum! {
            /// A bug of real receivers that this one imitates. Everything else stays sound.
            Flaw { $($variant $name $about;)* }
        }

        impl Flaw {
            /// The class of the flaw.
            pub fn class(self) -> FlawClass {
                match self { $(Self::$variant => FlawClass::$class,)* }
            }

            /// What a test must send to reveal the bug and what it then observes, in one sentence.
            pub fn revealed_by(self) -> &'static str {
                match self { $(Self::$variant => $revealed_by,)* }
            }
        }
    };
}

flaws! {
    // Authentication.
    SignatureNotChecked "signature_not_checked" Forges
        "The receiver never checks the signature: anyone who finds the URL can grant themselves items."
        "Every forgery with a fresh timestamp is answered 200 and granted.";
    SignatureFormOnly "signature_form_only" Forges
        "The receiver checks only the format of the signature (64 hex digits), like a test mock that was shipped by mistake: any made-up signature passes."
        "The forgeries `wrong_secret`, `tampered_body`, `swapped_timestamp`, `body_only_signature` and `wrong_algorithm` are answered 200 and granted, while missing and malformed signatures are refused.";
    KnownKeyNotVerified "known_key_not_verified" Answers
        "The receiver looks up the idempotency key before it verifies the signature and answers a forgery of a granted event like a redelivery: anyone can find out which events were granted."
        "A forgery of an event that was already delivered is answered 200, while a forgery of a new event is refused.";
    KeyBeforeVerification "key_before_verification" Loses
        "The receiver records the idempotency key before it verifies the signature: after a refused forgery, the genuine delivery looks like a redelivery and is never granted."
        "A forgery is refused, and the genuine delivery of the same event after it is answered 200 but not granted.";
    BodyReserialised "body_reserialised" Loses
        "The receiver verifies the signature over `JSON.stringify(JSON.parse(body))` instead of the raw bytes: an event that is serialized differently is refused on every attempt."
        "An event with a quantity above 2^53, a number such as `20.0`, whitespace, an unnecessary escape or digits as a key is answered 403, while plain compact events pass.";
    BodyDumpedByPython "body_dumped_by_python" Loses
        "The receiver verifies the signature over Python's `json.dumps(json.loads(body))`: it accepts only bodies with a space after each colon and comma and with `\\uXXXX` for every non-ASCII character."
        "Every compact event is answered 403.";
    BodyDumpedCompactly "body_dumped_compactly" Loses
        "The receiver verifies the signature over Python's `json.dumps` with compact separators, which writes non-ASCII characters as `\\uXXXX`: it refuses names in most languages."
        "An event with a non-ASCII character that is not escaped is answered 403, while plain compact events pass.";
    BodyEncodedByPhp "body_encoded_by_php" Loses
        "The receiver verifies the signature over PHP's `json_encode(json_decode($body))`, which escapes slashes and non-ASCII characters: it refuses texts with either."
        "An event with a slash or a non-ASCII character that is not escaped is answered 403, while plain compact events pass.";
    BodySerialisedByDotnet "body_serialised_by_dotnet" Loses
        "The receiver verifies the signature over what .NET's `JsonSerializer` writes, which escapes quotes, `<`, `>`, `&`, `+` and non-ASCII characters: it refuses texts with any of them."
        "An event with an apostrophe, a plus sign or a non-ASCII character that is not escaped is answered 403, while plain compact events pass.";
    BodySpacesRemoved "body_spaces_removed" Loses
        "The receiver removes all spaces from the body before it verifies the signature, because a test event contained none: it refuses every event with a space anywhere."
        "An event with a space in a text or after a colon is answered 403.";
    BodyLinesJoined "body_lines_joined" Loses
        "The receiver reads the body line by line and joins the lines without their line breaks, like a `BufferedReader` loop in Java: it refuses every body that contains a line break."
        "An indented event, or one with a newline at its end, is answered 403, while events on one line pass.";
    BodyLineBreaksNormalised "body_line_breaks_normalised" Loses
        "The receiver reads the body in text mode, which turns Windows line breaks into Unix ones: it refuses every body with Windows line breaks."
        "An event that is indented with CR LF is answered 403, while one that is indented with LF passes.";
    BodyTrimmed "body_trimmed" Loses
        "The receiver trims the body before it verifies the signature: it refuses every body with whitespace at its beginning or end."
        "An event with a newline at its end or beginning is answered 403, while other events pass.";
    TimestampNotSigned "timestamp_not_signed" Forges
        "The receiver also accepts a signature of the body alone, left over from an older scheme: such a signature never expires, because it works with any fresh timestamp."
        "The forgery `body_only_signature` is answered 200 and granted.";
    NeighbouringTimestampTried "neighbouring_timestamp_tried" Answers
        "The receiver also tries timestamps up to two seconds before and after the timestamp header, to tolerate clock differences: it accepts requests whose timestamp was changed."
        "The forgery `swapped_timestamp` is answered 200.";
    EventTimeSigned "event_time_signed" Loses
        "The receiver verifies the signature with the body's `event_time` instead of the timestamp header, because both are equal in the documented example: it refuses every retry and every late delivery."
        "An event is answered 403 unless it is signed in the second of its `event_time`, and then the forgery `swapped_timestamp` is answered 200.";
    SeenSignatureRefused "seen_signature_refused" Answers
        "The receiver refuses every signature it has seen before as a replay, even if the first attempt failed: if a sender repeats the first signature in its retries, the coupon is lost (whether Aghanim does so is not documented)."
        "The second delivery with the same timestamp and body is answered 403.";
    FreshnessNotChecked "freshness_not_checked" Answers
        "The receiver does not check the age of the timestamp: a recorded delivery can be replayed at any time, and only the idempotency key prevents a second grant."
        "The forgeries `stale_timestamp` and `future_timestamp` are answered 200.";
    FutureTimestampAccepted "future_timestamp_accepted" Answers
        "The receiver checks only `now - timestamp > tolerance` instead of the absolute difference: a timestamp in the future passes and can be replayed until that time has passed."
        "The forgery `future_timestamp` is answered 200, while `stale_timestamp` is refused.";
    FreshnessByEventTime "freshness_by_event_time" Loses
        "The receiver checks the age of the body's `event_time` instead of the timestamp header: it refuses all retries after a long outage and accepts an old signature of a recent event."
        "An event whose `event_time` is an hour ago is answered 403 and not granted, although its signature is fresh.";
    SignatureCaseMismatch "signature_case_mismatch" Loses
        "The receiver computes the signature in uppercase hex and compares it with the lowercase header: it refuses every genuine delivery."
        "Every genuine delivery is answered 403.";
    PrefixCompare "prefix_compare" Forges
        "The receiver compares only as many characters as the signature header has: an empty signature or any prefix of the correct one passes."
        "The forgeries `empty_signature` and `truncated_signature` are answered 200 and granted.";
    MissingHeaderPasses "missing_header_passes" Forges
        "The receiver skips verification if the signature or the timestamp header is missing: anyone can leave the header out and grant themselves items."
        "The forgeries `missing_signature` and `missing_timestamp` are answered 200 and granted.";
    ExpiredSecretAccepted "expired_secret_accepted" Forges
        "The receiver still accepts the previous secret after it was replaced: anyone who has the leaked secret can keep granting items."
        "The forgery `expired_secret`, which needs the expired secret on both sides, is answered 200 and granted.";
    UnkeyedHashAccepted "unkeyed_hash_accepted" Forges
        "The receiver accepts a plain SHA-256 of timestamp and body as a signature: anyone can compute it without the secret."
        "The forgery `wrong_algorithm` is answered 200 and granted.";
    SignaturePrefixStripped "signature_prefix_stripped" Answers
        "The receiver strips `sha256=` before it compares signatures, as in a handler copied from another vendor's guide: it accepts a format that Aghanim never sends."
        "The forgery `prefixed_signature` is answered 200.";
    AnySignatureCounts "any_signature_counts" Answers
        "The receiver accepts a request with several signature headers if any of them matches: a proxy or log that reads a different one sees a signature that was never verified."
        "The forgery `two_signatures` is answered 200.";
    GarbageSignatureCrashes "garbage_signature_crashes" Answers
        "The handler crashes if the signature is not hex: forgeries look like an outage and cause retries."
        "The forgery `garbage_signature` is answered 500.";
    EmptySecretAccepted "empty_secret_accepted" Forges
        "The receiver also accepts signatures with an empty or blank secret, as if its variable were not set: anyone can compute them."
        "The forgeries `empty_secret` and `blank_secret` are answered 200 and granted.";
    DefaultSecretAccepted "default_secret_accepted" Forges
        "The receiver also accepts signatures with the default secret of its template or its framework: anyone can guess it."
        "The forgeries `guessed_secret`, `guessed_changeme`, `guessed_null`, `guessed_undefined` and `guessed_header_name` are answered 200 and granted.";
    TimestampParsedLoosely "timestamp_parsed_loosely" Answers
        "The receiver reads the timestamp loosely, as `parseInt` does: a text after the digits is ignored, and a text without digits is NaN, whose age is never too large."
        "The forgeries `timestamp_word` and `timestamp_exponent` are answered 200.";
    MillisecondsAccepted "milliseconds_accepted" Answers
        "The receiver takes a large timestamp for milliseconds: it accepts a format that Aghanim never sends."
        "The forgery `timestamp_milliseconds` is answered 200.";
    TimestampCrashes "timestamp_crashes" Answers
        "The handler crashes if the timestamp is not a number or not a date: such requests look like an outage, and whoever sends them needs no secret."
        "The forgeries `timestamp_word`, `timestamp_exponent`, `timestamp_negative`, `timestamp_huge` and `timestamp_milliseconds` are answered 500.";
    ClockAheadRefused "clock_ahead_refused" Answers
        "The receiver refuses every timestamp that is ahead of its clock: if the sender's clock runs only a second ahead, every delivery is refused (how exact Aghanim's clock is, is not documented)."
        "A genuine delivery signed 2 s ahead is answered 403 and not granted.";
    MinuteOldRefused "minute_old_refused" Answers
        "The receiver refuses a signature that is a minute old (it allows only 45 s): a delivery that waited in a queue, or comes from a clock that runs behind, is refused (whether Aghanim sends such deliveries is not documented)."
        "A genuine delivery signed a minute ago is answered 403 and not granted.";

    // Reading the body.
    FirstPieceOnly "first_piece_only" Loses
        "The receiver treats the first chunk it reads from the socket as the whole body: a body that arrives in several pieces is cut off, so its signature does not match."
        "With the fault `slow_body`, or if the last byte arrives separately, a genuine delivery is answered 403 and not granted.";
    CutBodyLeavesLock "cut_body_leaves_lock" Loses
        "The receiver locks the player while it reads the body and does not unlock them if the body is interrupted: all later deliveries for that player are answered 503."
        "After the fault `cut_body`, every retry is answered 503 and nothing is granted.";
    LettersDecodedByPiece "letters_decoded_by_piece" Loses
        "The receiver decodes each piece of the body as UTF-8 on its own, like `body += chunk` in JavaScript: a letter that is split between two pieces is replaced, and the signature does not match."
        "An event with a non-ASCII letter that is split between two pieces is answered 403 and not granted.";
    ContentLengthRequired "content_length_required" Answers
        "The receiver requires `Content-Length`: a sender or proxy that sends the body chunked is refused (whether Aghanim does so is not documented)."
        "A chunked delivery is answered 411 and not granted.";
    ContentTypeComparedExactly "content_type_compared_exactly" Answers
        "The receiver compares `Content-Type` with `application/json` as a text: if a charset follows, the delivery is refused (Aghanim's documented example has none)."
        "A delivery with `Content-Type: application/json; charset=utf-8` is answered 415 and not granted.";
    ExpectationRefused "expectation_refused" Answers
        "The receiver, or a proxy in front of it, refuses every request with an `Expect` header: a sender that waits before it sends a body never delivers anything (whether Aghanim does so is not documented)."
        "A delivery with `Expect: 100-continue` is answered 417 and not granted.";
    HeaderNamesCaseSensitive "header_names_case_sensitive" Loses
        "The receiver looks up headers by their exact spelling: a sender or proxy that spells them in lower case seems to send no signature."
        "Over HTTP/1.1, a delivery whose header names are in another case is answered 403 and not granted.";
    ConnectionKeepsPlayer "connection_keeps_player" Loses
        "The receiver keeps the player of a connection's first delivery for all later ones: coupons of other players are granted to this player."
        "Of two players' events on one connection, the second is answered 200 but granted to the first player.";

    BodyLimit8k "body_limit_8k" Loses
        "The receiver reads the body into a small buffer (8 KiB) and ignores the rest: a bundle of about 50 items is cut off, so its signature does not match."
        "An event with a body of more than 8 KiB is answered 403 and not granted, while smaller ones pass.";
    BodyLimit64k "body_limit_64k" Conditional
        "The receiver keeps the body in a column of 64 KiB (TEXT in MySQL) and verifies it from there: a larger body is cut off, so its signature does not match."
        "An event with a body of more than 64 KiB is answered 403 and not granted, while smaller ones pass.";
    BodyLimit100k "body_limit_100k" Conditional
        "The receiver's framework refuses bodies above 100 KiB, which is the default of Express: a very large bundle is lost."
        "An event with a body of more than 100 KiB is answered 413 and not granted, while smaller ones pass.";

    // Parsing the event.
    EventTypeNotChecked "event_type_not_checked" Forges
        "The receiver ignores `event_type`: any event that contains an item is granted."
        "An event of another type is answered 200 and granted.";
    OnlyHubRedeemGranted "only_hub_redeem_granted" Loses
        "The receiver treats every trigger other than `hub.redeem` as a test: a coupon whose trigger is null is answered 200 but not granted."
        "An event with `trigger: null` is answered 200, but its player gets nothing.";
    NullDescriptionCrashes "null_description_crashes" Loses
        "The handler does not expect an item's `description` to be null: such an event fails on every attempt."
        "An event is answered 500 if its item or a nested item has `description: null`.";
    AbsentFallbackCrashes "absent_fallback_crashes" Loses
        "The handler expects `fallback_item` to be always present: an event without that key fails on every attempt."
        "An event whose item has no `fallback_item` key is answered 500, while the same event with `fallback_item: null` is granted.";
    NullContextCrashes "null_context_crashes" Loses
        "The handler does not expect `context` to be null: such an event fails on every attempt."
        "An event with `context: null`, or without that key, is answered 500, while an event with a context is granted.";
    UnknownKeyRefused "unknown_key_refused" Loses
        "The receiver refuses keys that the schema does not name: it will refuse every event as soon as Aghanim adds a key, as happened with `items`."
        "An event with an extra key anywhere, or with `items`, is answered 422.";
    NonAsciiMangled "non_ascii_mangled" Loses
        "The receiver decodes the body as Latin-1 instead of UTF-8: grants for a player ID with non-ASCII letters go to an ID that does not exist."
        "An event with a non-ASCII player ID or SKU is answered 200, but its player gets nothing.";
    OtherTriggersRefused "other_triggers_refused" Loses
        "The receiver has a closed list of triggers (`hub.redeem`, `test` and null) and refuses any other: it loses coupons that are issued in another way."
        "An event with another trigger, such as `hub.purchase`, is answered 422.";
    OtherKeysRefused "other_keys_refused" Loses
        "The receiver expects every idempotency key to begin with `idmpt_`: it refuses the UUIDs that older pages of the documentation describe."
        "An event whose idempotency key is a UUID is answered 422.";
    SuspiciousTextRefused "suspicious_text_refused" Loses
        "The receiver, or a filter in front of it, takes texts for attacks and refuses them: an item whose name contains `<script`, `' or '` or `${jndi:` can't be redeemed."
        "An event with such a text in a name or description is answered 403 and not granted.";
    NulCrashes "nul_crashes" Conditional
        "The database can't store the character U+0000, like PostgreSQL: an event with it in a text fails on every attempt."
        "An event whose item has `\\u0000` in its name is answered 500.";
    LongTransactionIdCrashes "long_transaction_id_crashes" Loses
        "The column for transaction IDs is too short (16 characters, as many as one of two public examples): an event with a longer ID fails on every attempt."
        "An event whose `transaction_id` has 31 characters is answered 500, while those with 16 pass.";
    ItemRequired "item_required" Conditional
        "The handler expects `item` to be always present: an event that has only `items` fails on every attempt."
        "An event with `items` and without `item` is answered 500.";
    Quantity32Bit "quantity_32_bit" Loses
        "The receiver stores quantities in 32 bits, which overflow: a player who should get 2^32 + 5 gets 5."
        "An event with a quantity of 2^32 or more is answered 200 and granted modulo 2^32.";
    QuantityFloat "quantity_float" Loses
        "The receiver stores quantities as single-precision floats (FLOAT in SQL): above 2^24, a player gets slightly too little or too much."
        "An event with the quantity 2^24 + 1 is answered 200, but only 2^24 are granted.";

    // Granting.
    SandboxGranted "sandbox_granted" Forges
        "The receiver grants sandbox events like live ones: anyone with access to the sandbox gets real items."
        "An event with `sandbox: true` changes its player's inventory, although the policy is `sandbox: ignore`.";
    PlayerEnvironmentKept "player_environment_kept" Loses
        "The receiver decides by a player's first event whether the player is in the sandbox: live coupons of a tester are ignored, or sandbox coupons are granted."
        "A live event after a sandbox event of the same player is answered 200 but not granted, and a sandbox event after a live one is granted.";
    TestGranted "test_granted" Forges
        "The receiver grants events of \"Send test event\" like live ones: each click in the dashboard grants real items."
        "An event with `trigger: test` changes its player's inventory, although the policy is `test: ignore`.";
    BundleGrantedTwice "bundle_granted_twice" Doubles
        "The receiver grants both the bundle's own SKU and its contents: when the game unpacks the bundle, the player has everything twice."
        "After a bundle, the player holds both its own SKU and its contents.";
    FirstLevelOnly "first_level_only" Loses
        "The receiver reads only the first level of `nested_items` and grants an inner bundle by its own SKU: the player never gets what is inside."
        "After a bundle inside a bundle, the player holds the inner bundle's SKU but none of its contents.";
    DeepBundleSkipped "deep_bundle_skipped" Loses
        "The receiver opens bundles only three levels deep and skips what is deeper: the items in there are lost."
        "Of a bundle in a bundle in a bundle in a bundle, the innermost items are not granted.";
    NestedQuantityIgnored "nested_quantity_ignored" Loses
        "The receiver ignores the quantity of nested items: a player gets one of each."
        "After a bundle with a nested quantity above 1, the player holds only 1 of that item.";
    FallbackGrantedToo "fallback_granted_too" Doubles
        "The receiver grants the fallback item even if it can grant the main item: the player gets both."
        "After an event with a `fallback_item`, the player holds both SKUs.";
    GrantedOnBoth "granted_on_both" Doubles
        "The receiver grants both `coupon.redeemed` and `item.add`: a redeemed coupon is granted twice."
        "A `coupon.redeemed` and the `item.add` of the same redemption are both granted.";
    PairedInOneOrder "paired_in_one_order" Doubles
        "The receiver skips an `item.add` after the `coupon.redeemed` of the same redemption, but does not expect them in the other order: if `item.add` arrives first, the coupon is granted twice."
        "A `coupon.redeemed` that is delivered after the `item.add` of the same redemption is granted again, while in the other order they are granted once.";
    DeclinedButGranted "declined_but_granted" Doubles
        "The receiver declines an `item.add` with 400 after it has granted it: the purchase can be refunded, but the player keeps the items."
        "An `item.add` is answered 400 with `code: declined`, and its items are granted.";
    RemovalIgnored "removal_ignored" Doubles
        "The receiver answers `item.remove` with 200 and takes nothing away: the player keeps what was refunded."
        "After an `item.remove` that is answered 200, the player still holds the items, although the policy is `item_remove: take`.";

    DuplicateSkuLastWins "duplicate_sku_last_wins" Loses
        "The receiver collects the contents of a bundle in a map by SKU and assigns instead of adding: of an SKU that occurs twice, only the last quantity is granted."
        "After a bundle that contains an SKU twice, at the same or at different levels, the player holds only the last of its quantities.";
    LongBundleCut "long_bundle_cut" Loses
        "The receiver grants only the first page or batch of a bundle (20 items): the rest is lost."
        "After a bundle of 50 items, the player holds only the first 20.";
    LastBatchLost "last_batch_lost" Loses
        "The receiver writes the items of an event in batches of 25, and an incomplete last batch after a complete one is never written: its items are lost."
        "Of a bundle with 40 different SKUs, only 25 are granted.";
    OtherTypesDropped "other_types_dropped" Loses
        "The receiver grants only the types `item` and `bundle` and answers 200 to others: a `currency` or `lootbox` is lost."
        "An event whose item has another type is answered 200, but its player gets nothing.";
    SkuTruncated "sku_truncated" Loses
        "The column for SKUs is too short (100 characters, the limit before 2026-07-14) and cuts longer ones: the player gets an item that does not exist."
        "An event whose SKU has 255 characters is answered 200, but its player does not hold that SKU.";
    ItemsOnlyFirst "items_only_first" Conditional
        "The receiver grants only the first of `items`: a coupon that grants several items loses the others."
        "After an event with two `items`, the player holds only the first.";
    PlayerCaseInsensitive "player_case_insensitive" Conditional
        "The database compares player IDs without regard to case, as MySQL does by default: if the game has two such players, one gets the other's items."
        "After events for two players whose IDs differ only in case, each seems to hold the items of both.";
    PlayerAccentInsensitive "player_accent_insensitive" Conditional
        "The database compares player IDs without regard to accents, as MySQL does by default: if the game has two such players, one gets the other's items."
        "After events for two players whose IDs differ only in an accent, each seems to hold the items of both.";
    PlayerNormalised "player_normalised" Conditional
        "The receiver normalizes the Unicode of player IDs: if the game has two players whose IDs look the same, one gets the other's items."
        "After events for two players whose IDs differ only in their Unicode normalization, each seems to hold the items of both.";
    PlayerTrailingSpace "player_trailing_space" Conditional
        "The database ignores spaces at the end of player IDs, as CHAR columns do: if the game has two such players, one gets the other's items."
        "After events for two players whose IDs differ only in a space at the end, each seems to hold the items of both.";

    // Granting only once.
    DedupeMissing "dedupe_missing" Doubles
        "The receiver grants every delivery: if a response is lost, the retry grants the coupon again."
        "The same event delivered twice is granted twice.";
    DedupeByEventId "dedupe_by_event_id" Doubles
        "The receiver detects duplicates by `event_id` instead of `idempotency_key`: a retry with a new event ID is granted again."
        "Two events with the same `idempotency_key` but different `event_id`s are both granted.";
    DedupeBySignature "dedupe_by_signature" Doubles
        "The receiver detects duplicates by signature instead of `idempotency_key`: a retry that is signed again in a later second is granted again."
        "The same event with another fresh timestamp is granted twice, for example with the fault `late_retry` and a short retry policy.";
    DedupeByTransactionId "dedupe_by_transaction_id" Loses
        "The receiver detects duplicates by `transaction_id` instead of `idempotency_key`: the second event of a transaction looks like a retry of the first and is lost."
        "Of two events with the same `transaction_id`, only the first is granted, but both are answered 200.";
    DedupeByCouponCode "dedupe_by_coupon_code" Loses
        "The receiver detects duplicates by coupon code instead of `idempotency_key`: of all players who redeem the same code, only the first gets something."
        "Of two players' events with the same `coupon.code`, only the first is granted, but both are answered 200.";
    OneKeyTable "one_key_table" Loses
        "The receiver records the idempotency keys of all event types in one table, also of those that grant nothing: if `item.add` and `coupon.redeemed` share a key and `item.add` arrives first, the coupon looks like a redelivery and is lost."
        "A `coupon.redeemed` that is delivered after an `item.add` with the same `idempotency_key` is answered 200 but not granted.";
    RemovalRepeated "removal_repeated" Loses
        "The receiver deduplicates grants, but not removals: a redelivered `item.remove` takes the items away again."
        "After an `item.remove` that is delivered twice, the player has lost its items twice.";
    KeyRemovedWithItems "key_removed_with_items" Doubles
        "The receiver deletes the redemption, and its idempotency key with it, when an `item.remove` takes its items away: a redelivery of the coupon is granted again."
        "An event that is delivered again after the `item.remove` of its transaction is granted twice.";
    KeyCaseInsensitive "key_case_insensitive" Loses
        "The database compares idempotency keys without regard to case, as MySQL does by default: another event whose key differs only in case looks like a retry and is lost."
        "Of two events whose keys differ only in case, only the first is granted, but both are answered 200.";
    KeyTruncated "key_truncated" Loses
        "The column for idempotency keys is too short (64 characters) and cuts longer ones: another event whose key begins alike looks like a retry and is lost."
        "Of two events whose keys have 200 characters and differ only in the last, only the first is granted, but both are answered 200.";
    DedupeInMemory "dedupe_in_memory" Doubles
        "The receiver keeps idempotency keys only in memory: a retry after a restart is granted again."
        "The same event delivered before and after a restart with the same store (or `POST /debug/restart`) is granted twice.";
    LastKeyOnly "last_key_only" Doubles
        "The receiver keeps only the last idempotency key of each player, in a column of the player's row: a retry that arrives after another coupon is granted again."
        "An event that is delivered again after another event for the same player is granted twice, for example with the fault `out_of_order`.";
    CheckThenInsertRace "check_then_insert_race" Doubles
        "The receiver checks the key in one transaction and grants in another, without a unique key: concurrent deliveries all find the key unused and are all granted."
        "The same event delivered several times at the same time is granted more than once, while sequential deliveries are granted once.";
    KeyWrittenLast "key_written_last" Doubles
        "The receiver records the key only after a slow grant is finished: a retry that arrives meanwhile finds no key and is granted again."
        "With the fault `timeout_overlap`, or if it is delivered several times at the same time, the event is granted more than once, while sequential deliveries are granted once.";
    StoppedByHangup "stopped_by_hangup" Doubles
        "The receiver stops its handler when the sender hangs up, as some servers do, even between the grant and the key: the retry grants again."
        "With the fault `reset`, the event is granted twice.";
    LostUpdate "lost_update" Loses
        "The receiver reads how much of an item a player holds, adds to it and writes it back without a lock: if two coupons for one item overlap, one is lost."
        "Several events for one player and SKU at the same time are all answered 200, but not all are granted.";
    BusyPlayerAcked "busy_player_acked" Loses
        "The receiver merges simultaneous requests of one player instead of one key, and answers 200 to all of them: only one coupon is granted, and nobody delivers the others again."
        "Several events for one player at the same time are all answered 200, but only one is granted until they are delivered again.";
    FullQueueDrops "full_queue_drops" Loses
        "The receiver queues grants, drops them when the queue is full, and answers 200 nevertheless: a burst of coupons loses some of them."
        "More than a dozen events at the same time are all answered 200, but not all are granted.";
    RemovedRowStaysDeleted "removed_row_stays_deleted" Loses
        "The receiver marks the row of an item as deleted when none is left, and never clears the mark: the item of a later coupon never appears."
        "An event for an item of which an `item.remove` took away all is answered 200, but the player does not hold the item.";
    GrantBeforeKey "grant_before_key" Doubles
        "The receiver commits the grant first and the key in a second transaction: after a crash or an error in between, the retry grants again."
        "A delivery that fails halfway (a script of 503, or `--crash-after` and a restart with the same store) is granted, and so is its retry.";
    KeyBeforeGrant "key_before_grant" Loses
        "The receiver commits the key first and the grant in a second transaction: after a crash or an error in between, the retry looks like a redelivery and nothing is ever granted."
        "After a delivery that fails halfway (a script of 503, or `--crash-after` and a restart with the same store), the retry is answered 200 but nothing is granted.";
    KeysPerInstance "keys_per_instance" Doubles
        "The receiver keeps idempotency keys in a file or database of each instance: a retry that a load balancer sends to another instance is granted again."
        "With several instances (`--instances 2`), an event that is delivered to one and again to another is granted twice.";
    KeyBeforeSlowGrant "key_before_slow_grant" Loses
        "The receiver commits the key, calls another service and then grants, and removes the key after an error, but not if its process is killed: the retry looks like a redelivery and nothing is ever granted."
        "With the fault `restart_in_flight`, the retry is answered 200 but nothing is granted, while errors and sequential deliveries are handled well.";
    GrantBeforeSlowKey "grant_before_slow_key" Doubles
        "The receiver grants, calls another service and only then commits the key, guarded by a lock in memory: if its process is killed in between, the lock is gone and the retry grants again."
        "With the fault `restart_in_flight`, the event is granted twice, while simultaneous and sequential deliveries are granted once.";
    QueuedInMemory "queued_in_memory" Loses
        "The receiver answers 200 and puts the grant into a queue in memory: a restart empties the queue, and nobody retries an acknowledged event."
        "An event that is answered 200 right before a restart (or `POST /debug/restart`) and not delivered again is never granted.";
    FrozenAfterResponse "frozen_after_response" Loses
        "The receiver grants after its response, on a platform that freezes the process until the next request: the last coupon before a quiet time is granted hours later or never."
        "An event that is delivered once, with no other delivery after it, is answered 200 but not granted.";
    KeyForgottenTooSoon "key_forgotten_too_soon" Doubles
        "The receiver keeps idempotency keys only for a short time (ten minutes), such as in a cache: a later retry is granted again."
        "An event that is delivered again after the receiver's clock was moved by an hour (`POST /debug/clock/3600`) is granted twice.";
    DuplicateAckedWhilePending "duplicate_acked_while_pending" Loses
        "The receiver answers 200 to a duplicate while another delivery of the event is still being processed: if that one then fails, the sender has its 200 and never retries."
        "Of simultaneous deliveries of an event, one fails (a script of 503), the others are answered 200, and nothing is granted.";
    BundlePartiallyGranted "bundle_partially_granted" Doubles
        "The receiver grants a bundle part by part, without a transaction, and refuses it at the first part that it can't grant: the parts before it stay, and each retry grants them again."
        "After a bundle with a part that the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`) was refused, the player holds the parts before it.";
    RefusedPartSkipped "refused_part_skipped" Loses
        "The receiver grants a bundle without the parts that it can't grant and answers 200: nobody retries, and the player never gets them."
        "A bundle with a part that the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`) is answered 200, and the player holds only the other parts.";
    KeyOfRefusalKept "key_of_refusal_kept" Loses
        "The receiver stores the idempotency key before it knows whether the game can grant the item, and keeps it when it refuses the event: a later delivery is answered 200 but nothing is granted."
        "An event that was refused because the game can't grant its item (`PUT /debug/players/{player_id}/items/{sku}/full`) is answered 200 once it can, but not granted.";
    CapacityCheckedFirst "capacity_checked_first" Answers
        "The receiver checks whether the game can grant the items before it looks up the idempotency key: a redelivery of a granted coupon is refused once the inventory is full, and the sender believes that the coupon was refused."
        "A redelivery of a granted event, after the game can't grant its item any more (`PUT /debug/players/{player_id}/items/{sku}/full`), is answered 422.";
    FallbackIgnored "fallback_ignored" Loses
        "The receiver does not read `fallback_item`: if it can't grant the main item, it only logs that, answers 200 and grants nothing."
        "An event with a `fallback_item`, whose main item the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`), is answered 200, and the player holds neither.";

    // Responses.
    ForgeryAnswered500 "forgery_answered_500" Answers
        "The receiver answers a forgery with 500 instead of 403: it looks like an outage and causes retries."
        "Every forgery is answered 500 and grants nothing.";
    ForgeryAnswered200 "forgery_answered_200" Answers
        "The receiver answers a forgery with 200 and puts the error in the body: a sender with the wrong secret believes that everything was delivered."
        "Every forgery is answered 200 and grants nothing.";
    ErrorAnswered200 "error_answered_200" Loses
        "The receiver answers 200 with an error in the body if it can't grant the item: the sender takes that for success, nobody retries, and the coupon is lost."
        "An event whose item the game can't grant (`PUT /debug/players/{player_id}/items/{sku}/full`) is answered 200 with `error` in the body, and is not granted unless it is delivered again.";
    RedeliveryAnswered409 "redelivery_answered_409" Answers
        "The receiver answers a redelivery with 409: the sender believes that a granted coupon was refused."
        "The second delivery of an event is answered 409, and the event is granted once.";
    RedeliveryAnswered500 "redelivery_answered_500" Answers
        "The receiver answers 500 to a redelivery, which violates the unique key: the sender retries until it gives up."
        "The second delivery of an event is answered 500, and the event is granted once.";
    RedeliveryAnsweredOtherwise "redelivery_answered_otherwise" Answers
        "The receiver answers a redelivery with 200 but a different body than the first delivery: a sender that compares responses, or an operator who reads the log, sees two outcomes for one event."
        "The second delivery of an event is answered 200 with `duplicate` in the body, and the event is granted once.";
    OverlapRefused "overlap_refused" Answers
        "The receiver answers 409 while another delivery with the same key is being processed: a sender whose first attempt timed out believes that the coupon was refused."
        "With the fault `timeout_overlap`, the retry is answered 409, and the event is granted once.";
    EarlyAnswer "early_answer" Loses
        "The receiver answers 200 as soon as the signature is verified and processes the event afterwards: if the processing fails, nobody retries and the coupon is lost."
        "A delivery that fails (a script of 503, or an item that can't be granted) is answered 200 but not granted.";
    SlowAnswer "slow_answer" Answers
        "The receiver grants the coupon but responds after the sender's timeout: every delivery is retried until the sender gives up."
        "Every attempt times out, and the event is granted once.";
    LoginRedirect "login_redirect" Loses
        "The endpoint is behind the site's login and redirects to the login page: no event ever reaches the handler."
        "Every delivery is answered 302 with a `Location` header, and nothing is granted.";
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
