//! Flaws in verifying the signature and its timestamp.

use aghook::internals::policy::Forgery;
use aghook::internals::receiver::Flaw;
use bytes::Bytes;
use serde_json::json;

use super::peer::{
    NOW, PLAYER, Pair, QUANTITY, ReceiverAddress, SKU, body_of, event, event_of, forged, pair,
    signed,
};

const GUESSED: [Forgery; 5] = [
    Forgery::GuessedSecret,
    Forgery::GuessedChangeme,
    Forgery::GuessedNull,
    Forgery::GuessedUndefined,
    Forgery::GuessedHeaderName,
];
const MALFORMED_TIMESTAMP: [Forgery; 5] = [
    Forgery::TimestampWord,
    Forgery::TimestampExponent,
    Forgery::TimestampNegative,
    Forgery::TimestampHuge,
    Forgery::TimestampMilliseconds,
];

/// The flawed receiver accepts and grants exactly the forgeries in `passes`; the sound one accepts
/// none.
async fn accepts_only(flaw: Flaw, passes: &[Forgery]) {
    let Pair { sound, flawed } = pair(flaw).await;
    for forgery in Forgery::ALL {
        let event = event_of(forgery.name());
        assert_eq!(status_and_grant(sound, forgery).await, (403, false));
        let (status, granted) = if passes.contains(&forgery) {
            (200, true)
        } else {
            (403, false)
        };
        let seen = status_and_grant(flawed, forgery).await;
        assert_eq!(seen, (status, granted), "{forgery}");
        // A refused forgery does not use up the idempotency key.
        if !granted {
            assert_eq!(flawed.deliver(&event).await, 200, "{forgery}");
            assert_eq!(flawed.held(forgery.name(), SKU).await, QUANTITY);
        }
    }
    assert_eq!(flawed.deliver(&event()).await, 200);
    assert_eq!(flawed.held(PLAYER, SKU).await, QUANTITY);
}

/// Sends a forgery for a new player; returns the status and whether the player got an item.
async fn status_and_grant(peer: ReceiverAddress, forgery: Forgery) -> (u16, bool) {
    let event = event_of(forgery.name());
    let reply = peer.send(forged(forgery, &event)).await.expect("answered");
    let held = peer.held(forgery.name(), SKU).await;
    (reply.status, held != "0")
}

pub(crate) async fn signature_not_checked() {
    let still_refused = [
        Forgery::MissingTimestamp,
        Forgery::StaleTimestamp,
        Forgery::FutureTimestamp,
    ];
    let mut passes = Forgery::ALL.to_vec();
    passes.retain(|forgery| {
        !still_refused.contains(forgery) && !MALFORMED_TIMESTAMP.contains(forgery)
    });
    accepts_only(Flaw::SignatureNotChecked, &passes).await;
}

pub(crate) async fn signature_form_only() {
    let mut passes = vec![
        Forgery::WrongSecret,
        Forgery::TamperedBody,
        Forgery::SwappedTimestamp,
        Forgery::BodyOnlySignature,
        Forgery::ExpiredSecret,
        Forgery::WrongAlgorithm,
        Forgery::EmptySecret,
        Forgery::BlankSecret,
    ];
    passes.extend(GUESSED);
    accepts_only(Flaw::SignatureFormOnly, &passes).await;
}

pub(crate) async fn known_key_not_verified() {
    accepts_only(Flaw::KnownKeyNotVerified, &[]).await;
    let Pair { sound, flawed } = pair(Flaw::KnownKeyNotVerified).await;
    let event = event();
    for (peer, expected) in [(sound, 403), (flawed, 200)] {
        assert_eq!(peer.deliver(&event).await, 200);
        for forgery in Forgery::ALL {
            let reply = peer.send(forged(forgery, &event)).await.expect("answered");
            assert_eq!(reply.status, expected, "{forgery}");
        }
        assert_eq!(peer.held(PLAYER, SKU).await, QUANTITY);
    }
}

pub(crate) async fn key_before_verification() {
    let Pair { sound, flawed } = pair(Flaw::KeyBeforeVerification).await;
    for (peer, held) in [(sound, QUANTITY), (flawed, "0")] {
        let event = event();
        let forged = forged(Forgery::WrongSecret, &event);
        assert_eq!(peer.send(forged).await.expect("answered").status, 403);
        assert_eq!(peer.deliver(&event).await, 200);
        assert_eq!(peer.held(PLAYER, SKU).await, held);
        // Without an earlier forgery, the event is granted.
        assert_eq!(peer.deliver(&event_of("another")).await, 200);
        assert_eq!(peer.held("another", SKU).await, QUANTITY);
    }
}

pub(crate) async fn neighbouring_timestamp_tried() {
    let passes = [Forgery::SwappedTimestamp];
    accepts_only(Flaw::NeighbouringTimestampTried, &passes).await;
}

