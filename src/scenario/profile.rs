//! `aghook.yaml`: profiles of receivers, with their targets, probes and policies.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::document::{
    DECODE_BUDGET, Diagnostic, Diagnostics, Node, SourceFile, Spanned, decode_all, did_you_mean,
};
use super::{
    DeliveryHeaders, Hook, HookSource, Hooks, PlayerList, Policy, Probe, SnapshotSettings,
};
use crate::generate::{BodyLayout, CatalogueItem, ContextObjects, EventForm, KeyForm};
use crate::policy::{ConnectTo, DurationText, HttpVersion, MaxRate, RetryPolicy, RetrySetting};

/// The configuration in `aghook.yaml`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The target profiles, by name. `--profile NAME` selects one. Default: the only
    /// profile, otherwise the one named `default`.
    pub profiles: IndexMap<String, Profile>,
}

/// A receiver under test, and what aghook needs to know about it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// The URL of the webhook. `--target` overrides it.
    pub target: Option<Spanned<String>>,
    /// The URLs of several instances of the receiver, by name, which share their data. Deliveries go to
    /// `target`, or to the first of these, unless a step says otherwise. `--target` replaces them.
    pub targets: IndexMap<String, Spanned<String>>,
    /// The environment variable with the webhook's secret. Default: `AGHOOK_SECRET`.
    pub secret_env: Option<String>,
    /// The environment variable with the previous secret. The forgery `expired_secret` uses it to test
    /// whether the receiver still accepts the old secret.
    pub expired_secret_env: Option<String>,
    /// Hosts that aghook may send to, in addition to loopback. Live events can grant real items!
    pub allow_hosts: Vec<String>,
    /// Headers to add to every delivery, and to requests of scenarios to the same server. Reports do
    /// not show the values.
    pub headers: DeliveryHeaders,
    /// A PEM file of certificates to trust in addition to the system's; the path is relative to this
    /// file.
    pub cacert: Option<PathBuf>,
    /// Accept any TLS certificate of the receiver.
    pub insecure: bool,
    /// A PEM file with the certificate, and its chain, that identifies aghook to the receiver; the path
    /// is relative to this file.
    pub client_cert: Option<PathBuf>,
    /// A PEM file with the key of `client_cert`, unencrypted. Default: the file of `client_cert`.
    pub client_key: Option<PathBuf>,
    /// Connect to this host and port instead of the target's. `Host` and the name in the certificate
    /// remain the target's.
    pub connect_to: Option<ConnectTo>,
    /// Connect to this Unix socket instead of the target's host and port; the path is relative to this
    /// file.
    pub unix_socket: Option<PathBuf>,
    /// The HTTP version: `1.1` (as in the source document's example), `2`, or `auto` to negotiate it
    /// over TLS. Default: `1.1`.
    pub http_version: HttpVersion,
    /// The ID of the game in every event. Default: a made-up ID.
    pub game_id: Option<String>,
    /// How the JSON of events is written, unless an event has a `layout`. Default: `compact`.
    pub layout: BodyLayout,
    /// The form of idempotency keys, unless an event has its own. Default: `idmpt_` and 32 letters and
    /// digits.
    pub idempotency_key: Option<KeyForm>,
    /// The player and the order to send in contexts, wherever aghook would generate them. Whether an event
    /// has a context is not affected.
    pub context: ContextObjects,
    /// The items of the game. Default: events grant made-up items, which a real receiver may refuse.
    #[serde(deserialize_with = "CatalogueItem::list")]
    pub items: Vec<CatalogueItem>,
    /// The players to use in generated events, if the game rejects unknown players: IDs, patterns such
    /// as `player-{0..999}`, or `{ file: players.txt }`, with a path relative to this file. Default:
    /// made-up players.
    pub players: Option<PlayerList>,
    /// The probes that read effects from the game, by name. `granted` and `not_granted` use the probe
    /// `quantity`: how much of an SKU a player holds.
    pub probes: IndexMap<String, Probe>,
    /// How to make the receiver respond with given statuses, which some scenarios need. A request's
    /// JSON body is the list of statuses, such as `[503, 503]`; a command has the placeholder
    /// `{answers}`.
    #[serde(deserialize_with = "Hook::script")]
    pub script: Option<Hook>,
    /// How to restart the receiver. Some scenarios need it to check that the receiver stores what it
    /// granted.
    #[serde(deserialize_with = "Hook::restart")]
    pub restart: Option<Hook>,
    /// Hooks by name: requests and commands that the steps of scenarios run, such as
    /// `fill_inventory`. `before_run`, `after_run` and `before_scenario` run on their own.
    pub hooks: Hooks,
    /// What is expected where Aghanim leaves the choice to the game.
    pub policy: Policy,
    /// How the sender retries: keys that override the default policy, or `off`. Aghanim does not
    /// document its schedule, so the defaults are assumptions.
    #[schemars(extend("default" = null))]
    pub retry: Option<RetrySetting>,
    /// The maximum rate of deliveries, such as `8/s` or `30/m`, for a receiver that limits it. The
    /// waits take real time. Default: no limit.
    pub max_rate: Option<MaxRate>,
    /// The grace period for effects: how long they may take to show after the response. If set, an
    /// effect must still be as expected at the end of it. Set it for a receiver that grants later.
    /// Default: 2s, and a check passes at the first expected reading.
    pub settle: Option<DurationText>,
    /// Which parts of this receiver's responses snapshot reports show.
    pub snapshots: SnapshotSettings,
}

