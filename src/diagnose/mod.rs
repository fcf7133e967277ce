//! Explains why a genuine delivery is refused: a signature that does not match, or a mistake in the
//! set-up that the response shows ([`SetupMistake`]).
//!
//! For a signature, it tries common mistakes, alone and in pairs, until one reproduces the presented
//! signature, or the text that was signed ([`compare_signed_text`]).
//! Each kind of mistake has a file with its table of mistakes: the key, the timestamp, the layout of
//! the signed message, the body, the algorithm, and the notation of the signature. This file combines
//! them. Use this module only to explain a signature; [`crate::protocol::Signer::verify`] decides
//! whether it is valid.

mod algorithm;
mod body;
mod charset;
mod freshness;
mod json_text;
mod key;
mod layout;
mod mistake;
mod notation;
mod python_text;
mod refusal;
mod setup_mistake;
mod signed_text;
mod timestamp;

use crate::protocol::{Secret, Signer};

use algorithm::Algorithm;
use key::Key;
use layout::MessagePart;
use mistake::Candidate;
use notation::PresentedSignature;
use timestamp::TimestampText;

pub(crate) use freshness::{TimestampConcern, timestamp_concern};
pub(crate) use mistake::Mistake;
pub(crate) use refusal::{MARK_BUNDLES, token_help};
pub(crate) use setup_mistake::{ResponseText, SetupMistake, html_title};
pub(crate) use signed_text::{Excerpt, SignedText, compare_signed_text};

/// The largest body, in bytes, for which pairs of mistakes and nearby timestamps are tried.
const PAIRS_LIMIT: usize = 64 * 1024;
/// The largest body, in bytes, that is parsed and changed. Dozens of changed bodies are held at a time.
const CHANGES_LIMIT: usize = 256 * 1024;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Received<'a> {
    pub signature: Option<&'a [u8]>,
    pub timestamp: Option<&'a [u8]>,
    pub body: &'a [u8],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignatureVerdict {
    Matches,
    /// The signature does not match, and these mistakes together explain it.
    Mistaken(Vec<Mistake>),
    Unexplained,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub verdict: SignatureVerdict,
    /// Which secret was used: 0 is the expected one, 1 the first of the others, `None` is unknown.
    pub secret: Option<usize>,
    pub tried: usize,
    /// What was not tried because the body is too large.
    pub not_tried: Vec<&'static str>,
}

/// Finds out how a presented signature was made.
///
/// `secret` is the expected one. `others` are secrets that may have been used instead, such as an
/// expired one.
pub(crate) fn diagnose(received: &Received<'_>, secret: &Secret, others: &[Secret]) -> Diagnosis {
    let mut diagnosis = Diagnosis {
        verdict: SignatureVerdict::Matches,
        secret: Some(0),
        tried: 1,
        not_tried: Vec::new(),
    };
    if let (Some(signature), Some(timestamp)) = (received.signature, received.timestamp)
        && Signer::new(secret)
            .verify(timestamp, received.body, signature)
            .is_ok()
    {
        return diagnosis;
    }
    let missing = received.timestamp.is_none().then_some(timestamp::MISSING);
    let mut mistakes: Vec<Mistake> = missing.into_iter().collect();
    (diagnosis.secret, diagnosis.tried) = (None, 0);
    match notation::read(received.signature) {
        Err(unreadable) => mistakes.insert(0, unreadable),
        Ok(presented) => {
            let target = Target::Signatures(presented);
            let mut search = Search::new(received, secret, others, target);
            if let Some(found) = search.run(received) {
                diagnosis.secret = Some(found.secret);
                mistakes.extend(found.mistakes);
            }
            diagnosis.tried = search.tried;
            diagnosis.not_tried = search.not_tried;
        }
    }
    diagnosis.verdict = if mistakes.is_empty() {
        SignatureVerdict::Unexplained
    } else {
        SignatureVerdict::Mistaken(mistakes)
    };
    diagnosis
}

/// The signers of a receiver that reads the secret wrongly, or has one of the `others`, each with the
/// mistake.
pub(crate) fn mistaken_signers(secret: &Secret, others: &[Secret]) -> Vec<(Signer, Mistake)> {
    let candidates = key::candidates(secret, others).0.into_iter().skip(1);
    let signers = candidates.filter_map(|candidate| {
        let mistake = candidate.mistakes.into_iter().next()?;
        Some((Signer::from_key(candidate.value.expose_bytes()), mistake))
    });
    signers.collect()
}

/// The mistakes that together reproduce the presented signature.
struct Explanation {
    secret: usize,
    mistakes: Vec<Mistake>,
}

/// The index of a candidate of each kind: the key, the timestamp, the layout, the body and the
/// algorithm. 0 is the correct one.
type Combination = [usize; 5];

