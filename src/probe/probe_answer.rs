//! The answer of a game to a probe's request: what it says about one player and SKU.

use std::collections::HashMap;

use serde_json::Value;

use super::hook_error::HookFailure;
use super::probe_batch::ProbePair;
use super::probe_history::{ProbeHistory, missing_segment};
use super::probe_value::{ProbeValue, first_line};
use super::redaction::{REDACTED, Redaction};
use crate::diagnose::html_title;
use crate::scenario::{ReadPath, shortened};
use crate::transport::Response;

/// An answer to one request.
#[derive(Debug)]
pub(super) enum ProbeAnswer {
    Json(Value),
    /// What a program printed about each player and SKU.
    Lines {
        program: String,
        values: HashMap<(String, String), String>,
    },
    Printed {
        program: String,
        text: String,
    },
    Number(i128),
    /// None, which `missing` allows.
    Missing,
}

/// Reads the values in the answers to a probe.
#[derive(Debug, Clone)]
pub(super) struct AnswerReader {
    /// The path in JSON; `None` if the answers are not JSON.
    pub(super) read: Option<ReadPath>,
    /// Whether a command prints a line for each player and SKU.
    pub(super) has_lines: bool,
    pub(super) missing: Option<i128>,
    pub(super) history: ProbeHistory,
    pub(super) redaction: Redaction,
}

impl AnswerReader {
    pub(super) fn response(
        &self,
        name: &str,
        response: &Response,
    ) -> Result<ProbeAnswer, HookFailure> {
        let excerpt = || self.excerpt(&response.body);
        match (response.status, self.missing) {
            (200..300, _) => self.json(name, &response.body),
            (404, Some(_)) => {
                let reason = format!(
                    "has never returned a value: {name} returned 404{}",
                    excerpt()
                );
                let help = "check the probe's URL; if it is right, no delivery has been granted";
                self.history.record_problem(reason, help);
                Ok(ProbeAnswer::Missing)
            }
            (status, _) => {
                let hint = match status {
                    404 => {
                        "; check its URL, and add `missing: 0` only if your endpoint returns 404 for \
                         an item that the player does not hold"
                    }
                    _ => "",
                };
                let excerpt = excerpt();
                let reason = format!("{name} returned {status}{excerpt}{hint}");
                let needs_credentials = matches!(status, 401 | 403 | 407);
                Err(HookFailure::new(reason).general(needs_credentials))
            }
        }
    }

    pub(super) fn output(&self, program: &str, text: String) -> Result<ProbeAnswer, HookFailure> {
        let is_empty = text.trim().is_empty();
        if is_empty && self.missing.is_some() {
            return Ok(ProbeAnswer::Missing);
        }
        if self.read.is_some() {
            return self.json(program, text.as_bytes());
        }
        let program = program.to_owned();
        if self.has_lines {
            let values = self.lines(&program, &text)?;
            return Ok(ProbeAnswer::Lines { program, values });
        }
        Ok(ProbeAnswer::Printed { program, text })
    }

    fn json(&self, name: &str, body: &[u8]) -> Result<ProbeAnswer, HookFailure> {
        let body = serde_json::from_slice(body).map_err(|error| {
            let excerpt = self.excerpt(body);
            let is_page = html_title(&String::from_utf8_lossy(body)).is_some();
            HookFailure::new(format!("{name} returned invalid JSON: {error}{excerpt}"))
                .general(is_page)
        });
        body.map(ProbeAnswer::Json)
    }

    /// The values in lines with a player, an SKU and a value.
    fn lines(
        &self,
        program: &str,
        text: &str,
    ) -> Result<HashMap<(String, String), String>, HookFailure> {
        let mut values = HashMap::new();
        for line in filled_lines(text) {
            let Some([player, sku, value]) = columns(line) else {
                let text = self.redaction.text(text);
                let line = filled_lines(&text).find(|line| columns(line).is_none());
                let line = first_line(line.unwrap_or(REDACTED));
                return Err(HookFailure::new(format!(
                    "{program} printed {line:?} instead of a player, an SKU and a value, separated \
                     by tabs"
                )));
            };
            let pair = (player.to_owned(), sku.to_owned());
            if values.insert(pair, value.to_owned()).is_some() {
                return Err(HookFailure::new(format!(
                    "{program} printed two lines for player {player} and SKU {sku}"
                )));
            }
        }
        Ok(values)
    }

    /// The value of a player and an SKU. `None` if there is none, which `missing` allows.
    pub(super) fn value(
        &self,
        answer: &ProbeAnswer,
        (player_id, sku): ProbePair<'_>,
    ) -> Result<Option<ProbeValue>, HookFailure> {
        match answer {
            ProbeAnswer::Json(body) => self.value_in(body, (player_id, sku)),
            ProbeAnswer::Lines { program, values } => {
                let pair = (player_id.to_owned(), sku.to_owned());
                let (program, text) = (program.clone(), values.get(&pair).cloned());
                let value = text.map(|text| ProbeValue::Printed { program, text });
                if value.is_none() && self.missing.is_none() {
                    return Err(HookFailure::new(format!(
                        "no line for player {player_id} and SKU {sku}; if the player holds none \
                         then, add `missing: 0`"
                    )));
                }
                Ok(value)
            }
            ProbeAnswer::Printed { program, text } => Ok(Some(ProbeValue::Printed {
                program: program.clone(),
                text: text.clone(),
            })),
            ProbeAnswer::Number(number) => Ok(Some(ProbeValue::Number(*number))),
            ProbeAnswer::Missing => Ok(None),
        }
    }

