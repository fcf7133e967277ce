//! What a run does with snapshot files. The modes are those of insta's `INSTA_UPDATE`.

use std::str::FromStr;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum SnapshotsMode {
    /// `no` in CI, `new` elsewhere.
    #[default]
    Auto,
    Always,
    New,
    /// Write a new report as reviewed, and a changed one as pending.
    Unseen,
    No,
    /// Like `always`, but also rewrite the files of reports that match.
    Force,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid mode `{0}`: expected auto, always, new, unseen, no or force")]
pub(crate) struct UnknownSnapshotsMode(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    Reviewed,
    Pending,
    Discarded,
}

impl SnapshotsMode {
    /// Resolves `auto` with the environment variables `CI` and `TF_BUILD`, as insta does.
    #[must_use]
    pub(crate) fn resolve(self, ci: Option<&str>, tf_build: bool) -> Self {
        let is_ci = match ci {
            Some("false" | "0" | "") => false,
            Some(_) => true,
            None => tf_build,
        };
        match self {
            Self::Auto if is_ci => Self::No,
            Self::Auto => Self::New,
            other => other,
        }
    }

    /// Where to write a report that does not match. `reviewed` says whether there is a reviewed
    /// one.
    pub(super) fn destination(self, reviewed: bool) -> Destination {
        match self {
            Self::Always | Self::Force => Destination::Reviewed,
            Self::Unseen if !reviewed => Destination::Reviewed,
            Self::Auto | Self::New | Self::Unseen => Destination::Pending,
            Self::No => Destination::Discarded,
        }
    }
}

impl FromStr for SnapshotsMode {
    type Err = UnknownSnapshotsMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "auto" => Self::Auto,
            // The old name that insta still accepts.
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
    fn ci_writes_nothing_by_default() {
        let auto = SnapshotsMode::Auto;
        assert_eq!(auto.resolve(Some("true"), false), SnapshotsMode::No);
        assert_eq!(auto.resolve(None, true), SnapshotsMode::No);
        for not_ci in [None, Some(""), Some("0"), Some("false")] {
            assert_eq!(auto.resolve(not_ci, false), SnapshotsMode::New);
        }
        let always = SnapshotsMode::Always;
        assert_eq!(always.resolve(Some("true"), true), always);
    }

    #[test]
    fn each_mode_has_its_destinations() {
        let destinations = |mode: &str| {
            let mode: SnapshotsMode = mode.parse().expect("a mode");
            [mode.destination(true), mode.destination(false)]
        };
        assert_eq!(destinations("new"), [Destination::Pending; 2]);
        assert_eq!(destinations("no"), [Destination::Discarded; 2]);
        assert_eq!(destinations("always"), [Destination::Reviewed; 2]);
        assert_eq!(destinations("force"), [Destination::Reviewed; 2]);
        assert_eq!(destinations("1"), [Destination::Reviewed; 2]);
        assert_eq!(
            destinations("unseen"),
            [Destination::Pending, Destination::Reviewed]
        );
        assert!("sometimes".parse::<SnapshotsMode>().is_err());
    }
}
