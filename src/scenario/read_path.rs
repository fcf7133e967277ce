//! The JSONPath with which a probe reads a value of one player and SKU.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;

use super::JsonPath;

/// A JSONPath in which `{player_id}` and `{sku}` may stand for text in quotation marks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(
    with = "String",
    description = "An RFC 9535 JSONPath, in which `{player_id}` and `{sku}` are replaced, such as \
                   `$.items['{sku}'].quantity`.",
    extend("pattern" = r"^\$")
)]
pub struct ReadPath(String);

/// Values that a path can contain only in quotation marks.
const SAMPLE: &str = "it's";

impl ReadPath {
    /// A path that is known to be valid.
    pub(super) fn unchecked(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The path to the value of a player and an SKU.
    pub(crate) fn of(&self, player_id: &str, sku: &str) -> Result<JsonPath, String> {
        // A value never has a placeholder that is replaced again: braces are escaped, too.
        let path = self.0.replace("{player_id}", &escaped(player_id));
        JsonPath::parse(&path.replace("{sku}", &escaped(sku)))
    }
}

/// The text within quotation marks of either kind.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        let is_special = c.is_ascii_control() || matches!(c, '\'' | '"' | '\\' | '{' | '}');
        if is_special {
            // Writing to a text can't fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

impl TryFrom<String> for ReadPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let path = Self(text);
        let Err(reason) = path.of(SAMPLE, SAMPLE) else {
            return Ok(path);
        };
        let text = path.as_str();
        Err(if text.contains('{') {
            format!(
                "invalid JSONPath `{text}`\nwrite placeholders in quotation marks, as in \
                 `$['{{player_id}}']['{{sku}}']`"
            )
        } else {
            reason
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Result<ReadPath, String> {
        text.to_owned().try_into()
    }

    #[test]
    fn any_player_and_sku_is_found() {
        for (player, sku) in [
            ("2D2R-OP3C", "crystals"),
            ("it's \"x\" \\ y", "a,b\tc\nd"),
            ("{sku}", "{player_id}"),
            ("игрок 😀", "\u{7f}\u{85}"),
        ] {
            let nested = json!({ player: { sku: 5, "other": 6 }, "other": { sku: 7 } });
            let rows = json!([
                { "player": "other", "sku": sku, "n": 4 },
                { "player": player, "sku": sku, "n": 5 },
                { "player": player, "sku": "other", "n": 6 },
            ]);
            for (path, body) in [
                ("$['{player_id}']['{sku}']", &nested),
                ("$[\"{player_id}\"][\"{sku}\"]", &nested),
                (
                    "$[?@.player == '{player_id}' && @.sku == \"{sku}\"].n",
                    &rows,
                ),
            ] {
                let path = parse(path)
                    .expect("a path")
                    .of(player, sku)
                    .expect("a path");
                assert_eq!(path.query(body), [&json!(5)], "{player} {sku} {path}");
            }
        }
    }

    #[test]
    fn a_path_without_placeholders_stays_as_it_is() {
        let path = parse("$.items[0].count").expect("a path");
        let filled = path.of("P", "S").expect("a path");
        assert_eq!(filled.to_string(), "$.items[0].count");
    }

    #[test]
    fn mistakes_are_reported() {
        for (path, expected) in [
            ("$.{sku}", "write placeholders in quotation marks"),
            ("$[{player_id}]", "write placeholders in quotation marks"),
            ("$.items[", "invalid JSONPath `$.items[`"),
            ("items['{sku}']", "invalid JSONPath"),
        ] {
            let problem = parse(path).expect_err(path);
            assert!(problem.contains(expected), "{path}: {problem}");
        }
    }
}
