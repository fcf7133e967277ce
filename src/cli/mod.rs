//! The command line, with one file per command.
//!
//! A new command needs a variant of [`arguments::Command`], an arm in `dispatch`, and a file here.

pub(crate) mod arguments;

mod body_file;
mod capture;
mod check;
mod command_error;
mod compare;
mod completions;
mod console;
mod corpus_folder;
mod curl_command;
mod doctor;
mod event_options;
mod event_sink;
mod exit_code;
mod explain;
mod explore;
mod failures_file;
mod fire;
mod header_lines;
mod import;
mod interrupt;
mod invalid_value;
mod list;
mod listen_address;
mod load;
mod machine_limits;
mod man;
mod merge;
mod new;
mod numbers;
mod receive;
mod replay;
mod report;
mod report_choice;
mod report_options;
mod run;
mod scenario_selection;
mod schema;
mod secret_options;
mod serve;
mod session;
mod sign;
mod snapshot_options;
mod snapshots;
mod target_options;
mod verify;

#[cfg(any(test, fuzzing))]
pub(crate) use header_lines::HeaderLines;

use std::ffi::OsString;
use std::future::Future;
use std::io::Write as _;

use clap::{CommandFactory as _, FromArgMatches as _};

use arguments::{Arguments, Command};
pub(crate) use command_error::CommandError;
pub(crate) use console::Console;
pub(crate) use exit_code::ExitCode;
pub(crate) use invalid_value::InvalidValue;

/// Runs the program with these arguments, the first of which is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parser = Arguments::command().color(arguments::find_color(&arguments));
    let parsed = parser
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap returns help and version as errors too. A closed pipe is ignored.
            let _ = error.print();
            return match error.exit_code() {
                0 => ExitCode::Success,
                _ => ExitCode::Usage,
            };
        }
    };
    let mut console = Console::new(arguments.color);
    let code = dispatch(arguments.command, &mut console).unwrap_or_else(|error| {
        console.error(&error);
        error.exit_code()
    });
    interrupt::exit_code().unwrap_or(code)
}

fn dispatch(command: Command, console: &mut Console) -> Result<ExitCode, CommandError> {
    let code = match command {
        Command::Run(command) => command.run(console),
        Command::Report(command) => command.run(console),
        Command::Replay(command) => command.run(console),
        Command::Fire(command) => command.run(console),
        Command::Doctor(command) => command.run(console),
        Command::Explore(command) => command.run(console),
        Command::Load(command) => command.run(console),
        Command::Merge(command) => command.run(console),
        Command::Receive(options) => block_on(receive::receive(options)),
        Command::Serve(command) => command.run(console),
        Command::Capture(command) => command.run(console),
        Command::Import(command) => command.run(console),
        Command::Compare(command) => command.run(console),
        Command::Snapshots(command) => command.run(console),
        Command::New(command) => command.run(console),
        Command::Check(command) => command.run(console),
        Command::List(command) => command.run(console),
        Command::Explain(command) => command.run(console),
        Command::Schema(command) => command.run(console),
        Command::Sign(command) => command.run(console),
        Command::Verify(command) => command.run(console),
        Command::Completions(command) => command.run(Arguments::command(), console),
        Command::Man(command) => command.run(Arguments::command(), console),
    }?;
    console.flush()?;
    Ok(code)
}

/// Runs an asynchronous command on a new runtime. Only commands that wait for the network or for a
/// process need one.
fn block_on(
    command: impl Future<Output = Result<ExitCode, CommandError>>,
) -> Result<ExitCode, CommandError> {
    machine_limits::check()?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::not_completed(format!("can't start the runtime: {error}")))?
        .block_on(async {
            interrupt::survive_file_size_limit();
            tokio::select! {
                biased;
                ended = command => ended,
                // Dropping the command ends the programs of hooks, too.
                () = interrupt::not_handled() => Err(CommandError::not_completed("interrupted")),
            }
        })
}
