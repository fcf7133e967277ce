//! How surely `together` hits a race between looking and granting, on two cores.
//!
//! `cargo bench --bench together`; each try is a whole run of aghook against a receiver with two
//! threads, both on this machine. A step with `together` delivers one event so many times at once; a
//! scenario can have several of them, each with an event of its own. The last line of each kind is
//! the same deliveries one after the other, which catch nothing.

#[path = "../tests/racy_receiver/mod.rs"]
mod racy_receiver;

use racy_receiver::{Between, RacyReceiver};

const TRIES: usize = 100;

fn main() {
    // Cargo asks every benchmark for its list of tests.
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    for between in [Between::Millisecond, Between::Yield, Between::Nothing] {
        println!("between looking and granting: {between:?}");
        let receiver = RacyReceiver::start(between);
        for (steps, deliveries, words) in [
            (1, 2, "together: true,"),
            (1, 8, "together: true,"),
            (4, 8, "together: true,"),
            (16, 8, "together: true,"),
            (1, 1, "fault: timeout_overlap,"),
            (4, 8, ""),
        ] {
            let runs = (0..TRIES).map(|seed| receiver.run(steps, deliveries, words, seed));
            let caught = runs.filter(|run| run.failed && run.most_grants > 1).count();
            println!(
                "  {steps} x times: {deliveries}, {words:24} caught in {caught} of {TRIES} tries"
            );
        }
    }
}