impl Profile {
    /// The SKUs of the game of which a player can hold at most one.
    pub fn unstackable_skus(&self) -> BTreeSet<String> {
        let unstackable = self.items.iter().filter(|item| !item.stackable);
        unstackable.map(|item| item.held_sku().to_owned()).collect()
    }

    /// The SKUs of the items that are not marked as bundles.
    pub(crate) fn plain_skus(&self) -> Vec<String> {
        let plain = self.items.iter().filter(|item| !item.bundle);
        plain.map(|item| item.sku.clone()).collect()
    }

    /// Makes the paths of certificates, keys, sockets and values of headers relative to `folder`.
    fn resolve_paths(&mut self, folder: &Path) {
        for path in [
            &mut self.cacert,
            &mut self.client_cert,
            &mut self.client_key,
            &mut self.unix_socket,
        ] {
            *path = path.take().map(|path| folder.join(path));
        }
        self.headers.resolve(folder);
        let probes = self.probes.values_mut().map(|probe| &mut probe.source);
        let own = self.script.iter_mut().chain(&mut self.restart);
        let hooks = own.chain(self.hooks.values_mut());
        for source in probes.chain(hooks.map(|hook| &mut hook.source)) {
            if let HookSource::Http { headers, .. } = source {
                headers
                    .values_mut()
                    .for_each(|source| source.resolve(folder));
            }
        }
    }

    pub(crate) fn event_form(&self) -> EventForm {
        EventForm {
            layout: self.layout,
            key: self.idempotency_key.clone().map(Arc::new),
            contexts: Arc::new(self.context.clone()),
        }
    }

    /// The URL that deliveries go to, if the profile has one: `target`, or the first of `targets`.
    pub fn first_target(&self) -> Option<&Spanned<String>> {
        self.target.as_ref().or(self.targets.values().next())
    }

    /// The hooks that steps run, by name: `script`, `restart` and those in `hooks`.
    pub(crate) fn named_hooks(&self) -> impl Iterator<Item = (&str, &Hook)> {
        let script = self.script.iter().map(|hook| (Hook::SCRIPT, hook));
        let restart = self.restart.iter().map(|hook| (Hook::RESTART, hook));
        script.chain(restart).chain(self.hooks.iter())
    }

    /// The players to use; empty if they are made up.
    pub fn listed_players(&self) -> &[String] {
        self.players.as_ref().map_or(&[], PlayerList::ids)
    }

