//! `aghook.yaml`: where the receiver is, how its effects are seen, and what is right there.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::document::{
    Diagnostic, Diagnostics, Located, Node, Patience, SourceFile, decode_all, nearest,
};
use super::{
    DurationText, MaxRate, PlayerList, Probe, ProbeRequest, RestartHook, RetryPolicy, RetrySetting,
    SnapshotSettings,
};
use crate::generate::CatalogueItem;

/// The whole file: target profiles by name.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Target profiles by name. `--profile NAME` picks one; left out, the one named `default`, or
    /// the only one.
    pub profiles: IndexMap<String, Profile>,
}

/// One receiver under test and what is known about it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The webhook's URL. `--target` goes before it.
    #[serde(default)]
    pub target: Option<Located<String>>,
    /// The environment variable that holds the webhook's secret; left out, `AGHOOK_SECRET`.
    #[serde(default)]
    pub secret_env: Option<String>,
    /// The environment variable that holds the secret before the present one. With it, the forgery
    /// `expired_secret` shows whether the receiver still takes the old secret.
    #[serde(default)]
    pub expired_secret_env: Option<String>,
    /// Hosts other than loopback that may be sent to: a live event can grant real items.
    #[serde(default)]
    pub allow_hosts: Vec<String>,
    /// A PEM file of certificates to trust besides the system's; relative to this file.
    #[serde(default)]
    pub cacert: Option<PathBuf>,
    /// The HTTP version: `1.1` (left out: the source's example), `2`, or `auto` to let TLS choose.
    #[serde(default)]
    pub http_version: HttpVersionName,
    /// The game's ID in every event; left out, an invented one.
    #[serde(default)]
    pub game_id: Option<String>,
    /// The game's own items. Left out, events grant invented ones, which a real receiver may refuse.
    #[serde(default)]
    pub items: Vec<CatalogueItem>,
    /// The players that the game knows, if it knows its own alone: IDs, patterns such as
    /// `player-{0..999}`, or `{ file: players.txt }`, relative to this file. Every generated event is
    /// about one of them. Left out, players are invented.
    #[serde(default)]
    pub players: Option<PlayerList>,
    /// How effects are seen, by name. `quantity` is the one that `granted` reads: how much of an
    /// SKU a player holds.
    #[serde(default)]
    pub probes: IndexMap<String, Probe>,
    /// How the receiver is told to answer with given statuses, which some scenarios need: a request
    /// whose JSON body is the list of statuses, such as `[503, 503]`.
    #[serde(default)]
    pub script: Option<ScriptHook>,
    /// How the receiver is restarted, which some scenarios need to see what it has kept.
    #[serde(default)]
    pub restart: Option<RestartHook>,
    /// What is right where Aghanim leaves the choice to the game.
    #[serde(default)]
    pub policy: Policy,
    /// How the sender retries. Aghanim's own schedule is not documented: these are assumptions.
    #[serde(default)]
    pub retry: Option<RetrySetting>,
    /// The most deliveries that the receiver takes, as `8/s` or `30/m`. Those of a run wait for their
    /// turn, in real time. Left out, nothing is held back.
    #[serde(default)]
    pub max_rate: Option<MaxRate>,
    /// How long effects may take to show after the answer. Given, what is right must still be
    /// right at its end, as befits a receiver that grants later; left out, the first right
    /// reading within 2s counts.
    #[serde(default)]
    pub settle: Option<DurationText>,
    /// What of this receiver's answers is shown in snapshot reports.
    #[serde(default)]
    pub snapshots: SnapshotSettings,
}

/// A request that scripts a receiver's next answers to one player.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptHook {
    /// Method and URL, such as `PUT http://127.0.0.1:8080/debug/players/{player_id}/respond`.
    /// `{player_id}` is replaced.
    #[serde(deserialize_with = "ProbeRequest::about_a_player")]
    #[schemars(with = "ProbeRequest")]
    pub http: ProbeRequest,
    /// Headers of the request. `$NAME` stands for an environment variable.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
}

/// What is right where Aghanim leaves the choice to the game. What is left out is not judged:
/// either way counts as right, as long as it happens once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// `nested`: each nested item is granted; `sku`: the bundle's own SKU is.
    #[serde(default)]
    pub bundles: Option<BundlePolicy>,
    /// Whether a bundle's own quantity multiplies those of its nested items. The source does not
    /// say; `multiply` is an assumption.
    #[serde(default)]
    pub bundle_quantity: BundleQuantity,
    /// What a sandbox event does to what the probe sees.
    #[serde(default)]
    pub sandbox: Option<GrantPolicy>,
    /// What an event with `trigger: test` does to what the probe sees.
    #[serde(default)]
    pub test: Option<GrantPolicy>,
}

