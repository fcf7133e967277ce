//! The flaws by name, with what each costs and what reveals it. How each is done is in the files
//! beside this one, one a step of a delivery.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a flaw costs a game, at its worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlawClass {
    /// A player does not get what the coupon stands for.
    Loses,
    /// A player gets more than the coupon stands for.
    Doubles,
    /// A player gets what no genuine live event stands for.
    Forges,
    /// What players hold is right; only the answer misleads the sender or its operators.
    Answers,
}

impl FlawClass {
    /// The class in lists and documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loses => "loses",
            Self::Doubles => "doubles",
            Self::Forges => "forges",
            Self::Answers => "answers",
        }
    }
}

impl fmt::Display for FlawClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// One table: the variant, its name, its class, what it is and costs, and what reveals it.
macro_rules! flaws {
    ($($variant:ident $name:literal $class:ident $about:literal $revealed_by:literal;)*) => {
        /// A bug that real receivers have, which this one has on purpose. All else stays sound.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum Flaw {
            $(
                #[doc = $about]
                #[serde(rename = $name)]
                $variant,
            )*
        }

        impl Flaw {
            /// Every flaw, in the order in which they are listed to users.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it costs a game.
            pub fn class(self) -> FlawClass {
                match self { $(Self::$variant => FlawClass::$class,)* }
            }

            /// One sentence: what the bug is, and what it costs a game.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }

            /// What a test must do to see it, and what it then sees.
            pub fn revealed_by(self) -> &'static str {
                match self { $(Self::$variant => $revealed_by,)* }
            }
        }
    };
}

