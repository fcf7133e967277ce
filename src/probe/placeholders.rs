//! Replaces `{names}` with values and `$NAMES` with environment variables.

use std::env;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct VariableNotSet(pub String);

const PATH_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Encodes text for a segment of a URL's path.
pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, PATH_SEGMENT).to_string()
}

/// The names of placeholders in braces, with their values.
pub(crate) fn in_braces<'value>(values: &[(&str, &'value str)]) -> Vec<(String, &'value str)> {
    let values = values.iter();
    values
        .map(|(name, value)| (format!("{{{name}}}"), *value))
        .collect()
}

/// Replaces `{names}` with encoded values. Placeholders within values are not replaced.
pub(crate) fn fill_in(
    text: &str,
    values: &[(impl AsRef<str>, &str)],
    encode: impl Fn(&str) -> String,
) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let found = values
            .iter()
            .map(|(name, value)| (name.as_ref(), value))
            .filter_map(|(name, value)| Some((rest.find(name)?, name, value)));
        let Some((at, name, value)) = found.min_by_key(|(at, _, _)| *at) else {
            break;
        };
        filled.push_str(&rest[..at]);
        filled.push_str(&encode(value));
        rest = &rest[at + name.len()..];
    }
    filled.push_str(rest);
    filled
}

/// Replaces values, encoded or not, with their `{names}` if they are whole words. Texts that differ
/// only in these values become equal.
pub(crate) fn with_placeholders(text: &str, values: &[(impl AsRef<str>, &str)]) -> String {
    let known = values.iter().filter(|(_, value)| !value.is_empty());
    let forms: Vec<(&str, String)> = known
        .flat_map(|(name, value)| {
            let encoded = percent_encoded(value);
            let name = name.as_ref();
            [(name, encoded), (name, (*value).to_owned())]
        })
        .collect();
    let is_part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut general = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let starts_word = !is_part_of_word(text[..text.len() - rest.len()].chars().next_back());
        let found = forms
            .iter()
            .filter(|_| starts_word)
            .find_map(|(name, form)| {
                let after = rest.strip_prefix(form.as_str())?;
                (!is_part_of_word(after.chars().next())).then_some((name, after))
            });
        if let Some((name, after)) = found {
            general.push_str(name);
            rest = after;
        } else {
            general.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    general
}

/// Replaces `$NAME` with an environment variable, and `$$` with `$`. Adds the values, which may be
/// credentials, to `used`.
pub(crate) fn expand_variables(
    text: &str,
    used: &mut Vec<String>,
) -> Result<String, VariableNotSet> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            filled.push('$');
            rest = after;
            continue;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, after) = rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len()));
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            filled.push('$');
            continue;
        }
        let value = env::var(name).map_err(|_| VariableNotSet(name.to_owned()))?;
        filled.push_str(&value);
        used.push(value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_and_not_expanded_again() {
        let values = [("{player_id}", "a/b {sku}"), ("{sku}", "ж")];
        let url = fill_in(
            "http://h/{player_id}/{sku}?p={player_id}",
            &values,
            percent_encoded,
        );
        assert_eq!(url, "http://h/a%2Fb%20%7Bsku%7D/%D0%B6?p=a%2Fb%20%7Bsku%7D");
    }

    #[test]
    fn values_that_are_whole_words_become_placeholders() {
        let values = [("{player_id}", "A1-ж"), ("{sku}", "1")];
        for (text, general) in [
            (
                "GET /p/A1-%D0%B6/1 returned 401",
                "GET /p/{player_id}/{sku} returned 401",
            ),
            (
                "no such file: /p/A1-ж/1",
                "no such file: /p/{player_id}/{sku}",
            ),
            ("within 10s of 1", "within 10s of {sku}"),
            ("", ""),
        ] {
            assert_eq!(with_placeholders(text, &values), general);
        }
        assert_eq!(
            with_placeholders("unchanged", &[("{sku}", "")]),
            "unchanged"
        );
    }

    #[test]
    fn variables_come_from_the_environment() {
        let path = env::var("PATH").unwrap();
        let mut used = Vec::new();
        assert_eq!(
            expand_variables("a $PATH b", &mut used).unwrap(),
            format!("a {path} b")
        );
        assert_eq!(expand_variables("$$5 $1 $", &mut used).unwrap(), "$5 $1 $");
        assert_eq!(used, [path]);
        let problem = expand_variables("$AGHOOK_SURELY_NOT_SET", &mut used).unwrap_err();
        assert_eq!(problem, VariableNotSet("AGHOOK_SURELY_NOT_SET".to_owned()));
    }
}
