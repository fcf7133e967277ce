//! What a profile may lack to check a part of a scenario: the reason, and what to do about it.

use crate::generate::Likeness;
use crate::policy::Fault;
use crate::scenario::Hook;
use crate::verify::{Check, EffectProbe, Requirement};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MissingCapability {
    Probe(String),
    /// A hook, and the profile's hook with the most similar name.
    Hook {
        name: String,
        similar: Option<String>,
    },
    /// Several hooks, by their names.
    Hooks(Vec<String>),
    ExpiredSecret,
    Http1(Fault),
    /// A key of `wire`, with its value.
    Http1Wire(&'static str),
    /// The webhook's secret is the guess of a forgery, which is therefore genuine.
    SecretBeyondGuessing,
    /// An instance of the receiver.
    Target(String),
    /// Another instance of the receiver than those that `targets` lists: none, or one.
    SeveralTargets {
        listed: usize,
    },
    Players {
        listed: usize,
        needed: usize,
    },
    /// Players that no other scenario uses.
    OwnPlayers,
    /// A player who does not hold this SKU yet, of which a player can hold only one.
    PlayerWithout(String),
    /// An item that can be held more than once, unlike this SKU.
    StackableItem(String),
    /// A player whose ID is like this.
    PlayerWhoseId(String),
    /// Two players whose IDs differ only in this.
    SimilarPlayers(Likeness),
    /// An item whose SKU has this many characters.
    ItemWithSkuLength(usize),
    /// An item whose SKU is that of another item after this text.
    ItemWithSkuBeginning(String),
}

fn add_hooks(names: &[String]) -> String {
    format!(
        "uncomment `hooks` in aghook.yaml, or add `hooks: {{ {}: {{ http: POST … }} }}` to the \
         profile; docs/profiles.md says what the hooks of the bundled suite do",
        names.join(": { http: POST … }, ")
    )
}

impl MissingCapability {
    /// Why something was not checked, and what to do about it.
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub(crate) fn reason_and_hint(&self) -> (String, String) {
        match self {
            Self::Probe(name) => (
                format!("the profile has no probe `{name}`"),
                format!("add `probes: {{ {name}: … }}` to the profile"),
            ),
            Self::Hook { name, .. } if name == Hook::SCRIPT => (
                "the profile has no `script` hook to set the receiver's responses".into(),
                "uncomment `script` in aghook.yaml, or add `script: { http: PUT … }` to \
                 the profile; docs/profiles.md describes the request"
                    .into(),
            ),
            Self::Hook { name, .. } if name == Hook::RESTART => (
                "the profile has no `restart` hook to restart the receiver".into(),
                "uncomment `restart` in aghook.yaml, or add `restart: { command: [docker, \
                 restart, …] }` or `restart: { http: POST … }` to the profile"
                    .into(),
            ),
            Self::Hook { name, similar } => (
                format!("the profile has no hook `{name}`"),
                match similar {
                    Some(similar) => format!("did you mean its hook `{similar}`?"),
                    None => add_hooks(std::slice::from_ref(name)),
                },
            ),
            Self::Hooks(names) => (
                format!("the profile has no hooks `{}`", names.join("` and `")),
                add_hooks(names),
            ),
            Self::ExpiredSecret => (
                "the profile does not name the expired secret".into(),
                "uncomment `expired_secret_env` in aghook.yaml, or set it in the \
                 profile, to the environment variable that holds it"
                    .into(),
            ),
            Self::Http1(fault) => (
                format!(
                    "the fault `{fault}` needs HTTP/1.1: over HTTP/2, an aborted request ends only \
                     its stream, not the connection"
                ),
                "set `http_version: \"1.1\"` or `auto` in the profile, or pass `--http-version 1.1`"
                    .into(),
            ),
            Self::Http1Wire(key) => (
                format!("`{key}` needs HTTP/1.1: HTTP/2 has no such choice"),
                "set `http_version: \"1.1\"` or `auto` in the profile, or pass `--http-version 1.1`"
                    .into(),
            ),
            Self::SecretBeyondGuessing => (
                "the webhook's secret is one that anyone guesses, so this delivery is genuine".into(),
                "replace the secret, in the game and at Aghanim".into(),
            ),
            Self::Target(name) => (
                format!("the profile has no target `{name}`"),
                format!("add `targets: {{ {name}: URL }}` to the profile"),
            ),
            Self::SeveralTargets { .. } => (
                "the profile's `targets` list fewer than two instances of the receiver".into(),
                "if yours has several that share their data, list them all, `target` included: uncomment `targets` \
                 in aghook.yaml, or add `targets: { a: URL, b: URL }`; if it has one, listing only that one \
                 makes `--strict` accept this"
                    .into(),
            ),
            Self::Players { listed, needed } => (
                format!(
                    "this scenario needs {needed} different players, but the profile's `players` \
                     lists {listed}"
                ),
                format!("list at least {needed} players"),
            ),
            Self::OwnPlayers => (
                "this scenario waits for the others, but they use its players".into(),
                "list more players, so that each scenario has its own".into(),
            ),
            Self::PlayerWithout(sku) => (
                format!(
                    "the player already holds {sku} and can hold only one, so a grant would not show"
                ),
                "list players who do not hold it yet, or use items that can be held more than once"
                    .into(),
            ),
            Self::StackableItem(sku) => (
                format!(
                    "a player can hold only one {sku}, so the probe can't show how often it is taken \
                     away"
                ),
                "add an item that can be held more than once to `items`".into(),
            ),
            Self::PlayerWhoseId(is) => (
                format!("no player in the profile's `players` has an ID that {is}"),
                "list one if your game can have such a player".into(),
            ),
            Self::SimilarPlayers(likeness) => (
                format!(
                    "no two unused players in the profile's `players` have IDs that differ only in \
                     {likeness}"
                ),
                "list two such players if your game can have them".into(),
            ),
            Self::ItemWithSkuBeginning(beginning) => (
                format!(
                    "this scenario needs an SKU that is made of `{beginning}` and another SKU, but the \
                     profile's `items` lists those of the game"
                ),
                "leave `items` out for this scenario if your game grants any SKU".into(),
            ),
            Self::ItemWithSkuLength(length) => (
                format!("no item in the profile's `items` has an SKU of {length} characters"),
                "list one if your game can have such an item".into(),
            ),
        }
    }

    /// The check of a step that needs this.
    pub(crate) fn step_not_checked(&self, requirement: &Requirement) -> Check {
        let (subject, expected) = match self {
            Self::Hook { name, .. } => return self.not_checked(requirement, name, ends(name)),
            Self::Hooks(names) => {
                let names = names.join(" and ");
                let ends = ends(&names);
                return self.not_checked(requirement, &names, ends);
            }
            Self::ExpiredSecret => ("expired_secret", "the receiver refuses the expired secret"),
            Self::Target(_) | Self::SeveralTargets { .. } => {
                ("targets", "deliveries to several instances of the receiver")
            }
            Self::Http1(_) => ("fault", "the receiver handles the fault"),
            Self::Http1Wire(_) => ("wire", "the receiver reads the request"),
            Self::SecretBeyondGuessing => ("secret", "the receiver refuses a guessed secret"),
            _ => ("players", "enough players for the scenario"),
        };
        self.not_checked(requirement, subject, expected)
    }

    /// The check of an effect that needs this.
    pub(crate) fn effect_not_checked(&self, effect: &EffectProbe<'_>) -> Check {
        self.not_checked(effect.requirement, &effect.subject, effect.expected())
    }

    /// That the game has nothing of the kind, if the profile lists all of its items, players and instances,
    /// and what to do if it has. Then even a strict run can't check more.
    fn ruled_out_by_lists(&self) -> Option<(String, String)> {
        match self {
            Self::PlayerWhoseId(_) | Self::SimilarPlayers(_) => Some((
                "no player under `players` in the profile has the ID that the scenario needs".into(),
                "list such players if your game can have them; `aghook run --dry-run` names them".into(),
            )),
            Self::ItemWithSkuLength(_) | Self::ItemWithSkuBeginning(_) => Some((
                "no item under `items` in the profile has the SKU that the scenario needs".into(),
                "list such items if your game can have them, or leave out `items` if it grants any SKU; \
                 `aghook run --dry-run` names them"
                    .into(),
            )),
            Self::SeveralTargets { listed: 1 } => Some((
                "the profile's `targets` list only one instance of the receiver".into(),
                "if there are more that share their data, list them all".into(),
            )),
            _ => None,
        }
    }

    fn not_checked(
        &self,
        requirement: &Requirement,
        subject: &str,
        expected: impl Into<String>,
    ) -> Check {
        let (reason, hint) = self.reason_and_hint();
        let ruled_out = self.ruled_out_by_lists();
        let requirement = Requirement {
            strict: requirement.strict && ruled_out.is_none(),
            ..requirement.clone()
        };
        let (cause, hint) = ruled_out.unwrap_or((reason.clone(), hint));
        Check {
            hint: Some(hint),
            cause: Some(cause),
            ..requirement.not_checked(subject, expected, reason)
        }
    }
}

/// What is expected of a hook.
pub(crate) fn ends(hook: &str) -> &'static str {
    match hook {
        Hook::SCRIPT => "the receiver's next responses are set",
        Hook::RESTART => "the receiver restarts",
        _ => "the hook succeeds",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Verdict;

    #[test]
    fn a_strict_run_does_not_fail_for_what_the_listed_items_and_players_rule_out() {
        let strict = Requirement {
            strict: true,
            ..Requirement::default()
        };
        for (missing, verdict) in [
            (
                MissingCapability::ItemWithSkuLength(255),
                Verdict::NotChecked,
            ),
            (
                MissingCapability::ItemWithSkuBeginning("a-".into()),
                Verdict::NotChecked,
            ),
            (
                MissingCapability::PlayerWhoseId("ends with `-Zoë`".into()),
                Verdict::NotChecked,
            ),
            (
                MissingCapability::SeveralTargets { listed: 1 },
                Verdict::NotChecked,
            ),
            (
                MissingCapability::SeveralTargets { listed: 0 },
                Verdict::Failed,
            ),
            (
                MissingCapability::Players {
                    listed: 1,
                    needed: 2,
                },
                Verdict::Failed,
            ),
        ] {
            assert_eq!(
                missing.step_not_checked(&strict).verdict,
                verdict,
                "{missing:?}"
            );
        }
    }
}
