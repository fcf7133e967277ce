//! `aghook explain`: what a name in a report means, and how to fix it, with code.

use std::io::{self, Write};

use anstyle::Style;
use clap::Args;

use super::{CommandError, Console, ExitCode};
use crate::explain::{Explanation, Language, Subject, Topic};

/// Explain a flaw, a forgery, a fault, a check or a cause, and how to fix it
///
/// The names are those of `aghook list`, of the reports and of the scenario format: `lost_update`,
/// `wrong_secret`, `lost_ack`, `same_response`, 'redeliveries are granted again'. What to do is shown
/// as code in five languages.
#[derive(Debug, Args)]
pub struct Explain {
    /// Name to explain
    #[arg(value_name = "NAME", required = true, num_args = 1..)]
    name: Vec<String>,

    /// Show the code in this language only
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<Language>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

const NAME: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Running text is not wider than this.
const TEXT_WIDTH: usize = 96;

impl Explain {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let name = self.name.join(" ");
        let subject = Subject::find(&name).ok_or_else(|| unknown(&name))?;
        let languages = match &self.language {
            Some(language) => std::slice::from_ref(language),
            None => &Language::ALL,
        };
        let explanation = Explanation::new(subject, languages);
        if self.json {
            let json = serde_json::to_string_pretty(&explanation).map_err(io::Error::other)?;
            writeln!(console, "{json}")?;
        } else {
            write_explanation(console, &explanation, languages)?;
        }
        Ok(ExitCode::Success)
    }
}

fn unknown(name: &str) -> CommandError {
    let error = CommandError::usage(format!("unknown name `{}`", name.escape_debug()));
    if let Some(name) = Subject::nearest_name(name) {
        return error.with_help(format!("did you mean `{name}`?"));
    }
    let topics = Topic::ALL.map(Topic::name).join(", ");
    error.with_help(format!(
        "`aghook list --what flaws` lists the flaws, `--what forgeries` the forgeries, and `--what \
         faults` the faults; the topics are {topics}"
    ))
}

fn write_explanation(
    console: &mut Console,
    explanation: &Explanation,
    languages: &[Language],
) -> io::Result<()> {
    let Explanation { name, kind, .. } = explanation;
    let cost = explanation.cost.map(|cost| format!(": {cost}"));
    let cost = cost.unwrap_or_default();
    writeln!(console, "{NAME}{name}{NAME:#}  {DIM}{kind}{cost}{DIM:#}")?;
    if !explanation.about.is_empty() {
        write_text(console, "", explanation.about)?;
    }
    if let Some(revealed_by) = explanation.revealed_by {
        write_text(console, "Symptom: ", revealed_by)?;
    }
    if let Some(remedy) = explanation.remedy {
        write_text(console, "Remedy: ", remedy)?;
    }
    if !explanation.scenarios.is_empty() {
        write_text(console, "Scenarios: ", &explanation.scenarios.join(", "))?;
    }
    let topic = &explanation.topic;
    writeln!(console, "\n{NAME}{}{NAME:#}", topic.title)?;
    write_text(console, "", &topic.why)?;
    for language in languages {
        writeln!(console, "\n  {DIM}{}{DIM:#}", language.title())?;
        let code = topic.code[language.name()].as_str().unwrap_or_default();
        for line in code.lines() {
            writeln!(console, "{}", format!("    {line}").trim_end())?;
        }
    }
    Ok(())
}

/// Writes running text, indented, after a label.
fn write_text(console: &mut Console, label: &str, text: &str) -> io::Result<()> {
    let width = Console::width().unwrap_or(TEXT_WIDTH).clamp(40, TEXT_WIDTH);
    let options = textwrap::Options::new(width)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .initial_indent("  ")
        .subsequent_indent("  ");
    writeln!(
        console,
        "{}",
        textwrap::fill(&format!("{label}{text}"), options)
    )
}
