//! What to change in a receiver that has a flaw.

use super::Flaw;

/// Defines the remedies. Each line has the Rust variants of the flaws and their remedy.
macro_rules! remedies {
    ($($($variant:ident)|+ $remedy:literal;)*) => {
        impl Flaw {
            /// What a developer should change in a receiver with this bug: one imperative sentence
            /// without a full stop.
            pub fn remedy(self) -> &'static str {
                match self { $($(Self::$variant)|+ => $remedy,)* }
            }
        }
    };
}

remedies! {
    // Authentication.
    SignatureNotChecked "verify the signature before you do anything else: HMAC-SHA256 of timestamp, dot and raw body with the webhook's secret, compared in constant time";
    SignatureFormOnly "compute the HMAC-SHA256 with the webhook's secret, and compare it with the header: `hmac.compare_digest` in Python, `crypto.timingSafeEqual` in Node.js";
    KnownKeyNotVerified "verify the signature first, even for known keys, and only then look up the idempotency key";
    KeyBeforeVerification "verify the signature first, and store the key together with the grant, so that a refused request leaves nothing behind";
    BodyReserialised "verify the raw body bytes, before Express `json()`, a Spring `@RequestBody` object, FastAPI `request.json()`, ASP.NET model binding or Go `json.Unmarshal`";
    BodyDumpedByPython "verify the signature over the raw body, before any parser touches it: `request.get_data()` in Flask, `request.body` in Django, `await request.body()` in FastAPI";
    BodyDumpedCompactly "verify the signature over the raw body, not over what `json.dumps` writes: `request.get_data()` in Flask, `await request.body()` in FastAPI";
    BodyEncodedByPhp "verify the signature over the raw body, before any parser touches it: `file_get_contents('php://input')` in PHP, `$request->getContent()` in Laravel";
    BodySerialisedByDotnet "verify the signature over the raw body, before any parser touches it: in ASP.NET Core, read the bytes of `Request.Body` instead of binding a model";
    BodySpacesRemoved "verify the signature over the raw body, with every space that arrived, and only then parse it";
    BodyLinesJoined "verify the signature over the raw body, line breaks included: in Java, `request.getInputStream().readAllBytes()` instead of `readLine()`";
    BodyLineBreaksNormalised "read the body in binary mode, and verify the signature over those bytes: in a Python script, `sys.stdin.buffer` instead of `sys.stdin`";
    BodyTrimmed "remove the `trim()`, and verify the signature over the raw body, including the whitespace around the JSON";
    TimestampNotSigned "verify the signature over the timestamp header's text, a dot and the raw body, and remove the check of the body alone";
    NeighbouringTimestampTried "verify the signature only with the timestamp header's own text; tolerate clock differences where you check the timestamp's age";
    EventTimeSigned "verify the signature with the text of `X-Aghanim-Signature-Timestamp`, not with `event_time`: no document says that the two are always equal";
    SeenSignatureRefused "deduplicate by `idempotency_key`, not by signature, and accept a signature again as long as its timestamp is fresh";
    FreshnessNotChecked "refuse a timestamp that differs from your clock by more than some minutes";
    FutureTimestampAccepted "compare the absolute difference, with a tolerance of some minutes: refuse if `abs(now - timestamp) > tolerance`";
    FreshnessByEventTime "check the age of `X-Aghanim-Signature-Timestamp`, not of `event_time`, which is old whenever an event is delivered late";
    SignatureCaseMismatch "compute the signature in lowercase hex: in C#, `Convert.ToHexStringLower` instead of `Convert.ToHexString`";
    PrefixCompare "compare lengths too, as a constant-time comparison does: `hmac.compare_digest` in Python, `hash_equals` in PHP, `hmac.Equal` in Go";
    SignatureBytesCompared "compare the hex digits, or refuse what does not decode to exactly 32 bytes: in Node.js, `Buffer.from(signature, 'hex')` stops at the first other character";
    MissingHeaderPasses "refuse a request without `X-Aghanim-Signature` or `X-Aghanim-Signature-Timestamp` before you parse its body";
    ExpiredSecretAccepted "accept two secrets only for the minutes of the change, then remove the old one from the receiver's settings";
    UnkeyedHashAccepted "accept only HMAC-SHA256 with the webhook's secret: in Python, `hmac.new(secret, message, hashlib.sha256)`, not `hashlib.sha256(message)`";
    SignaturePrefixStripped "compare the whole header with the hex digits that you computed, without removing a prefix";
    AnySignatureCounts "refuse a request that has more than one `X-Aghanim-Signature` header";
    GarbageSignatureCrashes "compare hex strings, or catch the decoder's error and respond with 403 to what does not decode to 32 bytes";
    UnsignedBodyCrashes "verify the signature over the raw bytes first, and parse the body only then; respond with 4xx to what is not an event";
    ForgeriesUseUpSlots "verify the signature before you take anything from a pool, and release what you took in a `finally` block";
    EmptySecretAccepted "refuse to start without a secret, and never fall back to an empty one: in Python, `os.environ['SECRET']`, not `os.getenv('SECRET', '')`";
    DefaultSecretAccepted "read the secret from the environment, without a default, and refuse to start without it";
    TimestampParsedLoosely "accept digits only, and respond with 403 to any other text: in JavaScript, check `/^[0-9]+$/.test(timestamp)` before `Number(timestamp)`";
    MillisecondsAccepted "read the timestamp as Unix seconds only, and refuse one that differs from your clock by more than some minutes";
    TimestampCrashes "accept digits only, check the range before you convert the number to a date, and respond with 403 to everything else";
    ClockAheadRefused "compare the absolute difference with a tolerance of some minutes: accept if `abs(now - timestamp) <= tolerance`";
    MinuteOldRefused "accept signatures that are some minutes old: five minutes are a common tolerance";

    // Reading the body.
    FirstPieceOnly "read up to the announced length or the last chunk, in a loop or through the framework: one call of `read` or `recv` may return only a part";
    CutBodyLeavesLock "read and verify the whole body first, and always release locks: in a `finally` or `defer`, or with the database transaction that took them";
    LettersDecodedByPiece "collect the bytes, verify the signature over them, and decode them last: in Node.js, `Buffer.concat(chunks)` instead of `body += chunk`";
    LettersDecodedAfterVerification "decode the bytes over which the signature was verified, all at once: in Node.js, `JSON.parse(Buffer.concat(chunks).toString('utf8'))`";
    ContentLengthRequired "let the server put the chunks together, turn on chunked requests in the proxy in front of it, and do not require `Content-Length`";
    ContentTypeComparedExactly "compare only the part before the semicolon, or let the framework do it: `req.is('application/json')` in Express, `request.is_json` in Flask";
    ExpectationRefused "let the server and the proxy in front of it send `100 Continue` or ignore the `Expect` header, instead of responding with 417";
    HeaderNamesCaseSensitive "look headers up through the framework, without regard to case: `req.get('X-Aghanim-Signature')` in Express, `r.Header.Get` in Go";
    ConnectionKeepsPlayer "read `event_data.player_id` from each event, and keep no state between requests except in the database, neither in a connection nor in a thread";

    BodyLimit8k "read the whole body, in a loop or through the framework, and refuse it only above a large limit, such as 1 MB";
    BodyLimit64k "verify the bytes as received, before you store them, and use a column for larger texts: `MEDIUMTEXT` in MySQL";
    BodyLimit100k "raise the limit of your framework and of the proxy in front of it, for example to 1 MB: in Express, `express.raw({ limit: '1mb' })`";

    // Parsing the event.
    EventTypeNotChecked "branch on `event_type` first, and respond to a type that your game does not handle with 2xx or 400, without a grant";
    OnlyHubRedeemGranted "use `trigger` only to recognize test events: compare it with `test`, and grant for every other value and for null";
    NullDescriptionCrashes "make `description` nullable in items and nested items, or do not read it: `Optional[str]` in Python, `*string` in Go, `String?` in Kotlin";
    AbsentFallbackCrashes "treat an absent `fallback_item` like null: in Python, `item.get('fallback_item')` instead of `item['fallback_item']`";
    NullContextCrashes "treat `context` and its `order` and `player` as optional: in JavaScript, write `?.` after each of them";
    UnknownKeyRefused "ignore unknown keys at every level: `extra='ignore'` in Pydantic, `FAIL_ON_UNKNOWN_PROPERTIES` set to false in Jackson";
    NonAsciiMangled "use UTF-8 from the parser to the column: a Java servlet reads a body as Latin-1 unless you set its encoding or parse its bytes";
    OtherTriggersRefused "compare `trigger` only with `test`, and accept everything else";
    OtherKeysRefused "treat the idempotency key as any text: do not check its prefix, its format or its length";
    SuspiciousTextRefused "exempt this endpoint from filters of request bodies (the signature protects it), use query parameters, and escape text where it is shown";
    NulCrashes "remove U+0000 from what you store, or store the raw body as bytes (`bytea` in PostgreSQL), and grant the item";
    LongTransactionIdCrashes "make room for any length in the column: `TEXT` or `VARCHAR(255)` instead of `VARCHAR(16)`";
    ItemRequired "grant `items` if it is present and not empty, otherwise `item`, and read both as optional";
    PlayerIdRounded "keep `player_id` as text, from the JSON to the column: no `Number(player_id)` in JavaScript";
    PlayerIdUnescaped "use `player_id` as the JSON parser returns it, without `decodeURIComponent`, `unquote` or `urldecode`";
    Quantity32Bit "use a 64-bit type from the parser to the column: `long` instead of `int` in Java and C#, `BIGINT` instead of `INT` in SQL";
    Balance32Bit "use 64-bit integers for what a player holds, not only for the quantity of an event: `BIGINT` in SQL";
    QuantityFloat "parse and store quantities as integers, not as floating-point numbers: `BIGINT` instead of `FLOAT` in SQL";

    // Granting.
    SandboxGranted "respond to an event with `sandbox: true` with 2xx without a grant; if your game means to grant it, set `policy.sandbox: grant` in the profile";
    PlayerEnvironmentKept "read `sandbox` of each event, and keep sandbox items apart from live ones by event, not by player";
    TestByCode "decide by `sandbox` and `trigger` whether an event is a test, never by the coupon's code";
    TestGranted "respond to an event with `trigger: test` with 2xx without a grant; if your game means to grant it, set `policy.test: grant` in the profile";
    BundleGrantedTwice "branch on `type`, and grant either the bundle's own SKU or each nested item, exactly one of the two";
    BundleNotOpened "grant the innermost items: walk `nested_items` recursively; if the game opens bundles itself, set `policy: { bundles: sku }` in the profile";
    FirstLevelOnly "walk `nested_items` recursively; if the game grants bundles by their own SKU, set `policy: { bundles: sku }` in the profile";
    ThirdLevelNotOpened "walk `nested_items` recursively: in JavaScript, with a function that calls itself, because `flat()` removes only one level";
    DeepBundleSkipped "walk `nested_items` recursively without a limit, or refuse the event with 4xx instead of granting a part of it";
    NestedQuantityIgnored "grant the `quantity` of each nested item, not one of each";
    FallbackGrantedToo "grant `fallback_item` only if the main item can't be granted";
    GrantedOnBoth "credit on one of the two event types, and answer the other with 2xx without a grant; or subscribe to only one of them";
    PairedInOneOrder "decide by the type alone which event credits: credit on one of the two, and answer the other with 2xx without a grant, in any order";
    DeclinedButGranted "decline before you grant anything, or roll the grant back in the same transaction";
    RemovalIgnored "take the items away, but no more than the player holds; if your game means to ignore removals, set `policy.item_remove: ignore` in the profile";

    DuplicateSkuLastWins "add up the quantities of each SKU: `quantities[sku] += quantity` instead of `quantities[sku] = quantity`";
    EverySecondBundleClosed "keep nothing of one request for the next: leave out the flag `g` of a regular expression that is only tested, or compare `type` with `===`";
    LongBundleCut "grant every item of `nested_items`, page by page until none is left, in one transaction";
    LastBatchLost "write the last batch, too, after the loop that fills the batches, and all batches in one transaction";
    OtherTypesDropped "treat every type but `bundle` like `item`: grant `quantity` of `sku`";
    SkuTruncated "make room for 255 characters, and let the database refuse a longer text instead of cutting it: in MySQL, with the strict SQL mode";
    ItemsOnlyFirst "grant all of `items` if it is present, in one transaction with the idempotency key";
    PlayerCaseInsensitive | PlayerAccentInsensitive "compare player IDs byte by byte: use a binary collation for the column, such as `utf8mb4_bin` in MySQL";
    PlayerNormalised "compare player IDs byte by byte, without normalizing them: remove `normalize('NFC')` and the like";
    PlayerTrailingSpace "compare player IDs byte by byte, spaces included: in MySQL, `VARCHAR` with the collation `utf8mb4_0900_bin`, not `CHAR`";
    PlayerLeadingZeros "store player IDs as text, in a `TEXT` or `VARCHAR` column: SQLite turns texts in a column `STRING` or `INTEGER` into numbers";
    PlayerLatin1 "use UTF-8 for the column and for the connection, `utf8mb4` in MySQL, and do not encode with `errors='replace'`";
    WalletKeyJoined "use two columns, such as `PRIMARY KEY (player_id, sku)`, or a key that keeps the two apart: a tuple in Python, `JSON.stringify([player, sku])` in JavaScript";

    // Granting only once.
    DedupeMissing "store the idempotency key in the transaction of the grant, and grant only if the key is new: after `ON CONFLICT DO NOTHING`, check that a row was inserted";
    DedupeByEventId "deduplicate by `idempotency_key`, not by `event_id`";
    DedupeBySignature "deduplicate by `idempotency_key`, not by signature";
    DedupeByTransactionId "deduplicate by `idempotency_key`, not by `transaction_id`, which several events may share";
    DedupeByCouponCode "deduplicate by `idempotency_key`, not by `coupon.code`, which several players may redeem";
    OneKeyTable "store keys by event type, such as with `UNIQUE (event_type, idempotency_key)`, and decide by the type alone which event credits";
    RemovalRepeated "deduplicate `item.remove` by `idempotency_key`, like grants, and take away no more than the player holds";
    KeyRemovedWithItems "keep the idempotency key when items are taken away: it says that the coupon was redeemed, not that the player still holds them";
    KeyCaseInsensitive "compare keys byte by byte: use a binary collation for the column, such as `utf8mb4_bin` in MySQL";
    KeyTruncated "use a column for any text, or store a hash of the key, such as its SHA-256";
    DedupeInMemory "keep idempotency keys in the database, not in memory, and store each in the transaction of its grant";
    LastKeyOnly "store every key, in a table with a unique constraint on the key, instead of one per player";
    LastKeysOfPlayer "keep all idempotency keys, in a table of their own with a unique constraint";
    RecentKeysOnly "keep the keys as long as the grants, in the same database, instead of in a cache that forgets the oldest";
    CheckThenInsertRace "put a unique constraint on the idempotency key, and insert it in the transaction of the grant: a look-up before the grant is a race";
    KeyWrittenLast "insert the key first, in the transaction of the grant and with a unique constraint, so that an overlapping retry waits or fails";
    ClaimExpiresDuringWork "insert the key in the transaction of the grant, with a unique constraint, instead of a lock with a lifetime such as `SET key NX PX 100` in Redis";
    StoppedByHangup "store the key and the grant in one transaction, so that the retry finds both or neither";
    LostUpdate "add in the database (`quantity = quantity + ?`) or lock the player's row (`SELECT … FOR UPDATE`)";
    LockRemovedTooEarly "lock the player's row (`SELECT … FOR UPDATE`) or add in the database (`quantity = quantity + ?`); remove a lock from a map only if nobody waits for it";
    BusyPlayerAcked "recognize duplicates by `idempotency_key` only, and let other events of the same player wait, or respond to them with 503";
    OlderEventDropped "grant every event with a new `idempotency_key`, whatever its `event_time`: only a state that replaces an older one may be compared by time";
    FullQueueDrops "grant before you respond, or respond with 503 or 429 when the queue is full, and store no key then";
    CouponsLimited "grant every event with a new `idempotency_key`: the shop limits how often a code can be redeemed";
    OncePerItem "deduplicate by `idempotency_key`, not by the item: a player can redeem several coupons for one item";
    RemovedRowStaysDeleted "delete the row or set its quantity to 0, or clear the mark when the item is granted again";
    GrantBeforeKey "store the idempotency key and the grant in one transaction: an error between two transactions leaves a grant without its key";
    KeyBeforeGrant "store the idempotency key and the grant in one transaction: an error between two transactions leaves a key without its grant";
    KeysLostInSnapshot "keep the keys as long as the grants: a snapshot of the balances needs all keys, too";
    KeysPerInstance "keep the keys in the database that all instances share, with a unique constraint, not in memory or in a file";
    KeyBeforeSlowGrant "store the key and the grant in one transaction, and call the other service before or after it: no error handler runs in a killed process";
    GrantBeforeSlowKey "store the key and the grant in one transaction, and call the other service after it: a lock in memory ends with the process";
    QueuedInMemory "grant before you respond, or store the work in the database before you respond";
    JournalBufferReused "give each journal entry a buffer of its own until it is written, and respond only then";
    JournalTextSplit "write each journal entry as one line of JSON, or with a CSV library that quotes, and read it with the same library";
    FrozenAfterResponse "grant before you respond, or hand the work to a durable queue, such as Amazon SQS or Google Cloud Tasks";
    KeyForgottenTooSoon "keep the keys as long as the grants, in the same database, instead of in a cache with a short lifetime";
    KeyExpiresByEventTime "keep the keys as long as the grants, in the same database; if old ones must go, count from when you stored them, as with `created_at`, not from `event_time`";
    DuplicateAckedWhilePending "respond with 2xx only once the grant is stored; until then, wait, or respond with 409 or 503";
    BundlePartiallyGranted "check all parts first, or grant them in one transaction with the key, and roll it back if a part can't be granted";
    KeyOfRefusalKept "store the idempotency key in the transaction of the grant: an event that is refused must not leave its key";
    FullInventoryAcked "respond with 4xx or 5xx and store no key if the item can't be granted, or keep it and grant it as soon as there is room";
    RefusalLeavesLock "release the lock in a `finally` block, or lock a row in the transaction, which ends with it";
    RefusalRemembered "store a response for an idempotency key only if it is 2xx, in the transaction of the grant, and process the event again after any other";
    RefusedPartSkipped "grant all parts of a bundle or none, in one transaction with the key, and respond with an error if a part can't be granted";
    RefusedRetriedByBoth "give the game's own retry the idempotency key of the event, or leave retries to the sender";
    ItemRefusedToAll "ask the game at each delivery whether it can grant the item, or remember the refusal by player and item until that changes";
    CapacityCheckedFirst "look up the idempotency key first, and respond to a known one with 2xx, before you check whether the game can grant the items";
    PartKeptWithFallback "check all parts of a bundle before you grant one, or roll back to a savepoint before you grant the fallback";
    FallbackReplacesItems "set a savepoint for each of `items`, and roll back to it before you grant that item's fallback";
    FallbackBundleClosed "read `fallback_item` with the code that reads `item`, which opens bundles";
    FallbackIgnored "grant `fallback_item` if the main item can't be granted, and respond with an error if neither can be";

    // Responses.
    ForgeryAnswered500 "respond with 403 if the signature is wrong: catch the error of the verification before the framework makes a 500 of it";
    ForgeryAnswered200 "respond with the status 403 if the signature is wrong, not with 200 and an error in the body";
    ErrorAnswered200 "respond with 4xx or 5xx if the item can't be granted, or keep it and grant it as soon as there is room";
    RedeliveryAnswered409 "respond to a known idempotency key with 2xx: the sender may never have seen your first response";
    RedeliveryAnswered500 "respond to a known idempotency key with 2xx: use `ON CONFLICT DO NOTHING`, or catch the violation of the unique key";
    RedeliveryAnsweredOtherwise "respond to a known idempotency key as to a new one, with the same status and body";
    OverlapRefused "let the second delivery wait for the first, as an insert into a unique key does, and respond with 2xx once the grant is stored";
    EarlyAnswer "respond after the grant is stored: what fails after a 2xx response is lost";
    LargeBodyAnsweredEarly "respond after the grant is stored, whatever the size of the event: what fails after a 2xx response is lost";
    SlowAnswer "store the key and the grant, respond, and queue everything else, such as emails and calls to other services";
    LoginRedirect "exempt the endpoint from the site's login and from its redirects: the signature protects it";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_remedy_is_a_short_clause() {
        for flaw in Flaw::ALL {
            let remedy = flaw.remedy();
            assert!(
                remedy.starts_with(|letter: char| letter.is_ascii_lowercase()),
                "{flaw}: {remedy}"
            );
            assert!(
                !remedy.ends_with('.') && !remedy.contains(". "),
                "{flaw}: {remedy}"
            );
            assert!(remedy.chars().count() <= 160, "{flaw}: {remedy}");
            assert!(!remedy.contains('|'), "{flaw}: `|` breaks a table");
        }
    }
}
