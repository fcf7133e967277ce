//! Measures how reliably `together` reveals a race between looking up the key and granting.
//!
//! `cargo bench --bench together`, on two cores. Each try is a complete run of aghook against a
//! receiver with two threads on this machine. A step with `together` delivers one event several times
//! simultaneously; a scenario can have several such steps, each with its own event. The last line of
//! each group makes the same deliveries one after the other, which reveals nothing.

#[path = "../tests/run/faults/racy_receiver.rs"]
mod racy_receiver;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use racy_receiver::{BUNDLED, Between, RacyReceiver};

const TRIES: usize = 100;

fn main() {
    // Cargo asks every benchmark to list its tests.
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    for between in [Between::Millisecond, Between::Yield, Between::Nothing] {
        println!("between lookup and grant: {between:?}");
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
        let runs = (0..TRIES).map(|seed| receiver.run_bundled(seed));
        let caught = runs.filter(|run| run.failed && run.most_grants > 1).count();
        println!("  {BUNDLED} caught in {caught} of {TRIES} tries");
    }
    let caught = (0..TRIES).filter(|_| built_in_is_caught()).count();
    println!("the built-in receiver with the flaw check_then_insert_race:");
    println!("  {BUNDLED} caught in {caught} of {TRIES} tries");
}

/// Runs the bundled scenario against the built-in receiver with a race, in a separate process.
fn built_in_is_caught() -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let aghook = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aghook"));
        command
            .env("AGHOOK_SECRET", "whsec_not_a_real_secret")
            .current_dir(folder.path());
        command
    };
    let receive = ["receive", "--listen", "127.0.0.1:0", "--flaw"];
    let mut receiver = aghook()
        .args(receive)
        .arg("check_then_insert_race")
        .stdout(Stdio::piped())
        .spawn()
        .expect("aghook runs");
    let mut lines = BufReader::new(receiver.stdout.take().expect("piped")).lines();
    let first = lines.next().expect("a line").expect("text");
    let target = first.rsplit(' ').next().expect("a URL").to_owned();
    // Read its log, so that it never blocks on output.
    let log = std::thread::spawn(move || lines.count());
    let base = target.trim_end_matches("/webhooks/aghanim");
    let profile = format!(
        "profiles:\n  built-in:\n    target: {target}\n    probes:\n      quantity:\n        \
         http: GET {base}/debug/players/{{player_id}}/items/{{sku}}\n        read: $.quantity\n    \
         settle: 0s\n"
    );
    std::fs::write(folder.path().join("aghook.yaml"), profile).expect("written");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(BUNDLED);
    let output = aghook().arg("run").arg(file).output().expect("aghook runs");
    receiver.kill().expect("killed");
    receiver.wait().expect("ends");
    log.join().expect("read");
    match output.status.code() {
        Some(0) => false,
        Some(1) => true,
        _ => panic!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}
