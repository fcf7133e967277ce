//! Explains why a signature does not match: tries common mistakes, alone and in pairs, until one
//! reproduces the presented signature.
//!
//! Each kind of mistake has a file: the key, the timestamp, the layout of the signed message, the
//! body, the algorithm, and the notation of the signature. This file combines them. Use this module
//! only to explain a signature; [`crate::protocol::Signer::verify`] decides whether it is valid.

mod algorithm;
mod body;
mod freshness;
mod json_text;
mod key;
mod layout;
mod mistake;
mod notation;
mod python_text;
mod timestamp;

use crate::diagnose::algorithm::Algorithm;
use crate::diagnose::body::BodyVariant;
use crate::diagnose::key::KeyVariant;
use crate::diagnose::layout::MessageLayout;
use crate::diagnose::notation::PresentedSignature;
use crate::diagnose::timestamp::TimestampVariant;

use crate::protocol::{Secret, Signer};

pub use crate::diagnose::freshness::{TimestampConcern, timestamp_concern};
pub use crate::diagnose::mistake::Mistake;

/// The largest body, in bytes, for which pairs of mistakes and nearby timestamps are tried.
const PAIRS_LIMIT: usize = 64 * 1024;

/// A delivery as received.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// The value of the signature header, or `None` if it is missing.
    pub signature: Option<&'a [u8]>,
    /// The value of the timestamp header, or `None` if it is missing.
    pub timestamp: Option<&'a [u8]>,
    /// The raw body.
    pub body: &'a [u8],
}

/// The result of a diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureVerdict {
    /// The signature matches the secret, the timestamp and the body.
    Matches,
    /// The signature does not match, and these mistakes together explain it.
    Mistaken(Vec<Mistake>),
    /// The signature does not match, and no known mistake explains it.
    Unexplained,
}

/// The verdict on a signature and details of the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The verdict.
    pub verdict: SignatureVerdict,
    /// Which secret was used: 0 is the expected one, 1 the first of the others, `None` is unknown.
    pub secret: Option<usize>,
    /// How many signatures were computed for comparison.
    pub tried: usize,
    /// What was not tried because the body is too large.
    pub not_tried: Vec<&'static str>,
}

/// Finds out how a presented signature was made.
///
/// `secret` is the expected one. `others` are secrets that may have been used instead, such as an
/// expired one.
pub fn diagnose(received: &Received<'_>, secret: &Secret, others: &[Secret]) -> Diagnosis {
    if let (Some(signature), Some(timestamp)) = (received.signature, received.timestamp)
        && Signer::new(secret)
            .verify(timestamp, received.body, signature)
            .is_ok()
    {
        return Diagnosis {
            verdict: SignatureVerdict::Matches,
            secret: Some(0),
            tried: 1,
            not_tried: Vec::new(),
        };
    }
    let mut missing = Vec::new();
    if received.timestamp.is_none() {
        missing.push(timestamp::MISSING);
    }
    let presented = match notation::read(received.signature) {
        Ok(presented) => presented,
        Err(unreadable) => {
            missing.insert(0, unreadable);
            return Diagnosis {
                verdict: SignatureVerdict::Mistaken(missing),
                secret: None,
                tried: 0,
                not_tried: Vec::new(),
            };
        }
    };
    let mut search = Search::new(received, secret, others, presented);
    let found = search.run(received);
    let secret = found.as_ref().map(|found| found.secret);
    let mistakes: Vec<Mistake> = missing
        .into_iter()
        .chain(found.into_iter().flat_map(|found| found.mistakes))
        .collect();
    Diagnosis {
        verdict: if mistakes.is_empty() {
            SignatureVerdict::Unexplained
        } else {
            SignatureVerdict::Mistaken(mistakes)
        },
        secret,
        tried: search.tried,
        not_tried: search.not_tried,
    }
}

/// The mistakes that together reproduce the presented signature.
struct Explanation {
    secret: usize,
    mistakes: Vec<Mistake>,
}

/// The index of one option on every axis. 0 is the correct option.
#[derive(Clone, Copy, Default)]
struct Combination {
    key: usize,
    timestamp: usize,
    layout: usize,
    body: usize,
    algorithm: usize,
}

/// Sets the index of one axis.
type Axis = fn(&mut Combination, usize);

