//! Measures how long aghook takes to start, and to run the bundled suite against the built-in
//! receiver. All times are medians. The baseline is an empty process: this benchmark itself, started
//! to do nothing.
//!
//! `cargo bench --bench command_line`

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const STARTS: usize = 50;
const RUNS: usize = 9;
/// Makes this program exit immediately, for the baseline.
const DO_NOTHING: &str = "--do-nothing";

fn main() {
    if std::env::args().any(|argument| argument == DO_NOTHING) {
        return;
    }
    let aghook = env!("CARGO_BIN_EXE_aghook");
    let Ok(itself) = std::env::current_exe() else {
        eprintln!("can't find the executable of this benchmark");
        return;
    };
    // Alternate, so that a slow phase of the machine affects both.
    let (mut empty, mut version) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        empty.push(time(Command::new(&itself).arg(DO_NOTHING)));
        version.push(time(Command::new(aghook).arg("--version")));
    }
    let (empty, version) = (median(empty), median(version));
    println!("an empty process      {empty:>10.2?}");
    let ratio = version.as_secs_f64() / empty.as_secs_f64();
    println!("aghook --version      {version:>10.2?}  {ratio:.2} times an empty process");
    let suite = median(
        (0..RUNS)
            .map(|_| time(Command::new(aghook).arg("run")))
            .collect(),
    );
    println!("aghook run (bundled)  {suite:>10.2?}");
}

/// Measures a command, which must succeed.
fn time(command: &mut Command) -> Duration {
    let started = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let took = started.elapsed();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{command:?} failed"
    );
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
