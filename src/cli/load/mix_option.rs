//! `--mix`: from what the events of a load are drawn.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use super::super::command_error::CommandError;
use super::super::console::Console;
use super::super::scenario_selection::{Filter, diagnostics_error};
use crate::load::{EventMix, EventTemplate, MixEntry, MixScenario, TemplateSettings};
use crate::scenario::document::{Diagnostic, Diagnostics, nearest};
use crate::scenario::{Case, bundled_suite, load};

/// An `--mix`: what is named, and how much of the load comes from it.
#[derive(Debug, Clone)]
pub(super) struct MixOption {
    /// All but the weight, as it was written.
    name: String,
    from: From,
    /// Which scenarios of it, as it was written and as it is asked.
    only: Option<(String, Filter)>,
    weight: NonZeroU32,
}

#[derive(Debug, Clone)]
enum From {
    /// Generated events.
    Random,
    /// The bundled suite.
    Bundled,
    /// A file, a folder or a glob.
    Path(PathBuf),
}

const RANDOM: &str = "random";
const BUNDLED: &str = "bundled";

/// How many of those that are left out are told one by one.
const TOLD: usize = 10;

impl FromStr for MixOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, weight) = match text.rsplit_once('=') {
            // The choice of a matrix, as in `a.yaml#x [item=7]`.
            Some((_, rest)) if rest.ends_with(']') => (text, NonZeroU32::MIN),
            Some((name, weight)) => {
                let refused = |_| {
                    format!(
                        "expected a weight of 1 or more behind `=`, as a whole number, found \
                         `{weight}`; weights are compared with each other, so that for 0.5 and 1 \
                         there are 1 and 2"
                    )
                };
                (name, weight.parse().map_err(refused)?)
            }
            None => (text, NonZeroU32::MIN),
        };
        let (path, only) = match name.split_once('#') {
            Some((path, only)) => (path, Some((only.to_owned(), only.parse()?))),
            None => (name, None),
        };
        let from = match path {
            "" => return Err(format!("expected a path, `{BUNDLED}` or `{RANDOM}`")),
            RANDOM if only.is_some() => {
                return Err(format!("`{RANDOM}` has no scenarios to pick from"));
            }
            RANDOM => From::Random,
            BUNDLED => From::Bundled,
            path => From::Path(path.into()),
        };
        Ok(Self {
            name: name.to_owned(),
            from,
            only,
            weight,
        })
    }
}

/// The mix of all options; none without any.
pub(super) fn read(
    options: &[MixOption],
    settings: &TemplateSettings,
    console: &mut Console,
) -> Result<Option<EventMix>, CommandError> {
    if options.is_empty() {
        return Ok(None);
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = options.iter().find(|option| !names.insert(&option.name)) {
        return Err(CommandError::usage(
            format!("`{}` is in the mix twice", twice.name),
            "give it one weight".to_owned(),
        ));
    }
    let mut problems = Diagnostics::default();
    let mut entries = Vec::new();
    for option in options {
        match option.cases() {
            Ok(cases) => {
                let cases = option.chosen(cases)?;
                match option.entry(&cases, settings) {
                    Ok(entry) => entries.push(entry),
                    Err(found) => problems.extend(found.0),
                }
            }
            Err(found) => problems.extend(found.0),
        }
    }
    problems
        .into_result()
        .map_err(|problems| diagnostics_error(&problems, console))?;
    let left_out: Vec<&String> = entries.iter().flat_map(|entry| &entry.left_out).collect();
    for one in left_out.iter().take(TOLD) {
        console.note(&format!("left out of the load: {one}"));
    }
    if let Some(more @ 1..) = left_out.len().checked_sub(TOLD) {
        console.note(&format!("left out of the load: {more} more"));
    }
    Ok(Some(EventMix::new(entries, settings.seed)))
}

/// The options that send the same events again, as words of a shell.
pub(super) fn again(options: &[MixOption]) -> String {
    let words = options.iter().map(|option| {
        let word = format!("{}={}", option.name, option.weight);
        let quoted = shlex::try_quote(&word).map(std::borrow::Cow::into_owned);
        format!(" --mix {}", quoted.unwrap_or(word))
    });
    words.collect()
}

impl MixOption {
    /// All scenarios of what is named.
    fn cases(&self) -> Result<Vec<Case>, Diagnostics> {
        match &self.from {
            From::Random => Ok(Vec::new()),
            From::Bundled => bundled_suite(),
            From::Path(path) => load(std::slice::from_ref(path)),
        }
    }

    /// Those of them that are meant.
    fn chosen(&self, mut cases: Vec<Case>) -> Result<Vec<Case>, CommandError> {
        let Some((text, filter)) = &self.only else {
            return Ok(cases);
        };
        let titles: Vec<String> = cases.iter().map(Case::title).collect();
        cases.retain(|case| filter.matches(&case.title()) || filter.matches(&case.source.name));
        if !cases.is_empty() {
            return Ok(cases);
        }
        let help = match nearest(text, titles.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "behind `#` stands a text of their names or files, or a glob; `aghook list` \
                     shows them"
                .to_owned(),
        };
        let message = format!("`{}` has no scenario `{text}`", self.path());
        Err(CommandError::usage(message, help))
    }

    fn path(&self) -> &str {
        self.name.split('#').next().unwrap_or_default()
    }

    /// Makes its scenarios' events ready. Of a file that is named, each must be one that a load can
    /// send; of a folder, a glob or the bundled suite, at least one.
    fn entry(&self, cases: &[Case], settings: &TemplateSettings) -> Result<MixEntry, Diagnostics> {
        let mut unsendable = Vec::new();
        let mut scenarios = Vec::new();
        for case in cases {
            let mut events = Vec::new();
            for name in case.scenario.events.keys() {
                match EventTemplate::new(case, name, settings) {
                    Ok(template) => events.push(template),
                    Err(problem) => unsendable.push(problem),
                }
            }
            if case.scenario.events.is_empty() {
                unsendable.push(without_events(case));
            }
            if !events.is_empty() {
                scenarios.push(MixScenario {
                    name: case.title(),
                    file: case.source.name.to_string(),
                    events,
                });
            }
        }
        // A mistake shows in every case of a matrix.
        let mut told = BTreeSet::new();
        unsendable.retain(|one| told.insert((one.location(), one.message.clone())));
        let is_one_file = matches!(&self.from, From::Path(path) if path.is_file());
        let is_generated = matches!(self.from, From::Random);
        if !unsendable.is_empty() && (is_one_file || scenarios.is_empty()) {
            return Err(Diagnostics(unsendable));
        }
        if scenarios.is_empty() && !is_generated {
            let message = "there is no scenario in it";
            return Err(Diagnostic::for_file(self.path(), message, None).into());
        }
        let left_out = unsendable.iter();
        Ok(MixEntry {
            name: self.name.clone(),
            weight: self.weight,
            scenarios,
            left_out: left_out
                .map(|one| format!("{}: {one}", one.location()))
                .collect(),
        })
    }
}

fn without_events(case: &Case) -> Diagnostic {
    let help = "name scenarios that have `events`".to_owned();
    let span = case.scenario.name.span;
    case.diagnostic(span, "it has no event that a load could send", Some(help))
}
