//! Scenario files on the command line: which are meant, and what is wrong in them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use globset::{Glob, GlobMatcher};

use super::ExitCode;
use super::command_error::CommandError;
use super::console::Console;
use crate::scenario::document::{Diagnostics, nearest};
use crate::scenario::{Case, bundled_suite, load};

/// Which scenarios are meant.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Scenarios")]
pub(super) struct ScenarioOptions {
    /// Scenario files, folders or quoted globs [default: the bundled suite]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Only scenarios whose name or file has this text, or matches this glob (repeatable: any of
    /// them)
    #[arg(long, value_name = "EXPR")]
    filter: Vec<Filter>,

    /// Only scenarios with this tag (repeatable: any of them)
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,

    /// Only the K-th of N shares of the scenarios, as 1/4
    #[arg(long, value_name = "K/N")]
    partition: Option<Partition>,
}

impl ScenarioOptions {
    /// Reads the scenarios that are meant; at least one.
    pub(super) fn read(&self, console: &Console) -> Result<Vec<Case>, CommandError> {
        let cases = if self.paths.is_empty() {
            bundled_suite()
        } else {
            load(&self.paths)
        };
        let mut cases = cases.map_err(|problems| wrong(&problems, console))?;
        let known: BTreeSet<&str> = cases
            .iter()
            .flat_map(|case| case.scenario.tags.iter().map(String::as_str))
            .collect();
        // Beside a known tag, a misspelt one would leave scenarios out in silence.
        if let Some(tag) = self.tag.iter().find(|tag| !known.contains(tag.as_str())) {
            let near = nearest(tag, known)
                .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            let help = format!("{near}`aghook list` shows them all");
            return Err(CommandError::usage(
                format!("no scenario has the tag `{tag}`"),
                help,
            ));
        }
        cases.retain(|case| self.means(case));
        if cases.is_empty() {
            let help = "`aghook list` shows them all".to_owned();
            return Err(CommandError::usage(
                "no scenario is meant by these options",
                help,
            ));
        }
        let Some(Partition { share, shares }) = self.partition else {
            return Ok(cases);
        };
        let cases: Vec<Case> = cases.into_iter().skip(share - 1).step_by(shares).collect();
        if cases.is_empty() {
            let help = "take fewer shares than there are scenarios".to_owned();
            return Err(CommandError::usage(
                "this share of the scenarios is empty",
                help,
            ));
        }
        Ok(cases)
    }

    /// What falls to this share of a list that all shares draw from: where another share runs at the
    /// same time, the two don't meet.
    pub(super) fn own_share<T: Clone>(&self, whole: &[T]) -> Vec<T> {
        match self.partition {
            Some(Partition { share, shares }) if whole.len() >= shares => {
                let own = whole.iter().skip(share - 1).step_by(shares);
                own.cloned().collect()
            }
            _ => whole.to_vec(),
        }
    }

    /// The files and folders that the scenarios come from; nothing where options leave some of
    /// them out.
    pub(super) fn roots(&self) -> Option<Vec<PathBuf>> {
        let whole = self.filter.is_empty() && self.tag.is_empty() && self.partition.is_none();
        let bundled = || vec![PathBuf::from("scenarios")];
        whole.then(|| match self.paths.as_slice() {
            [] => bundled(),
            paths => paths.to_vec(),
        })
    }

    fn means(&self, case: &Case) -> bool {
        let filtered =
            |filter: &Filter| filter.matches(&case.title()) || filter.matches(&case.source.name);
        let tagged = |tag: &String| case.scenario.tags.contains(tag);
        (self.filter.is_empty() || self.filter.iter().any(filtered))
            && (self.tag.is_empty() || self.tag.iter().any(tagged))
    }
}

/// What is wrong in files, as it is shown.
pub(super) fn wrong(problems: &Diagnostics, console: &Console) -> CommandError {
    const WIDEST: usize = 100;
    const NARROWEST: usize = 40;
    let width = console.width().unwrap_or(WIDEST).clamp(NARROWEST, WIDEST);
    CommandError::rendered(
        ExitCode::Usage,
        problems.render(console.shows_error_colors(), width),
    )
}

/// A text to look for, which may be a glob as well: names have brackets of their own.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    /// In small letters.
    text: String,
    glob: Option<GlobMatcher>,
}

impl Filter {
    pub(super) fn matches(&self, name: &str) -> bool {
        name.to_lowercase().contains(&self.text)
            || self.glob.as_ref().is_some_and(|glob| glob.is_match(name))
    }
}

impl std::str::FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("expected a text or a glob".to_owned());
        }
        // A glob that can't be read is a text: a name can be cut within its brackets.
        let is_glob = text.contains(['*', '?', '[', '{']);
        let glob = is_glob.then(|| Glob::new(text).ok()).flatten();
        Ok(Self {
            text: text.to_lowercase(),
            glob: glob.map(|glob| glob.compile_matcher()),
        })
    }
}

/// One of several shares.
#[derive(Debug, Clone, Copy)]
struct Partition {
    share: usize,
    shares: usize,
}

impl std::str::FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(share, shares)| {
            Some(Self {
                share: share.parse().ok()?,
                shares: shares.parse().ok()?,
            })
        });
        match numbers {
            Some(partition) if (1..=partition.shares).contains(&partition.share) => Ok(partition),
            _ => Err("expected K/N with K from 1 to N, such as 1/4".to_owned()),
        }
    }
}
