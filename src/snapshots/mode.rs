//! What a run does with the files of snapshots: the words of insta's `INSTA_UPDATE`.

use std::str::FromStr;

/// What is written where a report is not as reviewed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SnapshotsMode {
    /// Like `new`, but like `no` in CI.
    #[default]
    Auto,
    /// Every report goes in the reviewed one's place.
    Always,
    /// What is not as reviewed is written beside, for review.
    New,
    /// A report that has no reviewed one becomes it; what differs is written beside.
    Unseen,
    /// Nothing is written.
    No,
    /// Like `always`, and files that are as reviewed are written anew as well.
    Force,
}

/// A word that is no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no mode `{0}`; known: auto, always, new, unseen, no, force")]
pub struct UnknownSnapshotsMode(String);

/// Where a report goes that is not as reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// In the reviewed one's place.
    InPlace,
    /// Beside it.
    Beside,
    /// Nowhere.
    Nowhere,
}

impl SnapshotsMode {
    /// What the mode means where the variables of the environment are `CI` and `TF_BUILD`, which
    /// insta takes for a CI system as well.
    #[must_use]
    pub fn decided(self, ci: Option<&str>, tf_build: bool) -> Self {
        let is_ci = match ci {
            Some("false" | "0" | "") => false,
            Some(_) => true,
            None => tf_build,
        };
        match self {
            Self::Auto if is_ci => Self::No,
            Self::Auto => Self::New,
            decided => decided,
        }
    }

    /// Where a report goes that is not as reviewed; `reviewed` says whether there is a reviewed one.
    pub(super) fn destination(self, reviewed: bool) -> Destination {
        match self {
            Self::Always | Self::Force => Destination::InPlace,
            Self::Unseen if !reviewed => Destination::InPlace,
            Self::Auto | Self::New | Self::Unseen => Destination::Beside,
            Self::No => Destination::Nowhere,
        }
    }
}

impl FromStr for SnapshotsMode {
    type Err = UnknownSnapshotsMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "auto" => Self::Auto,
            // What insta took before it had words.
            "always" | "1" => Self::Always,
            "new" => Self::New,
            "unseen" => Self::Unseen,
            "no" => Self::No,
            "force" => Self::Force,
            _ => return Err(UnknownSnapshotsMode(text.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_writes_nothing_unless_it_is_told_to() {
        let auto = SnapshotsMode::Auto;
        assert_eq!(auto.decided(Some("true"), false), SnapshotsMode::No);
        assert_eq!(auto.decided(None, true), SnapshotsMode::No);
        for not_ci in [None, Some(""), Some("0"), Some("false")] {
            assert_eq!(auto.decided(not_ci, false), SnapshotsMode::New);
        }
        let always = SnapshotsMode::Always;
        assert_eq!(always.decided(Some("true"), true), always);
    }

    #[test]
    fn each_mode_has_its_place() {
        let places = |mode: &str| {
            let mode: SnapshotsMode = mode.parse().expect("a mode");
            [mode.destination(true), mode.destination(false)]
        };
        assert_eq!(places("new"), [Destination::Beside; 2]);
        assert_eq!(places("no"), [Destination::Nowhere; 2]);
        assert_eq!(places("always"), [Destination::InPlace; 2]);
        assert_eq!(places("force"), [Destination::InPlace; 2]);
        assert_eq!(places("1"), [Destination::InPlace; 2]);
        assert_eq!(
            places("unseen"),
            [Destination::Beside, Destination::InPlace]
        );
        assert!("sometimes".parse::<SnapshotsMode>().is_err());
    }
}
