//! Runs a load on its own threads, shows progress, handles Ctrl-C, and stops at a wrong set-up.

use std::sync::{Arc, OnceLock};

use super::super::interrupt::interrupted_twice;
use super::super::{CommandError, Console};
use super::live_line::LiveLine;
use crate::load::{LiveStats, LoadResult, LoadRun, LoadSettings, SetupWatch, StopHandle};
use crate::run::RunContext;

pub(super) async fn run_load(
    context: &RunContext,
    settings: LoadSettings,
    console: &Console,
) -> Result<LoadResult, CommandError> {
    let live_stats = Arc::new(LiveStats::default());
    let check_setup = context.check_setup && !context.built_in_receiver;
    let setup = check_setup.then(|| Arc::new(SetupWatch::default()));
    let run = LoadRun {
        settings,
        client: context.client.clone(),
        target: context.target.clone(),
        headers: context.headers.clone(),
        signer: context.signer.clone(),
        clock: context.clock,
        live: Arc::clone(&live_stats),
        setup: setup.clone(),
    };
    let line = LiveLine::of_load(live_stats);
    let stop = StopHandle::default();
    let own = stop.clone();
    let running = tokio::task::spawn_blocking(move || run.run(&own));
    let note = "stopping: waiting for attempts in flight; press Ctrl-C again to stop now";
    let interrupted = async {
        interrupted_twice(|| stop.finish(), note, console).await;
        stop.abort();
        std::future::pending().await
    };
    let problem = OnceLock::new();
    let watching = async {
        if let Some(setup) = &setup {
            let _ = problem.set(setup.problem(context).await);
            stop.finish();
        }
        std::future::pending().await
    };
    let result = tokio::select! {
        biased;
        result = interrupted => result,
        result = watching => result,
        result = running => result,
    };
    drop(line);
    let result = result.map_err(std::io::Error::other).flatten();
    let mut result = result
        .map_err(|error| CommandError::not_completed(format!("the load failed to run: {error}")))?;
    result.setup_problem = match (problem.into_inner(), &setup) {
        (None, Some(setup)) => setup.final_problem(context).await,
        (problem, _) => problem,
    };
    Ok(result)
}
