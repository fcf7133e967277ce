//! Why a signature does not match: the usual mistakes are made again, one by one and in pairs,
//! until one of them gives the signature that was presented.
//!
//! Each kind of mistake has a file: the key, the timestamp, the layout of the message, the body,
//! the algorithm, and the way in which the signature is written. This file puts them together.
//! It explains signatures and must never decide on one: [`super::Signer::verify`] does that.

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

use algorithm::Algorithm;
use body::BodyVariant;
use key::Key;
use layout::Layout;
use notation::Presented;
use timestamp::Stamp;

use super::{Secret, Signer};

pub use freshness::{TimestampConcern, timestamp_concern};
pub use mistake::Mistake;

/// The longest body, in bytes, on which pairs of mistakes and nearby timestamps are tried.
const PAIRS_LIMIT: usize = 64 * 1024;

/// What reached the receiver.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// The signature header's value; `None` where the header is missing.
    pub signature: Option<&'a [u8]>,
    /// The timestamp header's value; `None` where the header is missing.
    pub timestamp: Option<&'a [u8]>,
    /// The raw body.
    pub body: &'a [u8],
}

/// What a signature turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is the signature of this secret, timestamp and body.
    Matches,
    /// It is not, and these mistakes together explain it.
    Mistaken(Vec<Mistake>),
    /// It is not, and none of the known mistakes explains it.
    Unexplained,
}

/// The verdict on a signature, and how it was come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What the signature turned out to be.
    pub verdict: Verdict,
    /// Which secret fits: 0 is the expected one, 1 the first of the others. `None` where none does.
    pub secret: Option<usize>,
    /// How many signatures were computed for comparison.
    pub tried: usize,
    /// What was not tried because the body is too long for it.
    pub left_out: Vec<&'static str>,
}

/// Finds out what a presented signature is made of.
///
/// `secret` is the one that should have been used; `others` are secrets that may have been used
/// in its place, such as an expired one.
pub fn diagnose(received: &Received<'_>, secret: &Secret, others: &[Secret]) -> Diagnosis {
    if let (Some(signature), Some(timestamp)) = (received.signature, received.timestamp)
        && Signer::new(secret)
            .verify(timestamp, received.body, signature)
            .is_ok()
    {
        return Diagnosis {
            verdict: Verdict::Matches,
            secret: Some(0),
            tried: 1,
            left_out: Vec::new(),
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
                verdict: Verdict::Mistaken(missing),
                secret: None,
                tried: 0,
                left_out: Vec::new(),
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
            Verdict::Unexplained
        } else {
            Verdict::Mistaken(mistakes)
        },
        secret,
        tried: search.tried,
        left_out: search.left_out,
    }
}

/// An explanation: the mistakes that together give the presented signature.
struct Found {
    secret: usize,
    mistakes: Vec<Mistake>,
}

/// One choice on every axis, by index; 0 is the right way on each.
#[derive(Clone, Copy, Default)]
struct Choice {
    key: usize,
    stamp: usize,
    layout: usize,
    body: usize,
    algorithm: usize,
}

/// Sets one axis of a choice.
type Axis = fn(&mut Choice, usize);

/// Every way of every axis, and the signature that is looked for.
struct Search {
    presented: Vec<Presented>,
    keys: Vec<Key>,
    stamps: Vec<Stamp>,
    layouts: Vec<Layout>,
    bodies: Vec<BodyVariant>,
    algorithms: Vec<Algorithm>,
    message: Vec<u8>,
    tried: usize,
    left_out: Vec<&'static str>,
}

impl Search {
    fn new(
        received: &Received<'_>,
        secret: &Secret,
        others: &[Secret],
        presented: Vec<Presented>,
    ) -> Self {
        let (bodies, left_out) = body::variants(received.body);
        Self {
            presented,
            keys: key::variants(secret, others),
            stamps: timestamp::variants(received.timestamp, received.body),
            layouts: layout::variants(received.body),
            bodies,
            algorithms: algorithm::variants(),
            message: Vec::new(),
            tried: 0,
            left_out,
        }
    }

    /// The explanation with the fewest mistakes.
    fn run(&mut self, received: &Received<'_>) -> Option<Found> {
        let axes: [(Axis, usize); 5] = [
            (|choice, way| choice.key = way, self.keys.len()),
            (|choice, way| choice.stamp = way, self.stamps.len()),
            (|choice, way| choice.layout = way, self.layouts.len()),
            (|choice, way| choice.body = way, self.bodies.len()),
            (|choice, way| choice.algorithm = way, self.algorithms.len()),
        ];
        if let Some(found) = self.attempt(Choice::default()) {
            return Some(found);
        }
        for (set, ways) in axes {
            for way in 1..ways {
                let mut choice = Choice::default();
                set(&mut choice, way);
                if let Some(found) = self.attempt(choice) {
                    return Some(found);
                }
            }
        }
        if received.body.len() > PAIRS_LIMIT {
            self.left_out
                .push("pairs of mistakes and nearby timestamps");
            return None;
        }
        if let Some(found) = self.nearby_timestamps(received.timestamp) {
            return Some(found);
        }
        for (nth, (set_one, ways)) in axes.iter().enumerate() {
            for (set_other, other_ways) in &axes[nth + 1..] {
                for way in 1..*ways {
                    for other_way in 1..*other_ways {
                        let mut choice = Choice::default();
                        set_one(&mut choice, way);
                        set_other(&mut choice, other_way);
                        if let Some(found) = self.attempt(choice) {
                            return Some(found);
                        }
                    }
                }
            }
        }
        None
    }

    /// Timestamps that can't be told from the header alone, with everything else right.
    fn nearby_timestamps(&mut self, timestamp: Option<&[u8]>) -> Option<Found> {
        let right_way = self.stamps.len();
        for stamp in timestamp::nearby(timestamp) {
            self.stamps.push(stamp);
            let found = self.attempt(Choice {
                stamp: right_way,
                ..Choice::default()
            });
            self.stamps.truncate(right_way);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Signs in one way and compares with what was presented.
    fn attempt(&mut self, choice: Choice) -> Option<Found> {
        let key = &self.keys[choice.key];
        let stamp = &self.stamps[choice.stamp];
        let layout = &self.layouts[choice.layout];
        let body = &self.bodies[choice.body];
        let algorithm = &self.algorithms[choice.algorithm];
        self.message.clear();
        if !layout.write(stamp.text.as_deref(), &body.bytes, &mut self.message) {
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
            .chain(&stamp.mistake)
            .chain(&layout.mistakes)
            .chain(&body.mistake)
            .chain(&algorithm.mistake)
            .chain(&presented.mistakes)
            .chain(&truncated);
        Some(Found {
            secret: key.secret,
            mistakes: mistakes.cloned().collect(),
        })
    }
}

#[cfg(test)]
mod tests;