    /// The retry policy: the profile's settings over the assumed defaults.
    pub fn retry_policy(&self) -> RetryPolicy {
        let assumed = RetryPolicy::default();
        let own = self.retry.as_ref().map(|own| own.over(&assumed));
        own.unwrap_or(assumed)
    }
}

impl Config {
    /// The file name to look for in the working folder.
    pub const FILE_NAME: &'static str = "aghook.yaml";

    /// Reads the config file at `path`. Its relative paths are relative to its folder.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        let source = SourceFile::read(path)?;
        let mut config = Self::parse(&source)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for profile in config.profiles.values_mut() {
            profile.resolve_paths(folder);
        }
        config.read_players(path)?;
        Ok(config)
    }

    /// Reads the player files that the profiles refer to. `path` is the path of the config file.
    pub fn read_players(&mut self, path: &Path) -> Result<(), Diagnostics> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut problems = Diagnostics::default();
        for (name, profile) in &mut self.profiles {
            let Some(players) = &mut profile.players else {
                continue;
            };
            if let Err(problem) = players.read(folder) {
                let message = format!("profiles.{name}.players: {problem}");
                let help = "write one ID or pattern per line; the path is relative to the config \
                            file";
                let problem = Diagnostic::for_file(path.display().to_string(), message);
                problems.extend([problem.with_help(help)]);
            }
        }
        problems.into_result()
    }

    /// Parses a config file.
    pub fn parse(source: &SourceFile) -> Result<Self, Diagnostics> {
        let tree = Node::parse(source)?;
        let mut budget = DECODE_BUDGET;
        match decode_all(source, &tree, &mut budget) {
            (Some(config), mistakes) if mistakes.0.is_empty() => Ok(config),
            (_, mistakes) => Err(mistakes.sorted_and_limited(&source.name)),
        }
    }

    /// The line of a profile's key, from 1; if the profile does not have the key, its own line and
    /// `false`.
    pub fn place(source: &SourceFile, profile: &str, key: &str) -> Option<(usize, bool)> {
        let tree = Node::parse(source).ok()?;
        let named = |node: &Node, name: &str| {
            let mut entries = node.entries().iter();
            let (key, value) = entries.find(|(key, _)| key.value == name)?;
            Some((source.line_and_column(key.span.start).0, value.clone()))
        };
        let (_, profiles) = named(&tree, "profiles")?;
        let (line, keys) = named(&profiles, profile)?;
        Some(match named(&keys, key) {
            Some((line, _)) => (line, true),
            None => (line, false),
        })
    }

    /// Whether there are several profiles, none of which is the default.
    pub fn has_no_default(&self) -> bool {
        self.profiles.len() > 1 && !self.profiles.contains_key("default")
    }

    /// Selects a profile by name; without a name, the profile named `default`, or the only one.
    ///
    /// `file` is the file's name in messages.
    pub fn pick(&self, name: Option<&str>, file: &str) -> Result<(&str, &Profile), Diagnostics> {
        let names: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
        let problem = |message: &str, help: &str| {
            Err(Diagnostic::for_file(file, message).with_help(help).into())
        };
        let known = format!("known profiles: {}", names.join(", "));
        let wanted = match (name, names.as_slice()) {
            (_, []) => {
                let help = "run `aghook new` to create a config file";
                return problem("no profiles in this file", help);
            }
            (Some(name), _) => name,
            (None, [only]) => only,
            (None, _) => "default",
        };
        if let Some((name, profile)) = self.profiles.get_key_value(wanted) {
            return Ok((name, profile));
        }
        if name.is_none() {
            let help = format!("select one with `--profile NAME`; {known}");
            return problem("several profiles, and none is named `default`", &help);
        }
        let question = did_you_mean(wanted, names);
        let message = format!("unknown profile `{wanted}`");
        problem(&message, &format!("{question}{known}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = r#"
profiles:
  local:
    target: http://127.0.0.1:8080/webhooks/aghanim
    secret_env: AGHANIM_WEBHOOK_SECRET
    probes:
      quantity:
        http: GET http://127.0.0.1:8080/debug/players/{player_id}/items/{sku}
        read: $.quantity
      by_command:
        command: [psql, "$DATABASE_URL", -wAtc, "select 1"]
    policy: { bundles: nested, sandbox: ignore, test: ignore }
    retry: { attempts: 5, delays: [1s, 5s, 30s, 5m], timeout: 10s, retry_on: [5xx, 429, timeout, connection] }
"#;

    fn parse(text: &str) -> Result<Config, Diagnostics> {
        Config::parse(&SourceFile::new("aghook.yaml", text))
    }

    #[test]
    fn reads_a_complete_profile() {
        let config = parse(EXAMPLE).unwrap();
        let (name, profile) = config.pick(None, "aghook.yaml").unwrap();
        assert_eq!(name, "local");
        assert_eq!(
            profile.policy.bundles,
            Some(crate::scenario::BundlePolicy::Nested)
        );
        assert_eq!(profile.probes.len(), 2);
    }

    #[test]
    fn a_script_allows_only_the_player_placeholder() {
        let script = |url: &str| {
            parse(&format!(
                "profiles: {{ a: {{ script: {{ http: '{url}' }} }} }}"
            ))
        };
        assert!(script("PUT http://h/{player_id}/respond").is_ok());
        let message = script("PUT http://h/{player_id}/{sku}")
            .unwrap_err()
            .render(false, 90);
        assert!(
            message.contains("unknown placeholder `{sku}`")
                && message.contains("known placeholders: {player_id}"),
            "{message}"
        );
    }

    #[test]
    fn an_unknown_profile_suggests_the_most_similar() {
        let config = parse(EXAMPLE).unwrap();
        let error = config.pick(Some("locale"), "aghook.yaml").unwrap_err();
        let text = error.render(false, 90);
        assert!(
            text.contains("unknown profile `locale`") && text.contains("did you mean `local`?"),
            "{text}"
        );
    }

    #[test]
    fn one_of_several_profiles_must_be_selected_or_named_default() {
        let two = "profiles: { a: {}, b: {} }";
        assert!(parse(two).unwrap().pick(None, "x").is_err());
        let with_default = "profiles: { a: {}, default: {} }";
        assert_eq!(
            parse(with_default).unwrap().pick(None, "x").unwrap().0,
            "default"
        );
        assert!(parse("profiles: {}").unwrap().pick(None, "x").is_err());
    }

    #[test]
    fn an_http_version_is_a_number_or_text_and_errors_list_the_values() {
        for (text, version) in [
            ("1.1", HttpVersion::Http1),
            ("\"1.1\"", HttpVersion::Http1),
            ("2", HttpVersion::Http2),
            ("2.0", HttpVersion::Http2),
            ("\"2\"", HttpVersion::Http2),
            ("auto", HttpVersion::Auto),
        ] {
            let config = parse(&format!("profiles: {{ a: {{ http_version: {text} }} }}")).unwrap();
            assert_eq!(config.profiles["a"].http_version, version, "{text}");
        }
        for text in ["3", "1.0", "two", "true"] {
            let invalid = parse(&format!("profiles: {{ a: {{ http_version: {text} }} }}"));
            let message = invalid.unwrap_err().to_string();
            assert!(
                message.contains("expected `1.1`, `2` or `auto`"),
                "{message}"
            );
        }
    }

    #[test]
    fn the_retry_policy_of_a_profile_overrides_the_defaults() {
        assert_eq!(Profile::default().retry_policy(), RetryPolicy::default());
        let config = parse("profiles: { a: { retry: { attempts: 2 } } }").unwrap();
        let expected = RetryPolicy {
            attempts: 2,
            ..RetryPolicy::default()
        };
        assert_eq!(config.profiles["a"].retry_policy(), expected);
    }
}
