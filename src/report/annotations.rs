//! Annotations of GitHub workflows: a line for each scenario that failed or warned, which GitHub
//! shows on the run's page and beside the scenario's file in a pull request.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use super::scenario_story::{RunningScenarios, ScenarioStory, in_one_line};
use crate::harness::{RunEvent, Verdict};

/// The most checks that an annotation tells of.
const CHECK_LIMIT: usize = 5;

/// Gathers what went wrong, and writes it when the run is over.
pub struct Annotations<W> {
    out: W,
    running: RunningScenarios,
    /// The lines, by the numbers of the scenarios.
    lines: BTreeMap<usize, String>,
}

impl<W: Write> Annotations<W> {
    /// Writes to `out`, which has to be read by GitHub: standard output or standard error.
    pub fn new(out: W) -> Self {
        Self {
            out,
            running: RunningScenarios::default(),
            lines: BTreeMap::new(),
        }
    }

    fn run_ended(&mut self) -> io::Result<()> {
        for line in self.lines.values() {
            writeln!(self.out, "{line}")?;
        }
        self.out.flush()
    }
}

impl<W: Write> Report for Annotations<W> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        if let Some((story, ended)) = self.running.observe(event)
            && let Some(line) = annotation(&story, ended.verdict)
        {
            self.lines.insert(ended.scenario, line);
        }
        match event {
            RunEvent::RunEnded(_) => self.run_ended(),
            _ => Ok(()),
        }
    }
}

/// What could not be decided is an error too: it fails the job.
fn annotation(story: &ScenarioStory, verdict: Verdict) -> Option<String> {
    let command = match verdict {
        Verdict::Failed | Verdict::Broken => "error",
        Verdict::Warned => "warning",
        Verdict::Passed | Verdict::NotChecked => return None,
    };
    let mut checks: Vec<_> = story.troubles().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let mut message: Vec<String> = checks
        .iter()
        .take(CHECK_LIMIT)
        .map(|check| in_one_line(check))
        .collect();
    if let Some(more @ 1..) = checks.len().checked_sub(CHECK_LIMIT) {
        message.push(format!("and {more} more"));
    }
    let started = &story.started;
    Some(format!(
        "::{command} file={},line={},title={}::{}",
        property(&started.file),
        started.line,
        property(&format!("{verdict}: {}", started.name)),
        data(&message.join("\n"))
    ))
}

/// Text after the second `::`.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Text between the command and the second `::`.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_means_something_to_github_is_escaped() {
        assert_eq!(property("100%: a, b\r\n"), "100%25%3A a%2C b%0D%0A");
        assert_eq!(data("100%: a, b\n::error::"), "100%25: a, b%0A::error::");
    }

    proptest! {
        #[test]
        fn a_property_ends_nowhere_too_soon(text: String) {
            let escaped = property(&text);
            prop_assert!(!escaped.contains([':', ',', '\r', '\n']));
            let back = escaped.replace("%0D", "\r").replace("%0A", "\n");
            let back = back.replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
            prop_assert_eq!(back, text);
        }
    }
}
