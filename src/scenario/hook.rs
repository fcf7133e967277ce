//! The hooks of a profile: requests and commands that read a number from the game, script the receiver's
//! responses, restart it, or change something else in it.

use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use super::HeaderSource;
use super::read_path::ReadPath;
use crate::policy::DurationText;

#[derive(Debug, Clone)]
pub enum HookSource {
    Http {
        request: ProbeRequest,
        /// `$NAME` is replaced with an environment variable.
        headers: IndexMap<String, HeaderSource>,
    },
    /// A program and its arguments.
    Command(Vec<String>),
}

impl HookSource {
    /// The source of a `hook`. `keys_of_http` are those given that a command can't have.
    pub(super) fn new(
        hook: &str,
        keys_of_http: Option<&str>,
        http: Option<ProbeRequest>,
        headers: IndexMap<String, HeaderSource>,
        command: Option<Vec<String>>,
    ) -> Result<Self, String> {
        match (http, command, keys_of_http) {
            (Some(request), None, _) => Ok(Self::Http { request, headers }),
            (None, Some(_), Some(keys)) => {
                Err(format!("{keys} belong to `http`, not to `command`"))
            }
            (None, Some(command), None) if command.is_empty() => {
                Err("`command` is empty\ngive a program and its arguments".to_owned())
            }
            (None, Some(command), None) => Ok(Self::Command(command)),
            _ => Err(format!("{hook} needs exactly one of `http` and `command`")),
        }
    }

    /// Whether the URL or an argument contains this text.
    pub(crate) fn contains(&self, text: &str) -> bool {
        match self {
            Self::Http { request, .. } => request.url.contains(text),
            Self::Command(words) => words.iter().any(|word| word.contains(text)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(
    with = "String",
    description = "A method and a URL. `{player_id}` and `{sku}` are replaced, and in a probe also \
                   `{player_ids}` and `{skus}` with JSON lists.",
    extend("pattern" = "^[A-Z]+ +https?://")
)]
pub struct ProbeRequest {
    pub method: String,
    /// The URL, in which `{player_id}` and `{sku}` are placeholders.
    pub url: String,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "ProbeKeys")]
#[schemars(with = "ProbeKeys")]
pub struct Probe {
    pub source: HookSource,
    /// The path to the value in JSON. `None` if a command prints no JSON.
    pub read: Option<ReadPath>,
    /// The number to use if there is none: after a 404, or if the path selects nothing.
    pub missing: Option<i128>,
    pub timeout: DurationText,
}

/// How to read a value from the game. Set exactly one of `http` and `command`.
///
/// With `{player_ids}` or `{skus}`, one request or command reads many values.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Probe")]
struct ProbeKeys {
    /// The method and URL, such as `GET http://127.0.0.1:8080/players/{player_id}/items/{sku}`.
    http: Option<ProbeRequest>,
    /// Headers of the request. `$NAME` is replaced with the environment variable `NAME`.
    headers: IndexMap<String, HeaderSource>,
    /// The JSONPath (RFC 9535) to the value in the JSON response, or in the JSON that the command
    /// prints. `{player_id}` and `{sku}` in quotation marks are replaced. Default for a request: `$`,
    /// and `['{player_id}']` and `['{sku}']` for each list in the request.
    read: Option<ReadPath>,
    /// A program that prints the value, and its arguments. It runs without a shell. `{player_id}` and
    /// `{sku}` are replaced, `{player_ids}` and `{skus}` with JSON lists, and `$NAME` with the
    /// environment variable `NAME`. With a list and without `read`, it prints lines with the player,
    /// the SKU and the value, separated by tabs.
    command: Option<Vec<String>>,
    /// The number to use if there is none: after a 404, or if `read` selects nothing. Default: the
    /// probe fails.
    missing: Option<i128>,
    /// The maximum duration of one reading. Default: 10s.
    timeout: Option<DurationText>,
}

impl TryFrom<ProbeKeys> for Probe {
    type Error = String;

    fn try_from(keys: ProbeKeys) -> Result<Self, String> {
        let of_http = (!keys.headers.is_empty()).then_some("`headers`");
        let source = HookSource::new("a probe", of_http, keys.http, keys.headers, keys.command)?;
        if let HookSource::Command(words) = &source {
            for word in words {
                check_placeholders(word, &PLACEHOLDERS)?;
            }
        }
        let lists = ProbeLists::of(&source)?;
        let read = match (&source, keys.read) {
            (_, Some(read)) => Some(lists.check(read)?),
            (HookSource::Http { .. }, None) => Some(lists.default_path()),
            (HookSource::Command(_), None) => None,
        };
        Ok(Self {
            source,
            read,
            missing: keys.missing,
            timeout: keys.timeout.unwrap_or(Duration::from_secs(10).into()),
        })
    }
}

/// Which lists a probe's request has.
struct ProbeLists {
    players: bool,
    skus: bool,
}

impl ProbeLists {
    fn of(source: &HookSource) -> Result<Self, String> {
        let is_list = |one: &str, list: &str| match (source.contains(one), source.contains(list)) {
            (true, true) => Err(format!(
                "`{one}` and `{list}` can't both be used\nkeep one of them"
            )),
            (_, list) => Ok(list),
        };
        Ok(Self {
            players: is_list("{player_id}", "{player_ids}")?,
            skus: is_list("{sku}", "{skus}")?,
        })
    }

    fn default_path(&self) -> ReadPath {
        let player = if self.players { "['{player_id}']" } else { "" };
        let sku = if self.skus { "['{sku}']" } else { "" };
        ReadPath::unchecked(format!("${player}{sku}"))
    }

    /// A path must select one of the listed values.
    fn check(&self, read: ReadPath) -> Result<ReadPath, String> {
        check_placeholders(read.as_str(), &["player_id", "sku"])?;
        for (list, name) in [(self.players, "{player_id}"), (self.skus, "{sku}")] {
            if list && !read.as_str().contains(name) {
                let example = self.default_path();
                return Err(format!(
                    "`read` selects the same value for everything that is asked for\nadd `{name}`, as \
                     in `{}`",
                    example.as_str()
                ));
            }
        }
        Ok(read)
    }
}

/// The placeholders allowed in a probe's URL and arguments.
const PLACEHOLDERS: [&str; 4] = ["player_id", "sku", "player_ids", "skus"];

/// The placeholders whose values come from an event.
pub(crate) const EVENT_PLACEHOLDERS: [&str; 3] = ["player_id", "sku", "event_id"];

/// The names in braces. Braces around anything but a name are not placeholders.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split('{').skip(1);
    let names = parts.filter_map(|part| Some(part.split_once('}')?.0));
    names.filter(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
    })
}

