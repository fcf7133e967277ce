//! What tests of the command line share: the program in a folder of its own, its output as a text
//! that is the same everywhere, and receivers on loopback.

#![allow(
    dead_code,
    unused_imports,
    reason = "every file of tests takes what it needs"
)]

mod encrypted;
mod folder;
mod game;
mod generated_section;
mod outcome;
mod peer;
mod transcript;

pub(crate) use encrypted::Encrypted;
pub(crate) use folder::{Folder, SECRET};
pub(crate) use game::{Game, Holdings};
pub(crate) use generated_section::hold_section;
pub(crate) use outcome::Outcome;
pub(crate) use peer::{Answer, Peer, Received, read_request, serve_requests};
pub(crate) use transcript::{Transcript, normalised, transcript};

/// A target that refuses every connection: nothing listens on this port of old.
pub(crate) const NOBODY: &str = "http://127.0.0.1:1/hook";

/// A scenario that delivers one event and expects `expectation` of the answer.
pub(crate) fn expecting(expectation: &str) -> String {
    format!(
        "name: a delivery\nevents:\n  welcome: {{}}\nsteps:\n  - deliver: welcome\n    expect: {expectation}\n"
    )
}

/// A scenario that delivers one event with an item and demands `effect`.
pub(crate) fn effecting(effect: &str) -> String {
    format!(
        "name: an effect\nevents:\n  welcome: {{ item: {{ sku: gems, quantity: 5 }} }}\nsteps:\n  - deliver: welcome\neffects:\n  - {effect}\n"
    )
}
