//! Runs a load on its own threads, shows progress and handles Ctrl-C.

use std::sync::Arc;

use super::super::command_error::CommandError;
use super::super::console::Console;
use super::live_line::LiveLine;
use crate::load::{LiveStats, LoadResult, LoadRun, LoadSettings, StopHandle};
use crate::run::RunContext;

/// Runs the load until its end or until Ctrl-C stops it.
pub(super) async fn run_load(
    context: &RunContext,
    settings: LoadSettings,
    stop: &StopHandle,
    console: &Console,
) -> Result<LoadResult, CommandError> {
    let live_stats = LiveLine::is_wanted().then(|| Arc::new(LiveStats::default()));
    let run = LoadRun {
        settings,
        client: context.client.clone(),
        target: context.target.clone(),
        signer: context.signer.clone(),
        clock: context.clock,
        live: live_stats.clone(),
    };
    let line = live_stats.map(LiveLine::draw);
    let own = stop.clone();
    let running = tokio::task::spawn_blocking(move || run.run(&own));
    let mut console = console.reopened();
    let interrupted = async {
        // If the signal handler can't be installed, Ctrl-C ends the program as usual.
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.finish();
            let announce = async {
                console.note(
                    "stopping: waiting for attempts in flight; press Ctrl-C again to stop now",
                );
            };
            // Listens first, so that no second Ctrl-C is missed.
            let (again, ()) = tokio::join!(biased; tokio::signal::ctrl_c(), announce);
            if again.is_ok() {
                stop.abort();
            }
        }
        std::future::pending::<()>().await;
    };
    let result = tokio::select! {
        biased;
        () = interrupted => None,
        result = running => Some(result),
    };
    drop(line);
    let problem = |reason: String| {
        CommandError::not_completed(format!("the load failed to run: {reason}"), None)
    };
    match result {
        Some(Ok(result)) => result.map_err(|error| problem(error.to_string())),
        Some(Err(error)) => Err(problem(error.to_string())),
        None => Err(problem("it was stopped".to_owned())),
    }
}
