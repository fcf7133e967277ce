//! The command-line arguments. Each command is implemented in a separate file.

use std::ffi::OsString;

use clap::{ColorChoice, Parser, Subcommand, ValueEnum as _};

use super::capture::Capture;
use super::check::CheckCommand;
use super::compare::Compare;
use super::completions::Completions;
use super::doctor::Doctor;
use super::explain::Explain;
use super::explore::Explore;
use super::fire::Fire;
use super::import::Import;
use super::list::List;
use super::load::Load;
use super::man::ManPages;
use super::merge::Merge;
use super::new::New;
use super::receive::ReceiveOptions;
use super::replay::ReplayRun;
use super::report::MakeReports;
use super::run::Run;
use super::schema::Schema;
use super::serve::Serve;
use super::sign::Sign;
use super::snapshots::Snapshots;
use super::verify::Verify;

/// Test how a game's back end handles Aghanim's coupon.redeemed webhooks
///
/// aghook sends signed webhooks to a game's back end, as Aghanim does. It checks the responses and
/// that every coupon is granted exactly once.
#[derive(Debug, Parser)]
#[command(
    name = "aghook",
    version,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 no check failed, 1 a check failed, 2 the command line or a file \
                  is invalid, 3 the command could not be completed."
)]
pub struct Arguments {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,

    /// When to use colors: with auto, on a terminal unless `NO_COLOR` is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        display_order = 900
    )]
    pub color: ColorChoice,
}

/// The commands. The doc comment of each type is the command's help, which one on a variant would
/// replace.
#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Box<Run>),
    Report(MakeReports),
    Replay(Box<ReplayRun>),
    Fire(Box<Fire>),
    Doctor(Doctor),
    Explore(Box<Explore>),
    Load(Box<Load>),
    Merge(Merge),
    Receive(ReceiveOptions),
    Serve(Serve),
    Capture(Capture),
    Import(Import),
    Compare(Compare),
    Sign(Sign),
    Verify(Verify),
    New(New),
    Snapshots(Snapshots),
    Check(CheckCommand),
    List(List),
    Explain(Explain),
    Schema(Schema),
    Completions(Completions),
    Man(ManPages),
}

/// Finds `--color` before the arguments are parsed, for help texts and usage errors.
pub(super) fn find_color(arguments: &[OsString]) -> ColorChoice {
    let color_at = |(index, argument): (usize, &OsString)| {
        let argument = argument.to_str()?;
        let value = match argument.strip_prefix("--color")? {
            "" => arguments.get(index + 1)?.to_str()?,
            rest => rest.strip_prefix('=')?,
        };
        ColorChoice::from_str(value, false).ok()
    };
    arguments
        .iter()
        .enumerate()
        .find_map(color_at)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn color_is_known_before_parsing() {
        for (line, color) in [
            ("aghook --color never --help", ColorChoice::Never),
            ("aghook sign --color=always", ColorChoice::Always),
            ("aghook sign --color", ColorChoice::Auto),
            ("aghook --color purple", ColorChoice::Auto),
            ("aghook --colors=never", ColorChoice::Auto),
        ] {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(find_color(&arguments), color, "{line}");
        }
    }
}
