//! A sound receiver refuses every forgery, and each forgery gets past a receiver with the mistake
//! that it is for.

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
    let (signer, expired, body) = (signer("present"), signer("previous"), body());
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

/// What a receiver without mistakes takes: one well-formed signature of the present secret, and a
/// fresh timestamp.
fn is_sound(request: &SignedRequest) -> bool {
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
    fresh && fits(&signer("present"), timestamp, &request.body, signature)
}

fn fits(signer: &Signer, timestamp: &str, body: &[u8], signature: &str) -> bool {
    let verdict = signer.verify(timestamp.as_bytes(), body, signature.as_bytes());
    verdict.is_ok()
}

/// Whether a receiver with the one mistake that the forgery is for takes the request.
fn passes_the_mistake(forgery: Forgery, request: &SignedRequest) -> bool {
    let present = signer("present");
    let signatures = values(request, SIGNATURE_HEADER);
    let first = signatures.first().copied().unwrap_or_default();
    let timestamps = values(request, TIMESTAMP_HEADER);
    let timestamp = timestamps.first().copied().unwrap_or_default();
    let right = present.sign(NOW, &request.body).to_string();
    let now = NOW.to_string();
    match forgery {
        Forgery::MissingSignature => signatures.is_empty() && timestamp == now,
        Forgery::MissingTimestamp => timestamps.is_empty() && first == right,
        Forgery::EmptySignature => signatures == [""],
        Forgery::WrongSecret => first.len() == 64 && hex::decode(first).is_ok(),
        Forgery::TruncatedSignature => first.len() == 32 && right.starts_with(first),
        Forgery::GarbageSignature => first.len() == 64 && hex::decode(first).is_err(),
        Forgery::TamperedBody => fits(&present, timestamp, &body(), first),
        Forgery::SwappedTimestamp => {
            timestamp != now
                && NOW.abs_diff(timestamp.parse().expect("a number")) <= 1
                && fits(&present, &now, &request.body, first)
        }
        Forgery::BodyOnlySignature => present.sign_message(&request.body).to_string() == first,
        Forgery::StaleTimestamp => {
            fits(&present, timestamp, &request.body, first)
                && timestamp.parse::<u64>() == Ok(NOW - ONE_DAY)
        }
        Forgery::FutureTimestamp => {
            fits(&present, timestamp, &request.body, first)
                && timestamp.parse::<u64>() == Ok(NOW + ONE_DAY)
        }
        Forgery::ExpiredSecret => fits(&signer("previous"), timestamp, &request.body, first),
        Forgery::WrongAlgorithm => {
            let message = [timestamp.as_bytes(), b".", &request.body].concat();
            hex::encode(Sha256::digest(message)) == first
        }
        Forgery::PrefixedSignature => first.strip_prefix("sha256=") == Some(right.as_str()),
        Forgery::TwoSignatures => {
            signatures.len() == 2 && signatures[0].len() == 64 && signatures[1] == right
        }
    }
}

#[test]
fn the_genuine_delivery_is_sound() {
    let (signer, body) = (signer("present"), body());
    let request = sign(&ForgeInput {
        host: "127.0.0.1:8080",
        body: &body,
        timestamp: NOW,
        signer: &signer,
        expired: None,
    });
    assert!(is_sound(&request));
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
fn an_expired_secret_that_is_not_given_is_made_up() {
    let (signer, body) = (signer("present"), body());
    let input = ForgeInput {
        host: "127.0.0.1:8080",
        body: &body,
        timestamp: NOW,
        signer: &signer,
        expired: None,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let request = forge(Forgery::ExpiredSecret, &input, &mut rng);
    assert!(!is_sound(&request) && values(&request, SIGNATURE_HEADER)[0].len() == 64);
}

#[test]
fn the_edges_of_time_are_survived() {
    let (signer, body) = (signer("present"), body());
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
    fn every_forgery_is_unsound_and_finds_its_mistake(seed: u64) {
        for forgery in Forgery::ALL {
            let request = forged(forgery, seed);
            prop_assert!(!is_sound(&request), "{} is sound", forgery);
            prop_assert!(passes_the_mistake(forgery, &request), "{}: {:?}", forgery, request);
            prop_assert_eq!(forged(forgery, seed), request, "{} is not repeatable", forgery);
        }
    }
}
