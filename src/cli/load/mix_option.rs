//! `--mix`: the sources of a load's events.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::super::scenario_selection::{Filter, diagnostics_error};
use super::super::{CommandError, Console, InvalidValue};
use crate::load::{
    EventMix, EventTemplate, MixEntry, MixScenario, TemplateSettings, TreatmentMix, mix_option,
};
use crate::policy::Percent;
use crate::scenario::document::{Diagnostic, Diagnostics, nearest};
use crate::scenario::{Case, bundled_suite, load};

#[derive(Debug, Clone)]
pub(super) struct MixOption {
    /// The option without the weight, as written.
    name: String,
    /// The scenario filter, as written and parsed.
    only: Option<(String, Filter)>,
    weight: NonZeroU32,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Mix")]
pub(super) struct MixOptions {
    /// Source of events: a scenario file, a folder or a quoted glob, such as 'promo.yaml=3'; bundled
    /// for the bundled suite; random for generated events (repeatable) [default: random]
    ///
    /// The number after `=` is the weight relative to other sources, 1 by default. `#` and a text or
    /// a glob select scenarios by name or file, as in 'bundled#payload/=2'. aghook sends the
    /// scenarios' events, each with a unique player, IDs and idempotency key. It does not run
    /// their steps: it checks that each event is granted once, and takes from their checks only which
    /// refusals are allowed.
    #[arg(long = "mix", value_name = "PATH[#SCENARIO][=WEIGHT]")]
    event_mix: Vec<MixOption>,

    /// Percentage of events to deliver twice, such as 5%. Without --together, a fifth of these are
    /// delivered twice simultaneously; the others are delivered again later
    #[arg(long, value_name = "PERCENT", default_value = "0%")]
    duplicates: Percent,

    /// Percentage of events to deliver twice simultaneously; --duplicates then sets only later
    /// duplicates [default: a fifth of --duplicates]
    #[arg(long, value_name = "PERCENT")]
    together: Option<Percent>,

    /// Percentage of events to replace by a forgery, which must be refused
    #[arg(long, value_name = "PERCENT", default_value = "0%")]
    forgeries: Percent,

    /// Percentage of events whose first response is lost, so that they are retried
    #[arg(long, value_name = "PERCENT", default_value = "0%")]
    lost_acks: Percent,
}

/// By default, one of this many duplicates is simultaneous.
const DUPLICATES_PER_SIMULTANEOUS: NonZeroU32 = NonZeroU32::new(5).unwrap();

const RANDOM: &str = "random";
const BUNDLED: &str = "bundled";

const MOST_LISTED: usize = 10;

impl FromStr for MixOption {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (name, weight) = match text.rsplit_once('=') {
            // The `=` of a matrix choice, as in `a.yaml#x [item=7]`, precedes no weight.
            Some((name, weight)) if !weight.ends_with(']') => {
                let refused = |_| {
                    InvalidValue::expected(format!(
                        "a whole number from 1 as weight after `=`, found `{weight}`; weights are \
                         relative, so write 0.5 and 1 as 1 and 2"
                    ))
                };
                (name, weight.parse().map_err(refused)?)
            }
            _ => (text, NonZeroU32::MIN),
        };
        let (path, only) = match name.split_once('#') {
            Some((path, only)) => (path, Some((only.to_owned(), only.parse()?))),
            None => (name, None),
        };
        match (path, &only) {
            ("", _) => Err(InvalidValue::expected("a path, `bundled` or `random`"))?,
            (RANDOM, Some(_)) => Err(InvalidValue::new("`random` has no scenarios to select"))?,
            _ => {}
        }
        Ok(Self {
            name: name.to_owned(),
            only,
            weight,
        })
    }
}

impl MixOptions {
    /// The files that are named.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let names = self
            .event_mix
            .iter()
            .map(|option| PathBuf::from(&option.name));
        names.filter(|path| path.is_file()).collect()
    }

    /// The percentages of treatments. Only simultaneous duplicates can reveal a race in the receiver,
    /// so by default there are always some.
    pub(super) fn treatments(&self) -> Result<TreatmentMix, CommandError> {
        let (together, later) = match self.together {
            Some(together) => (together, self.duplicates),
            None => self.duplicates.split(DUPLICATES_PER_SIMULTANEOUS),
        };
        TreatmentMix::new(self.forgeries, self.lost_acks, together, later)
            .map_err(CommandError::usage)
    }

    pub(super) fn reproduce_options(&self) -> String {
        let options = self.event_mix.iter();
        options
            .map(|option| mix_option(&option.name, option.weight.get()))
            .collect()
    }

    /// Builds the mix of all sources; `None` if all events are generated.
    pub(super) fn read(
        &self,
        settings: &TemplateSettings,
        console: &mut Console,
    ) -> Result<Option<EventMix>, CommandError> {
        let options = &self.event_mix;
        if options.is_empty() {
            return Ok(None);
        }
        let mut names = BTreeSet::new();
        if let Some(duplicate) = options.iter().find(|option| !names.insert(&option.name)) {
            return Err(
                CommandError::usage(format!("duplicate `{}` in --mix", duplicate.name))
                    .with_help("name it once, with the sum of the weights"),
            );
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
}

impl MixOption {
    fn cases(&self) -> Result<Vec<Case>, Diagnostics> {
        match self.path() {
            RANDOM => Ok(Vec::new()),
            BUNDLED => bundled_suite(),
            path => load(&[path.into()]),
        }
    }

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
        Err(CommandError::usage(message).with_help(help))
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
        let path = self.path();
        let is_one_file = path != BUNDLED && Path::new(path).is_file();
        if !unsendable.is_empty() && (is_one_file || scenarios.is_empty()) {
            return Err(Diagnostics(unsendable));
        }
        if scenarios.is_empty() && path != RANDOM {
            return Err(Diagnostic::for_file(path, "it contains no scenario").into());
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
