//! The words of the command line. What a command does with them is in its own file.

use std::ffi::OsString;

use clap::{ColorChoice, Parser, Subcommand, ValueEnum as _};

use super::check::Check;
use super::completions::Completions;
use super::fire::Fire;
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
use super::sign::Sign;
use super::snapshots::Snapshots;
use super::verify::Verify;

/// The end of the help of every command that takes a secret.
pub(super) const SECRET_HELP: &str = "The secret is never taken as a plain argument, where `ps` \
                                      and the shell's history show it.";

/// Plays Aghanim's part: sends a game's back end signed coupon.redeemed webhooks, and proves that
/// it answers right and grants each coupon exactly once.
#[derive(Debug, Parser)]
#[command(
    name = "aghook",
    version,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 every check held, 1 a check failed, 2 the command line or a file \
                  is wrong, 3 the command could not be completed."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// When to use colours: auto means on a terminal, unless `NO_COLOR` is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        display_order = 900
    )]
    pub color: ColorChoice,
}

/// The commands. What each one's help says stands on its own type.
#[derive(Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "a text here would be the whole help of a command, in place of its type's"
)]
pub enum Command {
    Run(Box<Run>),
    Report(MakeReports),
    Replay(Box<ReplayRun>),
    Fire(Box<Fire>),
    Load(Box<Load>),
    Merge(Merge),
    Receive(ReceiveOptions),
    Sign(Sign),
    Verify(Verify),
    New(New),
    Snapshots(Snapshots),
    Check(Check),
    List(List),
    Schema(Schema),
    Completions(Completions),
    Man(ManPages),
}

/// What `--color` says in words that are not parsed yet, for help texts and usage errors.
pub(super) fn color_of(words: &[OsString]) -> ColorChoice {
    let value_of = |(nth, word): (usize, &OsString)| {
        let word = word.to_str()?;
        let value = match word.strip_prefix("--color")? {
            "" => words.get(nth + 1)?.to_str()?,
            rest => rest.strip_prefix('=')?,
        };
        ColorChoice::from_str(value, false).ok()
    };
    words
        .iter()
        .enumerate()
        .find_map(value_of)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
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
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(color_of(&words), color, "{line}");
        }
    }
}
