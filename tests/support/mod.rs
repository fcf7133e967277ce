//! Helpers for tests of the command line: `aghook` in a temporary folder, its normalised output,
//! and receivers on loopback.

#![allow(
    dead_code,
    unused_imports,
    reason = "no test binary uses all of the helpers"
)]

mod folder;
mod game;
mod generated_section;
mod https_receiver;
mod outcome;
mod peer;
mod transcript;

pub(crate) use folder::{Folder, SECRET};
pub(crate) use game::{Game, Inventories};
pub(crate) use generated_section::check_section;
pub(crate) use https_receiver::HttpsReceiver;
pub(crate) use outcome::RunOutcome;
pub(crate) use peer::{Peer, PeerRequest, PeerResponse, read_request, serve_requests};
pub(crate) use transcript::{Transcript, normalised, transcript};

/// A target that refuses connections: no program listens on port 1.
pub(crate) const UNREACHABLE: &str = "http://127.0.0.1:1/hook";

/// A scenario that delivers one event and expects `expectation` of the response.
pub(crate) fn expecting(expectation: &str) -> String {
    format!(
        "name: a delivery\nevents:\n  welcome: {{}}\nsteps:\n  - deliver: welcome\n    expect: {expectation}\n"
    )
}

/// A scenario that delivers one event with an item and expects `effect`.
pub(crate) fn with_effect(effect: &str) -> String {
    format!(
        "name: an effect\nevents:\n  welcome: {{ item: {{ sku: gems, quantity: 5 }} }}\nsteps:\n  - deliver: welcome\neffects:\n  - {effect}\n"
    )
}
