//! Every mistake must be recognized in signatures made with Python's `hmac` and `json` (see
//! `vectors.py`).

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// A signature made with Python and the mistakes in it.
#[derive(Deserialize)]
struct Vector {
    mistakes: Vec<String>,
    secret: String,
    others: Vec<String>,
    timestamp: Option<String>,
    signature: Option<String>,
    body: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors.json")).expect("vectors")
}

fn secret(text: &str) -> Secret {
    Secret::new(text).expect("not empty")
}

impl Vector {
    fn diagnose(&self) -> Diagnosis {
        let received = Received {
            signature: self.signature.as_deref().map(str::as_bytes),
            timestamp: self.timestamp.as_deref().map(str::as_bytes),
            body: &STANDARD.decode(&self.body).expect("base64"),
        };
        let others: Vec<Secret> = self.others.iter().map(|text| secret(text)).collect();
        diagnose(&received, &secret(&self.secret), &others)
    }
}

/// The verdict in the notation of the vectors.
fn names(diagnosis: &Diagnosis) -> Vec<String> {
    match &diagnosis.verdict {
        SignatureVerdict::Matches => Vec::new(),
        SignatureVerdict::Mistaken(mistakes) => mistakes
            .iter()
            .map(|mistake| mistake.name.to_string())
            .collect(),
        SignatureVerdict::Unexplained => vec!["?".to_owned()],
    }
}

#[test]
fn every_mistake_is_recognized_and_no_secret_is_revealed() {
    for vector in vectors() {
        let diagnosis = vector.diagnose();
        assert_eq!(names(&diagnosis), vector.mistakes);
        let text = format!("{diagnosis:?}");
        for secret in vector.others.iter().chain([&vector.secret]) {
            let inner = secret.trim().trim_matches(['"', '\u{feff}']);
            assert!(inner.len() < 2 || !text.contains(inner), "{text}");
        }
    }
}

#[test]
fn every_known_mistake_has_a_vector_and_is_documented() {
    let tested: BTreeSet<String> = vectors()
        .into_iter()
        .flat_map(|vector| vector.mistakes)
        .collect();
    let known: BTreeSet<String> = [
        algorithm::NAMES,
        body::NAMES,
        charset::NAMES,
        key::NAMES,
        layout::NAMES,
        notation::NAMES,
        timestamp::NAMES,
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect();
    let untested: Vec<_> = known.difference(&tested).collect();
    assert!(untested.is_empty(), "{untested:?}");
    let documentation = include_str!("../../docs/verify.md");
    for name in &known {
        assert!(documentation.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_secret_that_was_used_is_reported() {
    let used: Vec<Option<usize>> = vectors()
        .iter()
        .filter(|vector| vector.mistakes.contains(&"other_secret".to_owned()))
        .map(|vector| vector.diagnose().secret)
        .collect();
    assert_eq!(used, [Some(2), Some(1), Some(1)]);
}

#[test]
fn a_large_body_limits_the_search_and_the_diagnosis_says_so() {
    let body = vec![b' '; CHANGES_LIMIT + 1];
    let received = Received {
        signature: Some(b"0000000000000000000000000000000000000000000000000000000000000000"),
        timestamp: Some(b"1725548450"),
        body: &body,
    };
    let diagnosis = diagnose(&received, &secret("s"), &[]);
    assert_eq!(diagnosis.verdict, SignatureVerdict::Unexplained);
    assert_eq!(diagnosis.not_tried.len(), 2);
    // Each changed body takes as much memory as the body.
    let target = Target::Text(b"");
    let search = Search::new(&received, &secret("s"), &[], target);
    assert_eq!(search.bodies.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_correct_signature_always_matches(
        key in "[^\0]{1,80}",
        other in "[^\0]{1,80}",
        timestamp in any::<u64>(),
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let secret = secret(&key);
        let others = [self::secret(&other)];
        let signature = Signer::new(&secret).sign(timestamp, &body).to_string();
        let timestamp = timestamp.to_string();
        let received = Received {
            signature: Some(signature.as_bytes()),
            timestamp: Some(timestamp.as_bytes()),
            body: &body,
        };
        prop_assert_eq!(diagnose(&received, &secret, &others).verdict, SignatureVerdict::Matches);
    }

    #[test]
    fn a_wrong_signature_never_matches(
        signature in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..80)),
        timestamp in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)),
        body in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let received = Received {
            signature: signature.as_deref(),
            timestamp: timestamp.as_deref(),
            body: &body,
        };
        let diagnosis = diagnose(&received, &secret("s"), &[]);
        prop_assert_ne!(diagnosis.verdict, SignatureVerdict::Matches);
    }
}
