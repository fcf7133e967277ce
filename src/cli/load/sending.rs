//! Runs a load beside the program's own runtime, shows how it goes, and hears Ctrl-C.

use std::sync::Arc;

use super::super::command_error::CommandError;
use super::super::console::Console;
use super::super::session::Session;
use super::live_line::LiveLine;
use crate::load::{Live, LoadResult, LoadRun, LoadSettings, Stop};

/// Runs the load on threads of its own, until its end or until Ctrl-C has ended it.
pub(super) async fn run_load(
    prepared: &Session,
    settings: LoadSettings,
    stop: &Stop,
    console: &Console,
) -> Result<LoadResult, CommandError> {
    let harness = &prepared.harness;
    let onlooker = LiveLine::is_wanted().then(|| Arc::new(Live::default()));
    let run = LoadRun {
        settings,
        client: harness.client.clone(),
        target: harness.target.clone(),
        signer: harness.signer.clone(),
        clock: harness.clock,
        live: onlooker.clone(),
    };
    let drawn = onlooker.map(LiveLine::draw);
    let own = stop.clone();
    let running = tokio::task::spawn_blocking(move || run.run(&own));
    let mut console = console.reopened();
    let interrupted = async {
        // Where the signal can't be listened for, Ctrl-C ends the program as usual.
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.finish();
            let tell = async {
                console.note("stopping: what is under way ends first; Ctrl-C again ends at once");
            };
            // Listens before it tells, so that no second Ctrl-C is missed, however soon it comes.
            let (again, ()) = tokio::join!(biased; tokio::signal::ctrl_c(), tell);
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
    drop(drawn);
    let problem = |reason: String| {
        CommandError::not_completed(format!("the load could not be run: {reason}"), None)
    };
    match result {
        Some(Ok(result)) => result.map_err(|error| problem(error.to_string())),
        Some(Err(error)) => Err(problem(error.to_string())),
        None => Err(problem("it was stopped".to_owned())),
    }
}
