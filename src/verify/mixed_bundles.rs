//! The warning that a game does not grant all bundles of a scenario in the same way.

use super::verdict::{Check, Requirement};
use crate::scenario::Level;

impl Requirement {
    /// The warning that the game opened some bundles and granted others by their SKU.
    pub(crate) fn mixed_bundles(&self) -> Check {
        let requirement = Self {
            level: Level::Should,
            source: Some("good practice: a game grants all bundles in the same way".to_owned()),
            strict: self.strict,
        };
        let observed = "some bundles were opened, and others were granted by their SKU";
        let expected = "each is opened, or each is granted by its SKU";
        let check = requirement.checked(false, "bundles", expected, observed);
        let hint = "set `bundles` in the profile's `policy` to what your game does, so that each bundle is checked \
             for it";
        Check {
            hint: Some(hint.to_owned()),
            ..check.with_cause(observed)
        }
    }
}
