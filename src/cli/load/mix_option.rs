//! `--mix`: the sources of a load's events.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use super::super::command_error::CommandError;
use super::super::console::Console;
use super::super::invalid_value::InvalidValue;
use super::super::scenario_selection::{Filter, diagnostics_error};
use crate::load::{EventMix, EventTemplate, MixEntry, MixScenario, TemplateSettings};
use crate::scenario::document::{Diagnostic, Diagnostics, nearest};
use crate::scenario::{Case, bundled_suite, load};

/// One `--mix` option: a source of events and its weight.
#[derive(Debug, Clone)]
pub(super) struct MixOption {
    /// The option without the weight, as written.
    name: String,
    source: EventsFrom,
    /// The scenario filter, as written and parsed.
    only: Option<(String, Filter)>,
    weight: NonZeroU32,
}

#[derive(Debug, Clone)]
enum EventsFrom {
    /// Generated events.
    Random,
    /// The bundled suite.
    Bundled,
    /// A file, a folder or a glob.
    Path(PathBuf),
}

const RANDOM: &str = "random";
const BUNDLED: &str = "bundled";

/// How many omitted events to list.
const MOST_LISTED: usize = 10;

impl FromStr for MixOption {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (name, weight) = match text.rsplit_once('=') {
            // This `=` belongs to a matrix choice, as in `a.yaml#x [item=7]`.
            Some((_, rest)) if rest.ends_with(']') => (text, NonZeroU32::MIN),
            Some((name, weight)) => {
                let refused = |_| {
                    InvalidValue::expected(&format!(
                        "a whole number from 1 as weight after `=`, found `{weight}`; weights are \
                         relative, so write 0.5 and 1 as 1 and 2"
                    ))
                };
                (name, weight.parse().map_err(refused)?)
            }
            None => (text, NonZeroU32::MIN),
        };
        let (path, only) = match name.split_once('#') {
            Some((path, only)) => (path, Some((only.to_owned(), only.parse()?))),
            None => (name, None),
        };
        let source = match path {
            "" => {
                return Err(InvalidValue::expected(&format!(
                    "a path, `{BUNDLED}` or `{RANDOM}`"
                )));
            }
            RANDOM if only.is_some() => {
                return Err(InvalidValue::new(format!(
                    "`{RANDOM}` has no scenarios to select"
                )));
            }
            RANDOM => EventsFrom::Random,
            BUNDLED => EventsFrom::Bundled,
            path => EventsFrom::Path(path.into()),
        };
        Ok(Self {
            name: name.to_owned(),
            source,
            only,
            weight,
        })
    }
}

/// Builds the mix of all options; `None` without any.
pub(super) fn read(
    options: &[MixOption],
    settings: &TemplateSettings,
    console: &mut Console,
) -> Result<Option<EventMix>, CommandError> {
    if options.is_empty() {
        return Ok(None);
    }
    let mut names = BTreeSet::new();
    if let Some(duplicate) = options.iter().find(|option| !names.insert(&option.name)) {
        return Err(CommandError::usage(
            format!("duplicate `{}` in --mix", duplicate.name),
            "name it once, with the sum of the weights".to_owned(),
        ));
    }
    let mut problems = Diagnostics::default();
    let mut entries = Vec::new();
    for option in options {
        if let Some(cases) = problems.take(option.cases()) {
            let cases = option.selected(cases)?;
            entries.extend(problems.take(option.entry(&cases, settings)));
        }
    }
    problems
        .into_result()
        .map_err(|problems| diagnostics_error(&problems, console))?;
    let left_out: Vec<&String> = entries.iter().flat_map(|entry| &entry.left_out).collect();
    for omitted in left_out.iter().take(MOST_LISTED) {
        console.note(&format!("not sent: {omitted}"));
    }
    if let Some(more @ 1..) = left_out.len().checked_sub(MOST_LISTED) {
        console.note(&format!("not sent: {more} more events"));
    }
    Ok(Some(EventMix::new(entries, settings.seed)))
}

/// The options that reproduce the mix, quoted for a shell.
pub(super) fn reproduce_options(options: &[MixOption]) -> String {
    let words = options.iter().map(|option| {
        let word = format!("{}={}", option.name, option.weight);
        let quoted = shlex::try_quote(&word).map(std::borrow::Cow::into_owned);
        format!(" --mix {}", quoted.unwrap_or(word))
    });
    words.collect()
}

impl MixOption {
    /// All scenarios of the source.
    fn cases(&self) -> Result<Vec<Case>, Diagnostics> {
        match &self.source {
            EventsFrom::Random => Ok(Vec::new()),
            EventsFrom::Bundled => bundled_suite(),
            EventsFrom::Path(path) => load(std::slice::from_ref(path)),
        }
    }

    /// The scenarios that match the filter.
    fn selected(&self, mut cases: Vec<Case>) -> Result<Vec<Case>, CommandError> {
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
            None => {
                "after `#`, give a part of a scenario's name or file, or a glob; `aghook list` \
                     shows them"
                    .to_owned()
            }
        };
        let message = format!("`{}` has no scenario `{text}`", self.path());
        Err(CommandError::usage(message, help))
    }

    fn path(&self) -> &str {
        self.name.split('#').next().unwrap_or_default()
    }

    /// Builds the templates of its scenarios' events. A load must be able to send every event of a
    /// named file, but only one of a folder, a glob or the bundled suite.
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
        // Every case of a matrix repeats the same problem.
        let mut seen = BTreeSet::new();
        unsendable.retain(|problem| seen.insert((problem.location(), problem.message.clone())));
        let is_one_file = matches!(&self.source, EventsFrom::Path(path) if path.is_file());
        let is_generated = matches!(self.source, EventsFrom::Random);
        if !unsendable.is_empty() && (is_one_file || scenarios.is_empty()) {
            return Err(Diagnostics(unsendable));
        }
        if scenarios.is_empty() && !is_generated {
            let message = "it contains no scenario";
            return Err(Diagnostic::for_file(self.path(), message).into());
        }
        let left_out = unsendable.iter();
        Ok(MixEntry {
            name: self.name.clone(),
            weight: self.weight,
            scenarios,
            left_out: left_out
                .map(|problem| format!("{}: {problem}", problem.location()))
                .collect(),
        })
    }
}

fn without_events(case: &Case) -> Diagnostic {
    let message = "it has no `events` that a load could send";
    Diagnostic::at(&case.source, case.scenario.name.span, message)
        .with_help("choose scenarios that have `events`")
}