    fn value_in(
        &self,
        body: &Value,
        (player_id, sku): ProbePair<'_>,
    ) -> Result<Option<ProbeValue>, HookFailure> {
        let Some(read) = &self.read else {
            return Ok(None);
        };
        let path = read.of(player_id, sku).map_err(HookFailure::new)?;
        let shown = || shortened(&self.redaction.json(body));
        match (path.query(body).as_slice(), self.missing) {
            ([value], _) => Ok(Some(ProbeValue::Json {
                path: path.to_string(),
                value: (*value).clone(),
            })),
            ([], Some(_)) => {
                // A path into something empty is right: the player holds nothing.
                if let Some(absent) = missing_segment(&path.to_string(), body) {
                    let body = shown();
                    let reason = format!("`{path}` has never matched: no `{absent}` in {body}");
                    let help = "check the probe's `read`";
                    self.history.record_problem(reason, help);
                }
                Ok(None)
            }
            (values, _) => {
                let (count, body) = (values.len(), shown());
                Err(HookFailure::new(format!(
                    "{path} matches {count} values instead of one in {body}"
                )))
            }
        }
    }

    /// The beginning of a body for a message: the title of a page, or the first line.
    fn excerpt(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        let text = self.redaction.text(&text);
        match html_title(&text) {
            Some("") => return " (an HTML page)".to_owned(),
            Some(title) => return format!(" (the HTML page “{title}”)"),
            None => {}
        }
        match first_line(text.trim()) {
            line if line.is_empty() => String::new(),
            line => format!(" ({line})"),
        }
    }
}

fn filled_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}

/// A player, an SKU and a value.
fn columns(line: &str) -> Option<[&str; 3]> {
    let columns: Vec<&str> = line.trim_end_matches('\r').split('\t').collect();
    columns.try_into().ok()
}

/// Reads the number of a player and an SKU, as a probe with this path does.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_number(
    response: &Response,
    path: ReadPath,
    pair: ProbePair<'_>,
    redaction: Redaction,
) -> Result<Option<i128>, HookFailure> {
    let reader = AnswerReader {
        read: Some(path),
        has_lines: false,
        missing: Some(0),
        history: ProbeHistory::default(),
        redaction,
    };
    let answer = reader.response("GET /", response)?;
    let value = reader.value(&answer, pair)?;
    let number = value.map(|value| value.number(&reader.redaction));
    number.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(missing: Option<i128>) -> AnswerReader {
        AnswerReader {
            read: None,
            has_lines: true,
            missing,
            history: ProbeHistory::default(),
            redaction: Redaction::new([]),
        }
    }

    #[test]
    fn each_line_has_the_value_of_one_player_and_sku() {
        let reader = reader(Some(0));
        let output = "P 1\tgold\t3\r\n\nP2\tgold\t-4\nP2\ttitle\tGold, member\n".to_owned();
        let answer = reader.output("psql", output).expect("lines");
        let text = |player, sku| {
            let value = reader.value(&answer, (player, sku)).expect("allowed");
            value.map(|value| value.text())
        };
        assert_eq!(text("P 1", "gold").as_deref(), Some("3"));
        assert_eq!(text("P2", "gold").as_deref(), Some("-4"));
        assert_eq!(text("P2", "title").as_deref(), Some("Gold, member"));
        assert_eq!(text("P2", "gems"), None);
    }

    #[test]
    fn lines_that_say_nothing_clear_are_failures() {
        let reader = reader(None);
        for (output, expected) in [
            (
                "P1|gold|3",
                "printed \"P1|gold|3\" instead of a player, an SKU",
            ),
            ("P1\tgold", "instead of a player"),
            (
                "P1\tgold\t3\nP1\tgold\t4",
                "two lines for player P1 and SKU gold",
            ),
        ] {
            let failure = reader.output("psql", output.to_owned()).expect_err(output);
            assert!(failure.to_string().contains(expected), "{failure}");
        }
        let answer = reader.output("psql", String::new()).expect("no lines");
        let failure = reader.value(&answer, ("P1", "gold")).expect_err("no value");
        assert!(
            failure.to_string().contains("add `missing: 0`"),
            "{failure}"
        );
    }

    /// In the first line alone it would not be recognised.
    #[test]
    fn a_secret_in_several_lines_is_not_shown() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let redaction = Redaction::new([crate::protocol::Secret::new(secret).expect("a secret")]);
        let reader = AnswerReader {
            redaction,
            ..reader(None)
        };
        let hex = hex::encode(secret);
        let (first, rest) = hex.split_at(60);
        let text = format!("{first}\n{rest}\n");
        let excerpt = reader.excerpt(text.as_bytes());
        assert_eq!(excerpt, " ([secret not shown])");
        let failure = reader.output("psql", text).expect_err("no columns");
        let expected = "psql printed \"[secret not shown]\" instead of a player";
        assert!(failure.to_string().starts_with(expected), "{failure}");
    }
}