pub(crate) async fn event_time_signed() {
    // The event time of these forgeries equals the time of signing.
    accepts_only(Flaw::EventTimeSigned, &[Forgery::SwappedTimestamp]).await;
    let Pair { sound, flawed } = pair(Flaw::EventTimeSigned).await;
    let mut late = event();
    late["event_time"] = json!(NOW - 1);
    assert_eq!(sound.deliver(&late).await, 200);
    assert_eq!(flawed.deliver(&late).await, 403);
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
}

pub(crate) async fn seen_signature_refused() {
    accepts_only(Flaw::SeenSignatureRefused, &[]).await;
    let Pair { sound, flawed } = pair(Flaw::SeenSignatureRefused).await;
    let body = body_of(&event());
    for (peer, expected) in [(sound, 200), (flawed, 403)] {
        peer.script(PLAYER, "[503]").await;
        assert_eq!(peer.deliver_body(body.clone()).await, 503);
        assert_eq!(peer.deliver_body(body.clone()).await, expected);
        // A new timestamp gives a new signature.
        let afresh = peer.send(signed(&body, NOW + 1)).await.expect("answered");
        assert_eq!(afresh.status, 200);
        assert_eq!(peer.held(PLAYER, SKU).await, QUANTITY);
    }
}

pub(crate) async fn body_reserialised() {
    accepts_only(Flaw::BodyReserialised, &[]).await;
    let Pair { sound, flawed } = pair(Flaw::BodyReserialised).await;
    let compact = event().to_string();
    let odd = [
        compact.replace("480000", "9007199254740993"),
        compact.replace("94.99", "20.0"),
        compact.replacen("{\"event_type\":", "{ \"event_type\":", 1),
        compact.replacen("Reign", "\\u0052eign", 1),
        compact.replacen("\"order\":null", "\"order\":{\"10\":1,\"9\":2}", 1),
    ];
    for body in odd {
        assert_ne!(body, compact);
        assert_eq!(sound.deliver_body(Bytes::from(body.clone())).await, 200);
        assert_eq!(flawed.deliver_body(Bytes::from(body.clone())).await, 403);
    }
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
    assert_eq!(flawed.deliver_body(Bytes::from(compact)).await, 200);
}

pub(crate) async fn timestamp_not_signed() {
    accepts_only(Flaw::TimestampNotSigned, &[Forgery::BodyOnlySignature]).await;
}

pub(crate) async fn freshness_not_checked() {
    let passes = [
        Forgery::StaleTimestamp,
        Forgery::FutureTimestamp,
        Forgery::TimestampMilliseconds,
    ];
    accepts_only(Flaw::FreshnessNotChecked, &passes).await;
}

pub(crate) async fn future_timestamp_accepted() {
    let passes = [Forgery::FutureTimestamp, Forgery::TimestampMilliseconds];
    accepts_only(Flaw::FutureTimestampAccepted, &passes).await;
}

pub(crate) async fn freshness_by_event_time() {
    // The event time of these forgeries is now, regardless of their timestamp header.
    let passes = [
        Forgery::StaleTimestamp,
        Forgery::FutureTimestamp,
        Forgery::TimestampMilliseconds,
    ];
    accepts_only(Flaw::FreshnessByEventTime, &passes).await;
    let Pair { sound, flawed } = pair(Flaw::FreshnessByEventTime).await;
    let mut late = event();
    late["event_time"] = json!(NOW - 3600);
    assert_eq!(sound.deliver(&late).await, 200);
    assert_eq!(flawed.deliver(&late).await, 403);
    assert_eq!(sound.held(PLAYER, SKU).await, QUANTITY);
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
}

pub(crate) async fn signature_case_mismatch() {
    let Pair { sound, flawed } = pair(Flaw::SignatureCaseMismatch).await;
    let event = event();
    assert_eq!(sound.deliver(&event).await, 200);
    assert_eq!(flawed.deliver(&event).await, 403);
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
    // It accepts only upper-case signatures.
    let mut upper = signed(&body_of(&event), NOW);
    let (_, signature) = &mut upper.headers[3];
    *signature = signature.to_uppercase();
    assert_eq!(flawed.send(upper).await.expect("answered").status, 200);
}

pub(crate) async fn prefix_compare() {
    let passes = [Forgery::EmptySignature, Forgery::TruncatedSignature];
    accepts_only(Flaw::PrefixCompare, &passes).await;
}

pub(crate) async fn signature_bytes_compared() {
    let passes = [
        Forgery::GarbageSignature,
        Forgery::PrefixedSignature,
        Forgery::TruncatedSignature,
    ];
    accepts_only(Flaw::SignatureBytesCompared, &passes).await;
}

pub(crate) async fn missing_header_passes() {
    let passes = [Forgery::MissingSignature, Forgery::MissingTimestamp];
    accepts_only(Flaw::MissingHeaderPasses, &passes).await;
}

pub(crate) async fn expired_secret_accepted() {
    accepts_only(Flaw::ExpiredSecretAccepted, &[Forgery::ExpiredSecret]).await;
}