/// All options on every axis, and the presented signature.
struct Search {
    presented: Vec<PresentedSignature>,
    keys: Vec<KeyVariant>,
    timestamps: Vec<TimestampVariant>,
    layouts: Vec<MessageLayout>,
    bodies: Vec<BodyVariant>,
    algorithms: Vec<Algorithm>,
    message: Vec<u8>,
    tried: usize,
    not_tried: Vec<&'static str>,
}

impl Search {
    fn new(
        received: &Received<'_>,
        secret: &Secret,
        others: &[Secret],
        presented: Vec<PresentedSignature>,
    ) -> Self {
        let (bodies, not_tried) = body::variants(received.body);
        Self {
            presented,
            keys: key::variants(secret, others),
            timestamps: timestamp::variants(received.timestamp, received.body),
            layouts: layout::variants(received.body),
            bodies,
            algorithms: algorithm::variants(),
            message: Vec::new(),
            tried: 0,
            not_tried,
        }
    }

    /// The explanation with the fewest mistakes.
    fn run(&mut self, received: &Received<'_>) -> Option<Explanation> {
        let axes: [(Axis, usize); 5] = [
            (
                |combination, index| combination.key = index,
                self.keys.len(),
            ),
            (
                |combination, index| combination.timestamp = index,
                self.timestamps.len(),
            ),
            (
                |combination, index| combination.layout = index,
                self.layouts.len(),
            ),
            (
                |combination, index| combination.body = index,
                self.bodies.len(),
            ),
            (
                |combination, index| combination.algorithm = index,
                self.algorithms.len(),
            ),
        ];
        if let Some(found) = self.attempt(Combination::default()) {
            return Some(found);
        }
        for (set, count) in axes {
            for index in 1..count {
                let mut combination = Combination::default();
                set(&mut combination, index);
                if let Some(found) = self.attempt(combination) {
                    return Some(found);
                }
            }
        }
        if received.body.len() > PAIRS_LIMIT {
            self.not_tried
                .push("pairs of mistakes and nearby timestamps");
            return None;
        }
        if let Some(found) = self.nearby_timestamps(received.timestamp) {
            return Some(found);
        }
        for (nth, (set_one, count)) in axes.iter().enumerate() {
            for (set_other, other_count) in &axes[nth + 1..] {
                for index in 1..*count {
                    for other_index in 1..*other_count {
                        let mut combination = Combination::default();
                        set_one(&mut combination, index);
                        set_other(&mut combination, other_index);
                        if let Some(found) = self.attempt(combination) {
                            return Some(found);
                        }
                    }
                }
            }
        }
        None
    }

    /// Tries timestamps near the header's, with everything else correct.
    fn nearby_timestamps(&mut self, timestamp: Option<&[u8]>) -> Option<Explanation> {
        let known_timestamps = self.timestamps.len();
        for nearby in timestamp::nearby(timestamp) {
            self.timestamps.push(nearby);
            let found = self.attempt(Combination {
                timestamp: known_timestamps,
                ..Combination::default()
            });
            self.timestamps.truncate(known_timestamps);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Signs with one combination and compares the result with the presented signature.
    fn attempt(&mut self, combination: Combination) -> Option<Explanation> {
        let key = &self.keys[combination.key];
        let timestamp = &self.timestamps[combination.timestamp];
        let layout = &self.layouts[combination.layout];
        let body = &self.bodies[combination.body];
        let algorithm = &self.algorithms[combination.algorithm];
        self.message.clear();
        if !layout.write(timestamp.text.as_deref(), &body.bytes, &mut self.message) {
            return None;
        }
        self.tried += 1;
        let signature = hex::encode(algorithm.sign(key.expose_bytes(), &self.message));
        let (presented, truncated) = self
            .presented
            .iter()
            .find_map(|presented| Some((presented, presented.compare(&signature)?)))?;
        let mistakes = key
            .mistakes
            .iter()
            .chain(&timestamp.mistake)
            .chain(&layout.mistakes)
            .chain(&body.mistake)
            .chain(&algorithm.mistake)
            .chain(&presented.mistakes)
            .chain(&truncated);
        Some(Explanation {
            secret: key.secret,
            mistakes: mistakes.cloned().collect(),
        })
    }
}

#[cfg(test)]
mod tests;