/// How a game grants a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BundlePolicy {
    /// Each nested item is granted, down to the innermost.
    Nested,
    /// The bundle's own SKU is granted.
    Sku,
}

/// Whether a bundle's quantity multiplies those of its nested items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BundleQuantity {
    /// Two bundles of three gems are six gems.
    #[default]
    Multiply,
    /// Two bundles of three gems are three gems.
    Ignore,
}

/// What an event that is not live does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantPolicy {
    /// It grants nothing.
    Ignore,
    /// It grants like a live one.
    Grant,
}

/// Which HTTP version is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HttpVersionName {
    /// HTTP/1.1, as in the source's example.
    #[default]
    Http1,
    /// HTTP/2: by ALPN over TLS, by prior knowledge without.
    Http2,
    /// HTTP/2 where TLS agrees on it, HTTP/1.1 otherwise.
    Auto,
}

impl<'de> Deserialize<'de> for HttpVersionName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Version;

        impl Visitor<'_> for Version {
            type Value = HttpVersionName;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`1.1`, `2` or `auto`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<HttpVersionName, E> {
                match text {
                    "1.1" => Ok(HttpVersionName::Http1),
                    "2" => Ok(HttpVersionName::Http2),
                    "auto" => Ok(HttpVersionName::Auto),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<HttpVersionName, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<HttpVersionName, E> {
                self.visit_str(&number.to_string())
            }
        }

        deserializer.deserialize_any(Version)
    }
}

impl JsonSchema for HttpVersionName {
    fn schema_name() -> Cow<'static, str> {
        "HttpVersion".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["1.1", "2", "auto", 1.1, 2] })
    }
}

impl Profile {
    /// The SKUs of which a player can hold one at most.
    pub fn held_once(&self) -> BTreeSet<String> {
        let once = self.items.iter().filter(|item| !item.stackable);
        once.map(|item| item.sku.clone()).collect()
    }

    /// The players that the game knows; none where they are invented.
    pub fn listed_players(&self) -> &[String] {
        self.players.as_ref().map_or(&[], PlayerList::ids)
    }

    /// How the sender retries: what the profile sets, and the assumed policy for the rest.
    pub fn retry_policy(&self) -> RetryPolicy {
        let assumed = RetryPolicy::default();
        match &self.retry {
            Some(own) => own.over(&assumed),
            None => assumed,
        }
    }
}

impl Config {
    /// The name of the file that is looked for in the working folder.
    pub const FILE_NAME: &'static str = "aghook.yaml";

