//! Ctrl-C: the first lets the command finish what it has begun, the second stops it.

use super::Console;

/// Calls `stop` and prints `note` on the first Ctrl-C, and completes on the second.
pub(super) async fn interrupted_twice(stop: impl FnOnce(), note: &str, console: &Console) {
    // If the signal can't be handled, Ctrl-C ends the program as usual.
    if tokio::signal::ctrl_c().await.is_ok() {
        stop();
        let announce = async { console.note(note) };
        // Listen before printing, so that a quick second Ctrl-C is not missed.
        let (again, ()) = tokio::join!(biased; tokio::signal::ctrl_c(), announce);
        if again.is_ok() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Completes on Ctrl-C.
pub(super) async fn interrupted_once() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
