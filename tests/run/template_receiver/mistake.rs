//! A mistake that is built into the receiver in Python, and the scenarios that must catch it.

use std::collections::BTreeSet;

use super::receiver::TemplateReceiver;

/// What a game that is built on the template would write into its profile: it opens bundles, and
/// grants sandbox and test events like any other.
pub(crate) const CHOICES: &str = "policy: { bundles: nested, sandbox: grant, test: grant }";

/// What even the sound template is warned of: nothing in it looks at a timestamp's age.
pub(crate) const NOT_FRESH: [&str; 2] = ["signature/future_timestamp", "signature/stale_timestamp"];

/// The line of the receiver that decides on what is granted.
const GRANTS: &str = "grants = [grant for item in items for grant in leaves(item, 1)]";

/// A mistake in the receiver, the files whose scenarios it fails, and those that it warns of.
pub(crate) struct Mistake {
    what: &'static str,
    changes: Vec<(String, String)>,
    only: Option<&'static str>,
    fails: BTreeSet<String>,
    warns: BTreeSet<String>,
}

pub(crate) fn set(files: &[&str]) -> BTreeSet<String> {
    files.iter().map(|&file| file.to_owned()).collect()
}

impl Mistake {
    pub(crate) fn new(what: &'static str) -> Self {
        Self {
            what,
            changes: Vec::new(),
            only: None,
            fails: BTreeSet::new(),
            warns: set(&NOT_FRESH),
        }
    }

    /// Replaces a text that stands in the receiver once.
    pub(crate) fn replace(mut self, text: &str, replacement: &str) -> Self {
        self.changes.push((text.to_owned(), replacement.to_owned()));
        self
    }

    /// Refuses, with this status, events for which a Python expression over `event`, `data`,
    /// `item` and `items` does not hold.
    pub(crate) fn demand(self, condition: &str, status: u16) -> Self {
        let refusal = format!("raise Refusal({status}, 'refused')");
        let check = format!("item = data['item']\n        if not ({condition}): {refusal}");
        self.replace(GRANTS, &format!("{check}\n        {GRANTS}"))
    }

    /// Grants what another Python expression over `event`, `data` and `items` says.
    pub(crate) fn grant(self, expression: &str) -> Self {
        self.replace(GRANTS, &format!("grants = {expression}"))
    }

    /// Runs this file alone: the mistake shows all over the suite.
    pub(crate) fn only_in(mut self, file: &'static str) -> Self {
        self.only = Some(file);
        self.warns.clear();
        self
    }

    /// The files with a scenario that fails.
    pub(crate) fn fails(mut self, files: &[&str]) -> Self {
        self.fails = set(files);
        self
    }

    /// The files with a scenario that warns, besides those that warn of the sound template.
    pub(crate) fn warns(mut self, files: &[&str]) -> Self {
        self.warns.extend(set(files));
        self
    }

    /// Runs the suite, and demands that these files fail and warn, and no others.
    pub(crate) fn is_caught(&self) {
        let Some(receiver) = TemplateReceiver::start(&self.changes) else {
            return;
        };
        let filter = self.only.map(|file| format!("{file}.yaml"));
        let options = match &filter {
            Some(file) => vec!["--filter", file],
            None => Vec::new(),
        };
        let outcome = receiver.run(CHOICES, &options);
        let what = self.what;
        let (mut failed, mut warned) = (outcome.files("failed"), outcome.files("warned"));
        // Whether the receiver sees the request before the reset is up to the two systems.
        failed.remove("faults/reset");
        warned.remove("faults/reset");
        assert_eq!(failed, self.fails, "{what}");
        assert_eq!(warned, self.warns, "{what}");
        assert_eq!(outcome.code, i32::from(!self.fails.is_empty()), "{what}");
    }
}