/// Rejects unknown placeholders.
fn check_placeholders(text: &str, known: &[&str]) -> Result<(), String> {
    placeholders(text).try_for_each(|name| check_placeholder(name, known))
}

pub(super) fn check_placeholder(name: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&name) {
        return Ok(());
    }
    let help = if known.is_empty() {
        "it affects the whole receiver, so placeholders aren't allowed".to_owned()
    } else {
        format!("known placeholders: {{{}}}", known.join("}, {"))
    };
    Err(format!("unknown placeholder `{{{name}}}`\n{help}"))
}

const EXPECTED_REQUEST: &str =
    "expected a method and a URL, as in `GET http://127.0.0.1:8080/players/{player_id}`";

impl ProbeRequest {
    fn parse(text: &str) -> Result<Self, String> {
        let Some((method, url)) = text.split_once(' ') else {
            return Err(format!("missing method before the URL\n{EXPECTED_REQUEST}"));
        };
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(format!(
                "`{method}` is not an HTTP method\n{EXPECTED_REQUEST}"
            ));
        }
        Ok(Self {
            method: method.to_owned(),
            url: url.trim().to_owned(),
        })
    }

    /// Deserializes a request whose placeholders depend on the hook.
    pub(super) fn for_hook<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Self>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let request = text.map(|text| Self::parse(&text)).transpose();
        request.map_err(de::Error::custom)
    }
}

impl TryFrom<String> for ProbeRequest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let request = Self::parse(&text)?;
        check_placeholders(&request.url, &PLACEHOLDERS)?;
        Ok(request)
    }
}
