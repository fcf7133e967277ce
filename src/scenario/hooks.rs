//! The hooks of a profile that are not probes: requests and commands that script the receiver's
//! responses, restart it, or change something else in it or in the test set-up.

use std::collections::BTreeSet;
use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use super::HeaderSource;
use super::hook::{EVENT_PLACEHOLDERS, HookSource, ProbeRequest, check_placeholder, placeholders};
use crate::policy::DurationText;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "HookKeys")]
#[schemars(with = "HookKeys")]
pub struct Hook {
    pub source: HookSource,
    pub timeout: DurationText,
}

/// A request or a command of the test set-up. Set exactly one of `http` and `command`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Hook")]
struct HookKeys {
    /// The method and URL, such as `POST http://127.0.0.1:8080/debug/restart`. The response must be
    /// 2xx. Placeholders such as `{player_id}` are replaced.
    #[serde(deserialize_with = "ProbeRequest::for_hook")]
    #[schemars(with = "Option<ProbeRequest>")]
    http: Option<ProbeRequest>,
    /// Headers of the request. `$NAME` is replaced with the environment variable `NAME`.
    headers: IndexMap<String, HeaderSource>,
    /// A program and its arguments. It runs without a shell and must exit with 0. Placeholders such
    /// as `{player_id}` are replaced, and `$NAME` with the environment variable `NAME`.
    command: Option<Vec<String>>,
    /// The maximum duration; for `restart`, until the target accepts connections again. Default: 30s.
    timeout: Option<DurationText>,
}

impl TryFrom<HookKeys> for Hook {
    type Error = String;

    fn try_from(keys: HookKeys) -> Result<Self, String> {
        let of_http = (!keys.headers.is_empty()).then_some("`headers`");
        Ok(Self {
            source: HookSource::new("a hook", of_http, keys.http, keys.headers, keys.command)?,
            timeout: keys.timeout.unwrap_or(Duration::from_secs(30).into()),
        })
    }
}

impl Hook {
    /// The name of the hook that makes the receiver respond with given statuses.
    pub(crate) const SCRIPT: &str = "script";
    /// The name of the hook that restarts the receiver.
    pub(crate) const RESTART: &str = "restart";

    /// The names of the hooks that steps of the bundled suite run.
    pub(crate) const OF_BUNDLED_SUITE: [&str; 3] =
        [Self::FILL_INVENTORY, Self::FREE_INVENTORY, "shift_clock"];
    pub(crate) const FILL_INVENTORY: &str = "fill_inventory";
    pub(crate) const FREE_INVENTORY: &str = "free_inventory";

    /// The placeholder for how far the receiver's clock must be ahead of real time.
    pub(crate) const SECONDS: &str = "seconds";

    /// The names of its placeholders, such as `player_id`.
    pub fn placeholders(&self) -> BTreeSet<&str> {
        let texts: Vec<&str> = match &self.source {
            HookSource::Http { request, .. } => vec![&request.url],
            HookSource::Command(words) => words.iter().map(String::as_str).collect(),
        };
        texts.into_iter().flat_map(placeholders).collect()
    }

    /// Deserializes the hook `restart`, which affects the whole receiver.
    pub(super) fn restart<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Self>, D::Error> {
        Self::with_only(&[], from)
    }

    /// Deserializes the hook `script`.
    pub(super) fn script<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Self>, D::Error> {
        Self::with_only(&["player_id", "answers"], from)
    }

    fn with_only<'de, D: Deserializer<'de>>(
        known: &[&str],
        deserializer: D,
    ) -> Result<Option<Self>, D::Error> {
        let hook = Option::<Self>::deserialize(deserializer)?;
        if let Some(hook) = &hook {
            hook.check(known).map_err(de::Error::custom)?;
        }
        Ok(hook)
    }

    fn check(&self, known: &[&str]) -> Result<(), String> {
        let mut used = self.placeholders().into_iter();
        used.try_for_each(|name| check_placeholder(name, known))
    }
}

/// Hooks by name, which steps run. Those in [`Hooks::RESERVED`] run on their own.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(try_from = "IndexMap<String, Hook>")]
#[schemars(with = "IndexMap<String, Hook>")]
pub struct Hooks(IndexMap<String, Hook>);

impl Hooks {
    /// Runs before the first scenario.
    pub const BEFORE_RUN: &str = "before_run";
    /// Runs after the last scenario.
    pub const AFTER_RUN: &str = "after_run";
    /// Runs before each scenario; for each of its events if it has placeholders.
    pub const BEFORE_SCENARIO: &str = "before_scenario";
    const RESERVED: [&str; 3] = [Self::BEFORE_RUN, Self::AFTER_RUN, Self::BEFORE_SCENARIO];

    /// Whether a step can't run the hook of this name, because it runs on its own.
    pub(crate) fn is_reserved(name: &str) -> bool {
        Self::RESERVED.contains(&name)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Hook)> {
        self.0.iter().map(|(name, hook)| (name.as_str(), hook))
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Hook> {
        self.0.values_mut()
    }
}

impl TryFrom<IndexMap<String, Hook>> for Hooks {
    type Error = String;

    fn try_from(hooks: IndexMap<String, Hook>) -> Result<Self, String> {
        for (name, hook) in &hooks {
            let known: &[&str] = match name.as_str() {
                Self::BEFORE_RUN | Self::AFTER_RUN => &[],
                Self::BEFORE_SCENARIO => &EVENT_PLACEHOLDERS,
                Hook::RESTART | Hook::SCRIPT => {
                    return Err(format!(
                        "`{name}` is a key of the profile\nmove it out of `hooks`"
                    ));
                }
                _ => continue,
            };
            hook.check(known)
                .map_err(|problem| format!("`{name}`: {problem}"))?;
        }
        Ok(Self(hooks))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::document::SourceFile;
    use super::*;

    fn hook(keys: &str) -> Result<Hook, String> {
        let text = format!("profiles: {{ a: {{ restart: {{ {keys} }} }} }}");
        let config = Config::parse(&SourceFile::new("aghook.yaml", text));
        let config = config.map_err(|problems| problems.to_string())?;
        Ok(config.profiles["a"].restart.clone().expect("given"))
    }

    #[test]
    fn a_hook_is_a_request_or_a_command() {
        let by_http = hook("http: POST http://127.0.0.1:8080/debug/restart").unwrap();
        assert!(matches!(by_http.source, HookSource::Http { .. }));
        assert_eq!(by_http.timeout.0, Duration::from_secs(30));
        let by_command = hook("command: [docker, restart, game], timeout: 2m").unwrap();
        assert!(matches!(by_command.source, HookSource::Command(_)));
        assert_eq!(by_command.timeout.0, Duration::from_mins(2));
    }

    #[test]
    fn mistakes_are_reported() {
        for (keys, expected) in [
            ("", "exactly one of `http` and `command`"),
            (
                "http: POST http://127.0.0.1/r, command: [a]",
                "exactly one of",
            ),
            ("command: []", "`command` is empty"),
            ("command: [a], headers: { A: b }", "`headers` belong to"),
            (
                "\"http\": \"POST http://127.0.0.1/{player_id}\"",
                "unknown placeholder `{player_id}`",
            ),
            ("comand: [a]", "unknown key `comand`"),
        ] {
            let problem = hook(keys).unwrap_err();
            assert!(problem.contains(expected), "{keys}: {problem}");
        }
    }
}
