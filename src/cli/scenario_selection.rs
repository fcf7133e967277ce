//! The scenarios that the command line selects.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use globset::{Glob, GlobMatcher};

use super::{CommandError, Console, InvalidValue};
use crate::load::LoadShard;
use crate::scenario::document::{Diagnostics, nearest};
use crate::scenario::{Case, bundled_suite, find, load};

/// The options that select scenarios.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Scenarios")]
pub(super) struct ScenarioSelection {
    /// Scenario files, folders or quoted globs [default: the bundled suite]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Select scenarios whose name or file contains this text or matches this glob (repeatable: any
    /// of them)
    #[arg(long, value_name = "EXPR")]
    filter: Vec<Filter>,

    /// Select scenarios with this tag (repeatable: any of them)
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,

    /// Select only shard K of N, such as 1/4
    #[arg(long, value_name = "K/N")]
    partition: Option<LoadShard>,
}

impl ScenarioSelection {
    pub(super) fn read(&self, console: &Console) -> Result<Vec<Case>, CommandError> {
        let cases = match self.paths.as_slice() {
            [] => bundled_suite(),
            paths => load(paths),
        };
        let mut cases = cases.map_err(|problems| diagnostics_error(&problems, console))?;
        let known: BTreeSet<&str> = cases
            .iter()
            .flat_map(|case| case.scenario.tags.iter().map(String::as_str))
            .collect();
        // Next to a known tag, a misspelled one would silently select too few scenarios.
        if let Some(tag) = self.tag.iter().find(|tag| !known.contains(tag.as_str())) {
            let near = nearest(tag, known)
                .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            return Err(
                CommandError::usage(format!("no scenario has the tag `{tag}`"))
                    .with_help(format!("{near}`aghook list` shows all tags")),
            );
        }
        cases.retain(|case| self.selects(case));
        if cases.is_empty() {
            let help = "`aghook list` shows all scenarios";
            return Err(CommandError::usage("no scenario matches these filters").with_help(help));
        }
        let Some(shard) = self.partition else {
            return Ok(cases);
        };
        let cases: Vec<Case> = shard.part_of(cases.into_iter()).collect();
        if cases.is_empty() {
            let help = "use at most as many shards as there are scenarios";
            return Err(
                CommandError::usage(format!("shard {shard} has no scenarios")).with_help(help),
            );
        }
        Ok(cases)
    }

    /// This shard's part of a list that all shards use. Shards that run at the same time get
    /// different parts.
    pub(super) fn own_shard<T: Clone>(&self, list: &[T]) -> Vec<T> {
        match self.partition {
            Some(shard) if shard.fits(list.len()) => shard.part_of(list.iter().cloned()).collect(),
            _ => list.to_vec(),
        }
    }

    /// The files that are read; the given paths if they can't be found.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        find(&self.paths).unwrap_or_else(|_| self.paths.clone())
    }

    pub(super) fn roots(&self) -> Option<Vec<PathBuf>> {
        let all = self.filter.is_empty() && self.tag.is_empty() && self.partition.is_none();
        all.then(|| match self.paths.as_slice() {
            [] => vec![PathBuf::from("scenarios")],
            paths => paths.to_vec(),
        })
    }

    fn selects(&self, case: &Case) -> bool {
        let has_tag = |tag: &String| case.scenario.tags.contains(tag);
        is_selected(&self.filter, &[&case.title(), &case.source.name])
            && (self.tag.is_empty() || self.tag.iter().any(has_tag))
    }
}

/// Whether a filter matches one of the texts, or there are no filters.
pub(super) fn is_selected(filters: &[Filter], texts: &[&str]) -> bool {
    let matches = |filter: &Filter| texts.iter().any(|text| filter.matches(text));
    filters.is_empty() || filters.iter().any(matches)
}

pub(super) fn diagnostics_error(problems: &Diagnostics, console: &Console) -> CommandError {
    const MAX_WIDTH: usize = 100;
    const MIN_WIDTH: usize = 40;
    let width = Console::width().unwrap_or(MAX_WIDTH);
    let width = width.clamp(MIN_WIDTH, MAX_WIDTH);
    CommandError::rendered(problems.render(console.shows_error_colors(), width))
}

/// A text to search for. If it is a valid glob, it matches as a glob as well. It still matches as
/// text, because scenario names can contain brackets.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    /// In lowercase.
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
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.is_empty() {
            return Err(InvalidValue::expected("a text or a glob"));
        }
        // An invalid glob is a plain text: it can be a part of a name with brackets.
        let is_glob = text.contains(['*', '?', '[', '{']);
        let glob = is_glob.then(|| Glob::new(text).ok()).flatten();
        Ok(Self {
            text: text.to_lowercase(),
            glob: glob.map(|glob| glob.compile_matcher()),
        })
    }
}
