//! A sound receiver refuses every forgery. A receiver with the mistake that a forgery targets
//! accepts that forgery.

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;

const NOW: u64 = 1_725_548_450;
const TOLERANCE: u64 = 300;

fn signer(secret: &str) -> Signer {
    Signer::new(&Secret::new(secret).expect("not empty"))
}

fn body() -> Bytes {
    Bytes::from_static(br#"{"event_data":{"item":{"quantity":480000}}}"#)
}

fn forged(forgery: Forgery, seed: u64) -> SignedRequest {
    let (signer, expired, body) = (signer("current"), signer("previous"), body());
    let input = ForgeInput {
        host: "127.0.0.1:8080",
        body: &body,
        timestamp: NOW,
        signer: &signer,
        expired: Some(&expired),
    };
    forge(forgery, &input, &mut ChaCha8Rng::seed_from_u64(seed))
}

fn values<'a>(request: &'a SignedRequest, name: &str) -> Vec<&'a str> {
    let headers = request.headers.iter();
    let named = headers.filter(|(other, _)| *other == name);
    named.map(|(_, value)| value.as_str()).collect()
}

/// Whether a sound receiver accepts the request: it has exactly one signature, valid for the
/// current secret, and a fresh timestamp.
fn is_genuine(request: &SignedRequest) -> bool {
    let (signatures, timestamps) = (
        values(request, SIGNATURE_HEADER),
        values(request, TIMESTAMP_HEADER),
    );
    let ([signature], [timestamp]) = (signatures.as_slice(), timestamps.as_slice()) else {
        return false;
    };
    let fresh = timestamp
        .parse::<u64>()
        .is_ok_and(|timestamp| timestamp.abs_diff(NOW) <= TOLERANCE);
    fresh && verifies(&signer("current"), timestamp, &request.body, signature)
}

fn verifies(signer: &Signer, timestamp: &str, body: &[u8], signature: &str) -> bool {
    signer
        .verify(timestamp.as_bytes(), body, signature.as_bytes())
        .is_ok()
}

/// Whether a receiver with exactly the mistake that the forgery targets accepts the request.
fn exploits_the_mistake(forgery: Forgery, request: &SignedRequest) -> bool {
    let current = signer("current");
    let signatures = values(request, SIGNATURE_HEADER);
    let first = signatures.first().copied().unwrap_or_default();
    let timestamps = values(request, TIMESTAMP_HEADER);
    let timestamp = timestamps.first().copied().unwrap_or_default();
    let correct = current.sign(NOW, &request.body).to_string();
    let now = NOW.to_string();
    if let Some(guess) = forgery.guessed_secret() {
        let guess = Signer::from_key(guess.as_bytes());
        return timestamp == now && verifies(&guess, timestamp, &request.body, first);
    }
    let has_timestamp =
        |text: &str| timestamp == text && verifies(&current, timestamp, &request.body, first);
    match forgery {
        Forgery::MissingSignature => signatures.is_empty() && timestamp == now,
        Forgery::MissingTimestamp => timestamps.is_empty() && first == correct,
        Forgery::EmptySignature => signatures == [""],
        Forgery::WrongSecret => first.len() == 64 && hex::decode(first).is_ok(),
        Forgery::TruncatedSignature => first.len() == 32 && correct.starts_with(first),
        Forgery::GarbageSignature => first.len() == 64 && hex::decode(first).is_err(),
        Forgery::TamperedBody => verifies(&current, timestamp, &body(), first),
        Forgery::SwappedTimestamp => {
            timestamp != now
                && NOW.abs_diff(timestamp.parse().expect("a number")) <= 1
                && verifies(&current, &now, &request.body, first)
        }
        Forgery::BodyOnlySignature => current.sign_message(&request.body).to_string() == first,
        Forgery::StaleTimestamp => {
            verifies(&current, timestamp, &request.body, first)
                && timestamp.parse::<u64>() == Ok(NOW - ONE_DAY)
        }
        Forgery::FutureTimestamp => {
            verifies(&current, timestamp, &request.body, first)
                && timestamp.parse::<u64>() == Ok(NOW + ONE_DAY)
        }
        Forgery::ExpiredSecret => verifies(&signer("previous"), timestamp, &request.body, first),
        Forgery::WrongAlgorithm => {
            let message = [timestamp.as_bytes(), b".", &request.body].concat();
            hex::encode(Sha256::digest(message)) == first
        }
        Forgery::PrefixedSignature => first.strip_prefix("sha256=") == Some(correct.as_str()),
        Forgery::TwoSignatures => {
            signatures.len() == 2 && signatures[0].len() == 64 && signatures[1] == correct
        }
        Forgery::TimestampWord => has_timestamp("abc"),
        Forgery::TimestampExponent => has_timestamp("1725548450e0"),
        Forgery::TimestampNegative => has_timestamp("-1"),
        Forgery::TimestampHuge => has_timestamp(&"9".repeat(400)),
        Forgery::TimestampMilliseconds => has_timestamp("1725548450000"),
        _ => false,
    }
}

#[test]
fn the_genuine_delivery_passes() {
    let (signer, body) = (signer("current"), body());
    let request = sign(&ForgeInput {
        host: "127.0.0.1:8080",
        body: &body,
        timestamp: NOW,
        signer: &signer,
        expired: None,
    });
    assert!(is_genuine(&request));
    let names: Vec<_> = request.headers.iter().map(|(name, _)| *name).collect();
    let order = [
        "Content-Type",
        "Host",
        "User-Agent",
        SIGNATURE_HEADER,
        TIMESTAMP_HEADER,
    ];
    assert_eq!(names, order);
}

#[test]
fn without_a_previous_secret_a_random_one_is_used() {
    let (signer, body) = (signer("current"), body());
    let input = ForgeInput {
        host: "127.0.0.1:8080",
        body: &body,
        timestamp: NOW,
        signer: &signer,
        expired: None,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let request = forge(Forgery::ExpiredSecret, &input, &mut rng);
    assert!(!is_genuine(&request) && values(&request, SIGNATURE_HEADER)[0].len() == 64);
}

#[test]
fn extreme_timestamps_do_not_panic() {
    let (signer, body) = (signer("current"), body());
    for timestamp in [0, u64::MAX] {
        for forgery in Forgery::ALL {
            let input = ForgeInput {
                host: "127.0.0.1",
                body: &body,
                timestamp,
                signer: &signer,
                expired: None,
            };
            forge(forgery, &input, &mut ChaCha8Rng::seed_from_u64(1));
        }
    }
}

proptest! {
    #[test]
    fn a_sound_receiver_refuses_every_forgery_and_its_mistake_accepts_it(seed: u64) {
        for forgery in Forgery::ALL {
            let request = forged(forgery, seed);
            prop_assert!(!is_genuine(&request), "{} passes as genuine", forgery);
            prop_assert!(exploits_the_mistake(forgery, &request), "{}: {:?}", forgery, request);
            prop_assert_eq!(forged(forgery, seed), request, "{} is not repeatable", forgery);
        }
    }
}