/// The position of the timestamp in a [`Combination`].
const TIMESTAMP: usize = 1;

/// What the mistakes have to reproduce.
enum Target<'a> {
    /// One of these readings of the presented signature.
    Signatures(Vec<PresentedSignature>),
    /// A message before it is signed.
    Text(&'a [u8]),
}

struct Search<'a> {
    target: Target<'a>,
    keys: Vec<Candidate<Key>>,
    timestamps: Vec<Candidate<TimestampText>>,
    layouts: Vec<Candidate<Vec<MessagePart>>>,
    bodies: Vec<Candidate<Vec<u8>>>,
    algorithms: Vec<Candidate<Algorithm>>,
    message: Vec<u8>,
    tried: usize,
    not_tried: Vec<&'static str>,
}

impl<'a> Search<'a> {
    fn new(
        received: &Received<'_>,
        secret: &Secret,
        others: &[Secret],
        target: Target<'a>,
    ) -> Self {
        let (bodies, parsed, not_tried) = if received.body.len() > CHANGES_LIMIT {
            let not_tried = vec!["a changed body, and what it contains"];
            (body::unchanged(received.body), &[][..], not_tried)
        } else {
            (body::candidates(received.body), received.body, Vec::new())
        };
        Self {
            target,
            keys: key::candidates(secret, others).0,
            timestamps: timestamp::candidates(received.timestamp, parsed).0,
            layouts: layout::candidates(parsed).0,
            bodies: bodies.0,
            algorithms: algorithm::candidates().0,
            message: Vec::new(),
            tried: 0,
            not_tried,
        }
    }

    /// The explanation with the fewest mistakes.
    fn run(&mut self, received: &Received<'_>) -> Option<Explanation> {
        let counts: Combination = [
            self.keys.len(),
            self.timestamps.len(),
            self.layouts.len(),
            self.bodies.len(),
            self.algorithms.len(),
        ];
        let kinds = 0..counts.len();
        let with = |combination: Combination, kind: usize| {
            (1..counts[kind]).map(move |index| {
                let mut combination = combination;
                combination[kind] = index;
                combination
            })
        };
        let correct = Combination::default();
        let mut single = kinds.clone().flat_map(|kind| with(correct, kind));
        let mut pairs = kinds.clone().flat_map(|kind| {
            let others = kinds.clone().skip(kind + 1);
            others.flat_map(move |other| with(correct, kind).flat_map(move |one| with(one, other)))
        });
        let found = self.attempt(correct);
        if let Some(found) = found.or_else(|| single.find_map(|one| self.attempt(one))) {
            return Some(found);
        }
        if received.body.len() > PAIRS_LIMIT {
            self.not_tried
                .push("pairs of mistakes and nearby timestamps");
            return None;
        }
        self.nearby_timestamps(received.timestamp)
            .or_else(|| pairs.find_map(|pair| self.attempt(pair)))
    }

    /// Tries timestamps near the header's, with everything else correct.
    fn nearby_timestamps(&mut self, timestamp: Option<&[u8]>) -> Option<Explanation> {
        let mut combination = Combination::default();
        combination[TIMESTAMP] = self.timestamps.len();
        timestamp::nearby(timestamp).find_map(|nearby| {
            self.timestamps.push(nearby);
            let found = self.attempt(combination);
            self.timestamps.pop();
            found
        })
    }

    fn attempt(&mut self, combination: Combination) -> Option<Explanation> {
        let [key, timestamp, layout, body, algorithm] = combination;
        let key = &self.keys[key];
        let timestamp = &self.timestamps[timestamp];
        let layout = &self.layouts[layout];
        let body = &self.bodies[body];
        let algorithm = &self.algorithms[algorithm];
        self.message.clear();
        let text = timestamp.value.as_deref();
        if !layout::write(&layout.value, text, &body.value, &mut self.message) {
            return None;
        }
        self.tried += 1;
        let notation = match &self.target {
            Target::Text(text) => (*text == self.message).then(Vec::new)?,
            Target::Signatures(presented) => {
                let signature = (algorithm.value)(key.value.expose_bytes(), &self.message);
                let signature = hex::encode(signature);
                let mut presented = presented.iter();
                presented.find_map(|presented| presented.mistakes_in(&signature))?
            }
        };
        let kinds = [
            &key.mistakes,
            &timestamp.mistakes,
            &layout.mistakes,
            &body.mistakes,
            &algorithm.mistakes,
            &notation,
        ];
        Some(Explanation {
            secret: key.value.secret,
            mistakes: kinds.into_iter().flatten().cloned().collect(),
        })
    }
}

#[cfg(test)]
mod tests;
