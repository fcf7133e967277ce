//! Proves that each kind of check in the scenario format can reveal a flaw. The bundled suite
//! avoids some kinds, since they would require more of a receiver than Aghanim does; for these,
//! `check_kinds/` has scenarios.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aghook::internals::receiver::Flaw;

use super::{Matrix, SEEDS, runs::Runs};

/// The kinds of checks on responses and effects, in the order of the documentation.
pub(crate) const CHECK_KINDS: [&str; 12] = [
    "status",
    "headers",
    "body",
    "schema",
    "within",
    "attempts",
    "outcome",
    "same_response",
    "granted",
    "not_granted",
    "removed",
    "probe",
];

/// The kinds with a scenario in `check_kinds/`, and the flaw that it reveals.
const EXTRA_SCENARIOS: [(&str, Flaw); 4] = [
    ("headers", Flaw::LoginRedirect),
    ("body", Flaw::RedeliveryAnsweredOtherwise),
    ("schema", Flaw::RedeliveryAnsweredOtherwise),
    ("probe", Flaw::DedupeMissing),
];

/// For each kind, whether the bundled suite uses it, and the flaws that fail such a check.
pub(crate) type CheckKinds = BTreeMap<&'static str, (bool, BTreeSet<Flaw>)>;

/// Collects the flaws that each kind reveals. Panics if a kind reveals none or blames a sound
/// receiver.
pub(crate) fn flaws_by_kind(runs: &Runs, matrix: &Matrix) -> CheckKinds {
    let mut kinds = CheckKinds::new();
    for kind in CHECK_KINDS {
        let flaws = matrix.iter();
        let flaws = flaws.filter(|(_, findings)| findings.check_kinds.contains(kind));
        let flaws: BTreeSet<Flaw> = flaws.map(|(flaw, _)| *flaw).collect();
        kinds.insert(kind, (!flaws.is_empty(), flaws));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proof/flaw_matrix/check_kinds");
    for (kind, flaw) in EXTRA_SCENARIOS {
        let file = [folder.join(kind).with_extension("yaml")];
        let sound = runs.run(&[], SEEDS[0], &file);
        assert!(sound.caught.is_empty(), "`{kind}` blames a sound receiver");
        let found = runs.run(&[flaw], SEEDS[0], &file);
        assert!(!found.caught.is_empty(), "`{kind}` does not reveal {flaw}");
        kinds.entry(kind).or_default().1.insert(flaw);
    }
    for (kind, (_, flaws)) in &kinds {
        assert!(!flaws.is_empty(), "`{kind}` reveals no flaw");
    }
    kinds
}