    /// Reads the config file at `path`. Its relative paths are taken from its folder.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        let source = SourceFile::read(path)?;
        let mut config = Self::parse(&source)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for profile in config.profiles.values_mut() {
            profile.cacert = profile.cacert.take().map(|cacert| folder.join(cacert));
        }
        config.read_players(path)?;
        Ok(config)
    }

    /// Reads the files of players that the profiles name. `path` is the config's own.
    pub fn read_players(&mut self, path: &Path) -> Result<(), Diagnostics> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut problems = Diagnostics::default();
        for (name, profile) in &mut self.profiles {
            let Some(players) = &mut profile.players else {
                continue;
            };
            if let Err(problem) = players.read(folder) {
                let message = format!("profiles.{name}.players: {problem}");
                let help = "the file has an ID or a pattern a line, and its path is taken from \
                            this file's folder";
                let file = path.display().to_string();
                problems.extend([Diagnostic::of_file(file, message, Some(help.to_owned()))]);
            }
        }
        problems.into_result()
    }

    /// Reads a config from a text.
    pub fn parse(source: &SourceFile) -> Result<Self, Diagnostics> {
        let tree = Node::parse(source)?;
        let decoded = decode_all(source, &tree, &mut Patience::of_a_file());
        match decoded.value {
            Some(config) if decoded.mistakes.is_empty() => Ok(config),
            _ => Err(Diagnostics(decoded.mistakes).of_one_file(&source.name)),
        }
    }

    /// Whether there are several profiles and none that is meant where nobody names one.
    pub fn has_no_default(&self) -> bool {
        self.profiles.len() > 1 && !self.profiles.contains_key("default")
    }

    /// The profile of that name; without a name, the one named `default`, or the only one.
    ///
    /// `file` is the file's name for messages.
    pub fn pick(&self, name: Option<&str>, file: &str) -> Result<(&str, &Profile), Diagnostics> {
        let names: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
        let problem = |message: String, help: String| {
            Diagnostics::from(Diagnostic::of_file(file, message, Some(help)))
        };
        let known = format!("profiles here: {}", names.join(", "));
        let wanted = match (name, names.as_slice()) {
            (_, []) => {
                let help = "`aghook new` writes a file to start from".to_owned();
                return Err(problem("there is no profile in this file".to_owned(), help));
            }
            (Some(name), _) => name,
            (None, [only]) => only,
            (None, _) => "default",
        };
        match self.profiles.get_key_value(wanted) {
            Some((name, profile)) => Ok((name, profile)),
            None if name.is_none() => Err(problem(
                "there are several profiles and none is named `default`".to_owned(),
                format!("pick one with `--profile NAME`; {known}"),
            )),
            None => {
                let nearest = nearest(wanted, names.iter().copied())
                    .map_or(String::new(), |name| format!("did you mean `{name}`? "));
                Err(problem(
                    format!("there is no profile `{wanted}`"),
                    format!("{nearest}{known}"),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESIGN: &str = r#"
profiles:
  local:
    target: http://127.0.0.1:8080/webhooks/aghanim
    secret_env: AGHANIM_WEBHOOK_SECRET
    probes:
      quantity:
        http: GET http://127.0.0.1:8080/debug/players/{player_id}/items/{sku}
        read: $.quantity
      by_command:
        command: [psql, "$DATABASE_URL", -Atc, "select 1"]
    policy: { bundles: nested, sandbox: ignore, test: ignore }
    retry: { attempts: 5, delays: [1s, 5s, 30s, 5m], timeout: 10s, retry_on: [5xx, 429, timeout, connection] }
"#;

    fn parse(text: &str) -> Result<Config, Diagnostics> {
        Config::parse(&SourceFile::new("aghook.yaml", text))
    }

    #[test]
    fn reads_the_profile_of_the_reference() {
        let config = parse(DESIGN).unwrap();
        let (name, profile) = config.pick(None, "aghook.yaml").unwrap();
        assert_eq!(name, "local");
        assert_eq!(profile.policy.bundles, Some(BundlePolicy::Nested));
        assert_eq!(profile.probes.len(), 2);
    }

    #[test]
    fn a_script_is_about_a_player_and_no_item() {
        let script = |url: &str| {
            parse(&format!(
                "profiles: {{ a: {{ script: {{ http: '{url}' }} }} }}"
            ))
        };
        assert!(script("PUT http://h/{player_id}/respond").is_ok());
        let told = script("PUT http://h/{player_id}/{sku}")
            .unwrap_err()
            .render(false, 90);
        assert!(
            told.contains("unknown placeholder `{sku}`")
                && told.contains("known here: {player_id}"),
            "{told}"
        );
    }

    #[test]
    fn an_unknown_profile_names_the_nearest() {
        let config = parse(DESIGN).unwrap();
        let error = config.pick(Some("locale"), "aghook.yaml").unwrap_err();
        let text = error.render(false, 90);
        assert!(
            text.contains("no profile `locale`") && text.contains("did you mean `local`?"),
            "{text}"
        );
    }

    #[test]
    fn one_of_several_profiles_must_be_named_or_the_default() {
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
    fn a_version_is_a_number_or_a_text_and_a_mistake_names_the_words() {
        for (text, version) in [
            ("1.1", HttpVersionName::Http1),
            ("\"1.1\"", HttpVersionName::Http1),
            ("2", HttpVersionName::Http2),
            ("2.0", HttpVersionName::Http2),
            ("\"2\"", HttpVersionName::Http2),
            ("auto", HttpVersionName::Auto),
        ] {
            let config = parse(&format!("profiles: {{ a: {{ http_version: {text} }} }}")).unwrap();
            assert_eq!(config.profiles["a"].http_version, version, "{text}");
        }
        for text in ["3", "1.0", "two", "true"] {
            let wrong = parse(&format!("profiles: {{ a: {{ http_version: {text} }} }}"));
            let told = wrong.unwrap_err().to_string();
            assert!(told.contains("expected `1.1`, `2` or `auto`"), "{told}");
        }
    }

    #[test]
    fn the_policy_is_the_assumed_one_but_for_what_the_profile_sets() {
        assert_eq!(Profile::default().retry_policy(), RetryPolicy::default());
        let config = parse("profiles: { a: { retry: { attempts: 2 } } }").unwrap();
        let expected = RetryPolicy {
            attempts: 2,
            ..RetryPolicy::default()
        };
        assert_eq!(config.profiles["a"].retry_policy(), expected);
    }
}
