//! Explores the sound receivers.

use std::process::Command;
use std::sync::Mutex;

use super::cases::{SoundReceiver, cases, plain};
use super::outcome::profile;
use super::receivers::{SECRET, start};

/// The number of simultaneous explorations. They spend much of their time waiting.
const SIMULTANEOUS: usize = 6;

/// Explores each sound receiver for this long, and returns the false alarms.
pub(crate) fn explore_all(budget: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let receivers: Vec<SoundReceiver> = std::iter::once(plain()).chain(cases()).collect();
    let receivers = Mutex::new(receivers.into_iter());
    let alarms = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SIMULTANEOUS {
            scope.spawn(|| {
                loop {
                    let next = receivers.lock().expect("no panic").next();
                    let Some(receiver) = next else { return };
                    let found = explore(&runtime, &receiver, budget);
                    alarms.lock().expect("no panic").extend(found);
                }
            });
        }
    });
    runtime.shutdown_background();
    alarms.into_inner().expect("no panic")
}

/// Explores a sound receiver. Returns what was said if something failed.
fn explore(
    runtime: &tokio::runtime::Runtime,
    receiver: &SoundReceiver,
    budget: &str,
) -> Option<String> {
    let started = start(runtime, &receiver.variants, receiver.protocols);
    let config = started.folder.path().join("aghook.yaml");
    std::fs::write(config, profile(receiver, &started)).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_aghook"))
        .args(["explore", "--seed", "1", "--budget", budget])
        .env("AGHOOK_SECRET", SECRET)
        .env("AGHOOK_OLD_SECRET", "whsec_before")
        .current_dir(started.folder.path())
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let summary = said.lines().rfind(|line| line.contains("explored"));
    println!("{}: {}", receiver.name, summary.unwrap_or_default());
    (!output.status.success()).then(|| {
        let errors = String::from_utf8_lossy(&output.stderr);
        format!("{}: {said}\n{errors}", receiver.name)
    })
}