flaws! {
    // Who sent it.
    SignatureNotChecked "signature_not_checked" Forges
        "The signature is never looked at: whoever finds the URL grants themselves what they like."
        "Any forgery of the signature or the body with a fresh timestamp is answered 200 and granted.";
    SignatureFormOnly "signature_form_only" Forges
        "Of the signature only the form is looked at: any 64 hex digits pass, as where a check is mocked in tests and the mock is shipped."
        "The forgeries `wrong_secret`, `tampered_body`, `swapped_timestamp`, `body_only_signature` and `wrong_algorithm` are answered 200 and granted; a signature that is missing or malformed is refused.";
    KnownKeyNotVerified "known_key_not_verified" Answers
        "The idempotency key is looked up before the signature is checked: a forgery of an event that was granted is answered like a redelivery, so anyone can ask which events were."
        "Any forgery of an event that was delivered before is answered 200; of a new event it is refused.";
    KeyBeforeVerification "key_before_verification" Loses
        "The idempotency key is written down before the signature is checked: after a refused forgery the genuine delivery is taken for a redelivery, and nothing is granted."
        "A forgery is refused, and the genuine delivery of the same event after it is answered 200 and not granted.";
    BodyReserialised "body_reserialised" Loses
        "The signature is checked over `JSON.stringify(JSON.parse(body))` in place of the bytes that came: an event whose text comes out differently is refused for ever."
        "An event with a quantity above 2^53, a number such as `20.0`, white space, a needless escape or digits for keys is answered 403; plain compact events pass.";
    TimestampNotSigned "timestamp_not_signed" Forges
        "A signature of the body alone counts as well as one of timestamp and body, left over from an older scheme: such a signature never expires, since any fresh timestamp can be put beside it."
        "The forgery `body_only_signature` is answered 200 and granted.";
    NeighbouringTimestampTried "neighbouring_timestamp_tried" Answers
        "To forgive clocks that differ, the signature is also tried with timestamps up to two seconds from the header's: the header is not what was signed."
        "The forgery `swapped_timestamp` is answered 200.";
    EventTimeSigned "event_time_signed" Loses
        "The signature is checked with the body's `event_time` in place of the timestamp header, since the two are equal in the example: every retry and every late delivery is refused."
        "An event whose `event_time` is not the second in which it is signed is answered 403; the forgery `swapped_timestamp` passes where it is.";
    SeenSignatureRefused "seen_signature_refused" Answers
        "A signature that was seen before is refused as a replay, though nothing was granted: where a sender repeats the first signature in its retries, of which no public source speaks, a coupon whose first attempt failed is lost."
        "The second delivery with the same timestamp and body is answered 403.";
    FreshnessNotChecked "freshness_not_checked" Answers
        "The timestamp's distance from the clock is not looked at: a recorded delivery can be replayed at any time, and only the idempotency key stands in its way."
        "The forgeries `stale_timestamp` and `future_timestamp` are answered 200.";
    FutureTimestampAccepted "future_timestamp_accepted" Answers
        "`now - timestamp > tolerance` is all that is asked: a timestamp of the future passes and stays replayable until it has come."
        "The forgery `future_timestamp` is answered 200, and `stale_timestamp` is refused.";
    FreshnessByEventTime "freshness_by_event_time" Loses
        "Freshness is judged by the body's `event_time` in place of the timestamp header: a delivery that is retried after an outage is refused for ever, and an old signature of a recent event passes."
        "An event with an `event_time` of an hour ago, signed now, is answered 403 and not granted.";
    SignatureCaseMismatch "signature_case_mismatch" Loses
        "The computed signature is in upper case and compared with the header as it came: every genuine delivery is refused."
        "Any genuine delivery is answered 403.";
    PrefixCompare "prefix_compare" Forges
        "Only as many characters are compared as the header has: an empty signature, or any first part of the right one, passes."
        "The forgeries `empty_signature` and `truncated_signature` are answered 200 and granted.";
    MissingHeaderPasses "missing_header_passes" Forges
        "Nothing is verified where the signature or the timestamp header is missing: whoever leaves it out is let in."
        "The forgeries `missing_signature` and `missing_timestamp` are answered 200 and granted.";
    ExpiredSecretAccepted "expired_secret_accepted" Forges
        "The secret before the present one still counts, though it was replaced: whoever it leaked to goes on granting."
        "The forgery `expired_secret`, with the expired secret known to both sides, is answered 200 and granted.";
    UnkeyedHashAccepted "unkeyed_hash_accepted" Forges
        "A plain SHA-256 of timestamp and body counts as a signature: anyone can compute it."
        "The forgery `wrong_algorithm` is answered 200 and granted.";
    SignaturePrefixStripped "signature_prefix_stripped" Answers
        "`sha256=` is cut off before the comparison, as in handlers copied from another vendor's guide: what Aghanim never sends is taken for genuine."
        "The forgery `prefixed_signature` is answered 200.";
    AnySignatureCounts "any_signature_counts" Answers
        "Of several signature headers any one may be right: a proxy or a log that reads another of them sees a delivery that was never checked."
        "The forgery `two_signatures` is answered 200.";
    GarbageSignatureCrashes "garbage_signature_crashes" Answers
        "A signature that is no hex breaks the handler: forgeries raise alarms as if the game were down, and a sender would try again."
        "The forgery `garbage_signature` is answered 500.";

    // How it is read.
    FirstPieceOnly "first_piece_only" Loses
        "What one read of the socket returns is taken for the whole body: a body that comes in several pieces is cut, and its signature does not match."
        "With the fault `slow_body` a genuine delivery is answered 403 and not granted; so is one whose last byte comes apart from the rest.";
    CutBodyLeavesLock "cut_body_leaves_lock" Loses
        "The player is locked as soon as their ID has been read, and unlocked at the end: a body that breaks off leaves the lock, and the player's deliveries are answered 503 from then on."
        "After the fault `cut_body` every retry is answered 503, and nothing is granted.";

    // What it says.
    EventTypeNotChecked "event_type_not_checked" Forges
        "`event_type` is not looked at: any event that has an item in it is granted."
        "An event of another type is answered 200 and granted.";
    OnlyHubRedeemGranted "only_hub_redeem_granted" Loses
        "Whatever does not have the trigger `hub.redeem` is taken for a test: a coupon whose trigger is null is answered 200 and dropped."
        "An event with `trigger: null` is answered 200, and its player holds nothing.";
    NullDescriptionCrashes "null_description_crashes" Loses
        "The handler works on an item's description without asking whether it is null: such an event fails at every attempt."
        "An event whose item, or an item nested in it, has `description: null` is answered 500.";
    AbsentFallbackCrashes "absent_fallback_crashes" Loses
        "The handler takes `fallback_item` to be there always: an event without that key fails at every attempt."
        "An event whose item has no `fallback_item` key is answered 500; with `fallback_item: null` it is granted.";
    NullContextCrashes "null_context_crashes" Loses
        "The handler looks into `context` without asking whether it is null: such an event fails at every attempt."
        "An event with `context: null`, or without that key, is answered 500; with a context it is granted.";
    UnknownKeyRefused "unknown_key_refused" Loses
        "A key that the schema does not name is an error: every event is refused from the day on which Aghanim adds one, as it did with `items`."
        "An event with an extra key anywhere, or with `items`, is answered 422.";
    NonAsciiMangled "non_ascii_mangled" Loses
        "The body is decoded as Latin-1 in place of UTF-8: what a player whose ID has other letters should get is put under an ID that nobody has."
        "An event whose player ID or SKU is not ASCII is answered 200, and its player holds nothing.";
    Quantity32Bit "quantity_32_bit" Loses
        "A quantity is kept in 32 bits and wraps: of 2^32 + 5 a player gets 5."
        "An event with a quantity from 2^32 up is answered 200 and granted modulo 2^32.";
    QuantityFloat "quantity_float" Loses
        "A quantity goes through a single-precision float, as in a column of type FLOAT: above 2^24 a player gets a little less or more."
        "An event with the quantity 2^24 + 1 is answered 200, and 2^24 is granted.";

    // What it stands for.
    SandboxGranted "sandbox_granted" Forges
        "Sandbox events are granted as live ones: who may try things out in the sandbox gets real items."
        "An event with `sandbox: true` changes what its player holds, where the policy is `sandbox: ignore`.";
    TestGranted "test_granted" Forges
        "Events of \"Send test event\" are granted as live ones: each click in the dashboard gives real items."
        "An event with `trigger: test` changes what its player holds, where the policy is `test: ignore`.";
    BundleGrantedTwice "bundle_granted_twice" Doubles
        "A bundle is granted by its own SKU and what is in it as well: the game unpacks the first and the player has all of it twice."
        "After a bundle the player holds its own SKU and its nested ones.";
    FirstLevelOnly "first_level_only" Loses
        "Only the first level of nested items is gone through: a bundle in a bundle is granted by its own SKU, which opens to nothing."
        "After a bundle in a bundle the player holds the inner bundle's SKU, and nothing of what is in it.";
    NestedQuantityIgnored "nested_quantity_ignored" Loses
        "Of every nested item one is granted, whatever its quantity."
        "After a bundle with a nested quantity above 1 the player holds 1 of it.";
    FallbackGrantedToo "fallback_granted_too" Doubles
        "The fallback item is granted though the main item could be: the player gets both."
        "After an event with a `fallback_item` the player holds both SKUs.";

    // Once.
    DedupeMissing "dedupe_missing" Doubles
        "Every delivery is granted: a retry after a lost answer grants the coupon again."
        "The same event delivered twice is granted twice.";
    DedupeByEventId "dedupe_by_event_id" Doubles
        "Deliveries are told apart by `event_id` in place of `idempotency_key`: a retry that carries a new event ID is granted again."
        "Two events with one `idempotency_key` and two `event_id`s are both granted.";
    DedupeBySignature "dedupe_by_signature" Doubles
        "Deliveries are told apart by their signature in place of `idempotency_key`: a retry that is signed afresh in another second is granted again."
        "The same event with another, fresh timestamp is granted twice, as by the fault `late_retry` with a short policy.";
    DedupeByTransactionId "dedupe_by_transaction_id" Loses
        "Deliveries are told apart by `transaction_id`: the second event of a transaction is taken for a retry of the first and lost."
        "Of two events with one `transaction_id` only the first is granted, and both are answered 200.";
    DedupeByCouponCode "dedupe_by_coupon_code" Loses
        "Deliveries are told apart by the coupon's code: of all players who redeem one code only the first gets something."
        "Of two players' events with one `coupon.code` only the first is granted, and both are answered 200.";
    DedupeInMemory "dedupe_in_memory" Doubles
        "The idempotency keys are kept in memory: a retry after a restart is granted again."
        "The same event delivered before and after a restart on the same store (or `POST /debug/restart`) is granted twice.";
    LastKeyOnly "last_key_only" Doubles
        "Of each player only the last key is kept, in a column of the player's row: a retry that comes after another coupon is granted again."
        "An event that is delivered again after another one of the same player is granted twice, as with the fault `out_of_order`.";
    CheckThenInsertRace "check_then_insert_race" Doubles
        "Whether the key is new is asked in one transaction and the grant written in another, with no unique key: simultaneous deliveries all find it new."
        "The same event delivered several times at the same moment is granted more than once; one after the other it never is.";
    KeyWrittenLast "key_written_last" Doubles
        "The key is written when all is done, after a grant that takes its time: a retry that comes meanwhile finds no key and is granted again."
        "With the fault `timeout_overlap`, or several deliveries at the same moment, the event is granted more than once; one after the other it never is.";
    StoppedByHangup "stopped_by_hangup" Doubles
        "The handler is stopped when its sender hangs up, as some servers do: between the grant and the key this leaves a grant that the retry makes again."
        "With the fault `reset` the event is granted twice.";
    LostUpdate "lost_update" Loses
        "What a player holds is read, added to, and written back whole: of two coupons that overlap one is lost."
        "Of several events of one player at the same moment not all are granted, and all are answered 200.";
    GrantBeforeKey "grant_before_key" Doubles
        "The grant is committed, and then the key in a transaction of its own: a crash or an error in between leaves a grant that the retry makes again."
        "A delivery that fails half-way (a script of 503, or `--crash-after` and a restart on the same store) and its retry are both granted.";
    KeyBeforeGrant "key_before_grant" Loses
        "The key is committed, and then the grant in a transaction of its own: after a crash or an error in between the retry is taken for done, and nothing was granted."
        "After a delivery that fails half-way (a script of 503, or `--crash-after` and a restart on the same store) the retry is answered 200 and nothing is granted.";

    // What goes back.
    ForgeryAnswered500 "forgery_answered_500" Answers
        "A forgery is answered 500 in place of 403: it looks like an outage, and invites to try again."
        "Any forgery is answered 500; it grants nothing.";
    ForgeryAnswered200 "forgery_answered_200" Answers
        "A forgery is answered 200 with the error in the body: a sender with a wrong secret believes that all is delivered."
        "Any forgery is answered 200; it grants nothing.";
    RedeliveryAnswered409 "redelivery_answered_409" Answers
        "A redelivery is answered 409: the sender takes a coupon that was granted for refused."
        "The second delivery of an event is answered 409; it is granted once.";
    RedeliveryAnswered500 "redelivery_answered_500" Answers
        "A redelivery runs into the unique key and is answered 500: the sender tries again until it gives up."
        "The second delivery of an event is answered 500; it is granted once.";
    RedeliveryAnsweredOtherwise "redelivery_answered_otherwise" Answers
        "A redelivery is answered 200 with another body than the first delivery: a sender that compares, or an operator who reads the log, sees two outcomes of one event."
        "The second delivery of an event is answered 200 with `duplicate` in its body; it is granted once.";
    OverlapRefused "overlap_refused" Answers
        "A delivery whose key is worked on at that moment is answered 409 in place of the outcome: a sender that gave up on the first takes the coupon for refused."
        "With the fault `timeout_overlap` the retry is answered 409; the event is granted once.";
    EarlyAnswer "early_answer" Loses
        "200 is answered once the signature is right, and the work is done after that: where it then fails, nobody tries again."
        "A delivery that fails (a script of 503, or an item that can't be granted) is answered 200 and not granted.";
    SlowAnswer "slow_answer" Answers
        "The grant is done but the answer comes after the sender's timeout: every delivery is retried until the sender gives up."
        "Every attempt runs into the timeout; the event is granted once.";
    LoginRedirect "login_redirect" Loses
        "The endpoint lies behind the site's login, which redirects to its page: no event ever gets to the handler."
        "Every delivery is answered 302 with a `Location`, and nothing is granted.";
}

impl Flaw {
    /// The flaw of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flaw| flaw.name() == name)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
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
                assert!(!text.contains('|'), "{flaw}: would break a table");
            }
        }
    }
}
