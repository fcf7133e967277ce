//! Which known bugs the failures of a run look like, at its end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A bug that the failures of a run look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LikelyCause {
    /// How well the failures fit.
    pub certainty: Certainty,
    /// The bug that fits best.
    #[serde(flatten)]
    pub bug: KnownBug,
    /// Other bugs that fit nearly as well; omitted if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or: Vec<KnownBug>,
    /// The number of failing scenarios that it explains and that no cause before it explains.
    pub explains: usize,
    /// Their numbers in this run; omitted for an exploration, after which the bundled suite ran to find the
    /// cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenarios: Vec<usize>,
    /// The number of all scenarios that failed or warned.
    pub failing: usize,
}

/// How well failures fit to a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Nearly the same scenarios failed, in the same way.
    Likely,
    /// At least half of it fits.
    Possible,
}

/// A bug that is known from other receivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownBug {
    /// The name of the built-in receiver's flaw.
    pub flaw: String,
    /// What is wrong.
    pub about: String,
    /// What fixes it.
    pub remedy: String,
}

impl LikelyCause {
    /// `likely cause` or `possible cause`.
    pub(crate) fn label(&self) -> &'static str {
        match self.certainty {
            Certainty::Likely => "likely cause",
            Certainty::Possible => "possible cause",
        }
    }

    /// What it is, and how many scenarios it explains.
    pub(crate) fn headline(&self) -> String {
        let (about, explains, failing) = (&self.bug.about, self.explains, self.failing);
        let of_suite = if self.scenarios.is_empty() {
            " of the bundled suite"
        } else {
            ""
        };
        format!("{about} (explains {explains} of {failing} failures{of_suite})")
    }

    /// What to do about it, and the other bugs that it may be.
    pub(crate) fn advice(&self) -> impl Iterator<Item = String> {
        let remedy = format!("→ {}", self.bug.remedy);
        let others = self.or.iter();
        let others = others.map(|bug| format!("or: {} → {}", bug.about, bug.remedy));
        std::iter::once(remedy).chain(others)
    }
}