pub(crate) async fn unkeyed_hash_accepted() {
    accepts_only(Flaw::UnkeyedHashAccepted, &[Forgery::WrongAlgorithm]).await;
}

pub(crate) async fn signature_prefix_stripped() {
    accepts_only(Flaw::SignaturePrefixStripped, &[Forgery::PrefixedSignature]).await;
}

pub(crate) async fn any_signature_counts() {
    accepts_only(Flaw::AnySignatureCounts, &[Forgery::TwoSignatures]).await;
}

pub(crate) async fn garbage_signature_crashes() {
    let Pair { sound, flawed } = pair(Flaw::GarbageSignatureCrashes).await;
    for forgery in Forgery::ALL {
        assert_eq!(status_and_grant(sound, forgery).await, (403, false));
        let is_not_hex = matches!(
            forgery,
            Forgery::GarbageSignature | Forgery::PrefixedSignature
        );
        let status = if is_not_hex { 500 } else { 403 };
        let seen = status_and_grant(flawed, forgery).await;
        assert_eq!(seen, (status, false), "{forgery}");
    }
    assert_eq!(flawed.deliver(&event()).await, 200);
}

pub(crate) async fn unsigned_body_crashes() {
    let Pair { sound, flawed } = pair(Flaw::UnsignedBodyCrashes).await;
    for forgery in Forgery::ALL {
        let seen = status_and_grant(flawed, forgery).await;
        assert_eq!(seen, (403, false), "{forgery}");
    }
    let forged = json!("not an event");
    for (peer, status) in [(sound, 403), (flawed, 500)] {
        let reply = peer
            .send(super::peer::forged(Forgery::WrongSecret, &forged))
            .await;
        assert_eq!(reply.expect("answered").status, status);
        assert_eq!(peer.deliver(&event()).await, 200);
    }
}

pub(crate) async fn forgeries_use_up_slots() {
    let Pair { sound, flawed } = pair(Flaw::ForgeriesUseUpSlots).await;
    for (peer, status) in [(sound, 200), (flawed, 503)] {
        for _ in 0..99 {
            let seen = status_and_grant(peer, Forgery::WrongSecret).await;
            assert_eq!(seen, (403, false));
        }
        assert_eq!(peer.deliver(&event()).await, 200);
        assert_eq!(status_and_grant(peer, Forgery::WrongSecret).await.0, 403);
        assert_eq!(peer.deliver(&event()).await, status);
    }
}

pub(crate) async fn empty_secret_accepted() {
    let passes = [Forgery::EmptySecret, Forgery::BlankSecret];
    accepts_only(Flaw::EmptySecretAccepted, &passes).await;
}

pub(crate) async fn default_secret_accepted() {
    accepts_only(Flaw::DefaultSecretAccepted, &GUESSED).await;
}

pub(crate) async fn timestamp_parsed_loosely() {
    let passes = [Forgery::TimestampWord, Forgery::TimestampExponent];
    accepts_only(Flaw::TimestampParsedLoosely, &passes).await;
}

pub(crate) async fn milliseconds_accepted() {
    let passes = [Forgery::TimestampMilliseconds];
    accepts_only(Flaw::MillisecondsAccepted, &passes).await;
}

pub(crate) async fn timestamp_crashes() {
    let Pair { flawed, .. } = pair(Flaw::TimestampCrashes).await;
    for forgery in Forgery::ALL {
        let status = if MALFORMED_TIMESTAMP.contains(&forgery) {
            500
        } else {
            403
        };
        let seen = status_and_grant(flawed, forgery).await;
        assert_eq!(seen, (status, false), "{forgery}");
    }
    assert_eq!(flawed.deliver(&event()).await, 200);
}

pub(crate) async fn clock_ahead_refused() {
    accepts_only(Flaw::ClockAheadRefused, &[]).await;
    refuses_signature_of(Flaw::ClockAheadRefused, NOW + 1, NOW).await;
}

pub(crate) async fn minute_old_refused() {
    accepts_only(Flaw::MinuteOldRefused, &[]).await;
    refuses_signature_of(Flaw::MinuteOldRefused, NOW - 60, NOW - 45).await;
}

/// Only the flawed receiver refuses a genuine delivery with the first timestamp, and not with the
/// second.
async fn refuses_signature_of(flaw: Flaw, refused: u64, accepted: u64) {
    let Pair { sound, flawed } = pair(flaw).await;
    let body = body_of(&event());
    for (peer, status, held) in [(sound, 200, QUANTITY), (flawed, 403, "0")] {
        let reply = peer.send(signed(&body, refused)).await.expect("answered");
        assert_eq!(reply.status, status);
        assert_eq!(peer.held(PLAYER, SKU).await, held);
        let reply = peer.send(signed(&body, accepted)).await.expect("answered");
        assert_eq!(reply.status, 200);
        assert_eq!(peer.held(PLAYER, SKU).await, QUANTITY);
    }
}
