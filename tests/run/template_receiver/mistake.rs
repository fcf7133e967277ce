//! A mistake added to the receiver in Python, and the scenarios that must catch it.

use std::collections::BTreeSet;

use super::receiver::TemplateReceiver;

/// The policy of the template: it opens bundles, and grants sandbox and test events.
pub(crate) const POLICY: &str = "policy: { bundles: nested, sandbox: grant, test: grant }";

/// The warnings for the unchanged template, since it does not check a timestamp's age.
pub(crate) const NOT_FRESH: [&str; 3] = [
    "signature/future_timestamp",
    "signature/malformed_timestamp",
    "signature/stale_timestamp",
];

/// The line of the receiver that computes the grants.
const GRANTS: &str = "grants = [grant for item in items for grant in leaves(item, 1)]";

/// A mistake in the receiver, and the files with scenarios that fail or warn.
pub(crate) struct ReceiverMistake {
    name: &'static str,
    changes: Vec<(String, String)>,
    only: Option<&'static str>,
    fails: BTreeSet<String>,
    warns: BTreeSet<String>,
}

pub(crate) fn set(files: &[&str]) -> BTreeSet<String> {
    files.iter().map(|&file| file.to_owned()).collect()
}

impl ReceiverMistake {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            changes: Vec::new(),
            only: None,
            fails: BTreeSet::new(),
            warns: set(&NOT_FRESH),
        }
    }

    /// Replaces a text that occurs once in the receiver.
    pub(crate) fn replace(mut self, text: &str, replacement: &str) -> Self {
        self.changes.push((text.to_owned(), replacement.to_owned()));
        self
    }

    /// Refuses events with this status unless a Python expression over `event`, `data`, `item` and
    /// `items` is true.
    pub(crate) fn require(self, condition: &str, status: u16) -> Self {
        let refusal = format!("raise Refusal({status}, 'refused')");
        let check = format!("item = data['item']\n        if not ({condition}): {refusal}");
        self.replace(GRANTS, &format!("{check}\n        {GRANTS}"))
    }

    /// Grants the result of another Python expression over `event`, `data` and `items`.
    pub(crate) fn grant(self, expression: &str) -> Self {
        self.replace(GRANTS, &format!("grants = {expression}"))
    }

    /// Runs only this file, for a mistake that shows in most of the suite.
    pub(crate) fn only_in(mut self, file: &'static str) -> Self {
        self.only = Some(file);
        self.warns.clear();
        self
    }

    /// Sets the files with a failing scenario.
    pub(crate) fn fails(mut self, files: &[&str]) -> Self {
        self.fails = set(files);
        self
    }

    /// Sets the files with a warning that the unchanged template does not get.
    pub(crate) fn warns(mut self, files: &[&str]) -> Self {
        self.warns.extend(set(files));
        self
    }

    /// Runs the suite and asserts that exactly these files fail and warn.
    pub(crate) fn is_caught(&self) {
        let Some(receiver) = TemplateReceiver::start(&self.changes) else {
            return;
        };
        let filter = self.only.map(|file| format!("{file}.yaml"));
        let options = match &filter {
            Some(file) => vec!["--filter", file],
            None => Vec::new(),
        };
        let outcome = receiver.run(POLICY, &options);
        let name = self.name;
        let (mut failed, mut warned) = (outcome.files("failed"), outcome.files("warned"));
        // Whether the receiver sees the request before the reset depends on the operating system.
        failed.remove("faults/reset");
        warned.remove("faults/reset");
        assert_eq!(failed, self.fails, "{name}");
        assert_eq!(warned, self.warns, "{name}");
        assert_eq!(outcome.code, i32::from(!self.fails.is_empty()), "{name}");
    }
}
