//! What can be explained, and how it is found by its name.

use super::Topic;
use super::check_key::CheckKey;
use crate::policy::{Fault, Forgery};
use crate::receiver::Flaw;
use crate::report::GrantCause;
use crate::scenario::document::nearest;

/// What has a name in a list or a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Flaw(Flaw),
    Forgery(Forgery),
    Fault(Fault),
    Check(CheckKey),
    Cause(GrantCause),
    Topic(Topic),
}

impl Subject {
    /// Everything that can be explained.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let flaws = Flaw::ALL.into_iter().map(Self::Flaw);
        let forgeries = Forgery::ALL.into_iter().map(Self::Forgery);
        let faults = Fault::ALL.into_iter().map(Self::Fault);
        let checks = CheckKey::ALL.into_iter().map(Self::Check);
        let causes = GrantCause::all().map(Self::Cause);
        let topics = Topic::ALL.into_iter().map(Self::Topic);
        let named = flaws.chain(forgeries).chain(faults);
        named.chain(checks).chain(causes).chain(topics)
    }

    /// The one with this name. Case does not matter, and a space is as good as `_` or `-`.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let wanted = normalised(name);
        Self::all().find(|one| normalised(one.name()) == wanted)
    }

    /// The most similar name, if one is similar.
    pub(crate) fn nearest_name(name: &str) -> Option<&'static str> {
        let name = normalised(name).replace(' ', "_");
        nearest(&name, Self::all().map(Self::name))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flaw(flaw) => flaw.name(),
            Self::Forgery(forgery) => forgery.name(),
            Self::Fault(fault) => fault.name(),
            Self::Check(key) => key.name(),
            // Reports show causes as sentences.
            Self::Cause(cause) => cause.title(),
            Self::Topic(topic) => topic.name(),
        }
    }

    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Flaw(_) => "flaw",
            Self::Forgery(_) => "forgery",
            Self::Fault(_) => "fault",
            Self::Check(_) => "check",
            Self::Cause(_) => "cause",
            Self::Topic(_) => "topic",
        }
    }

    pub(super) fn topic(self) -> Topic {
        match self {
            Self::Flaw(flaw) => Topic::of_flaw(flaw),
            Self::Forgery(forgery) => Topic::of_forgery(forgery),
            Self::Fault(fault) => Topic::of_fault(fault),
            Self::Check(key) => key.topic(),
            Self::Cause(cause) => Topic::of_cause(cause),
            Self::Topic(topic) => topic,
        }
    }
}

fn normalised(name: &str) -> String {
    let name = name.trim().trim_end_matches('.').to_lowercase();
    name.replace(['_', '-'], " ").replace('`', "")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_found_and_means_one_thing() {
        let names = Subject::all().map(|one| normalised(one.name()));
        assert_eq!(names.collect::<BTreeSet<_>>().len(), Subject::all().count());
        for one in Subject::all() {
            assert_eq!(Subject::find(one.name()), Some(one));
            assert_eq!(Subject::find(&one.name().to_uppercase()), Some(one));
        }
        let spaced = Subject::find("lost-update");
        assert_eq!(spaced, Some(Subject::Flaw(Flaw::LostUpdate)));
        let nearest = Subject::nearest_name("Grant before keys");
        assert_eq!(nearest, Some("grant_before_key"));
        assert_eq!(Subject::find(""), None);
    }

    #[test]
    fn every_topic_fixes_something() {
        let others = || Subject::all().filter(|one| !matches!(one, Subject::Topic(_)));
        for topic in Topic::ALL {
            assert!(others().any(|one| one.topic() == topic), "{topic:?}");
        }
    }
}
