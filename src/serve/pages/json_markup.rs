//! Bodies as HTML with colors for JSON. Everything is escaped; characters that can't be seen are shown.

use serde_json::Value;

/// JSON in an indented form, or the text as it is. The result is safe HTML.
pub(super) fn pretty(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if value.is_object() || value.is_array() => {
            marked(&serde_json::to_string_pretty(&value).unwrap_or_default())
        }
        _ => escaped(&String::from_utf8_lossy(body)),
    }
}

/// The exact text as safe HTML.
pub(super) fn exact(body: &[u8]) -> String {
    escaped(&String::from_utf8_lossy(body))
}

/// The text of valid JSON with colors.
fn marked(json: &str) -> String {
    let mut html = String::with_capacity(json.len() * 2);
    let mut rest = json;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '0'..='9' | '-' => length_while(rest, |c| c.is_ascii_digit() || "+-.eE".contains(c)),
            'a'..='z' => length_while(rest, |c| c.is_ascii_lowercase()),
            _ => length_while(rest, |c| !c.is_ascii_alphanumeric() && c != '"' && c != '-'),
        };
        let (token, after) = rest.split_at(length);
        let class = match first {
            '"' if after.starts_with(':') => "json-key",
            '"' => "json-string",
            '0'..='9' | '-' => "json-number",
            'a'..='z' => "json-literal",
            _ => "json-mark",
        };
        html.extend(["<span class=\"", class, "\">", &escaped(token), "</span>"]);
        rest = after;
    }
    html
}

/// The length of the string that the text begins with, in bytes.
fn string_length(text: &str) -> usize {
    let mut is_escape = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '"' if !is_escape => return at + 1,
            '\\' => is_escape = !is_escape,
            _ => is_escape = false,
        }
    }
    text.len()
}

/// The length of the first character and those after it that belong to it, in bytes.
fn length_while(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    let mut after = text.char_indices().skip(1);
    let end = after.find(|(_, character)| !belongs(*character));
    end.map_or(text.len(), |(at, _)| at)
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(character),
            '\r' => html.push('␍'),
            _ if is_unseen(character) => html.extend(character.escape_unicode()),
            _ => html.push(character),
        }
    }
    html
}

/// Whether a character has no shape, or changes the order of others.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_has_colors_and_keeps_its_text() {
        let html = pretty(br#"{"a:\"b\\":[-1.5e3,true,null,"c"]}"#);
        for part in [
            r#"<span class="json-key">&quot;a:\&quot;b\\&quot;</span>"#,
            r#"<span class="json-number">-1500.0</span>"#,
            r#"<span class="json-literal">true</span>"#,
            r#"<span class="json-string">&quot;c&quot;</span>"#,
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert_eq!(pretty(b"<b>\x07\r\n"), "&lt;b&gt;\\u{7}␍\n");
    }

    proptest! {
        #[test]
        fn no_body_becomes_markup(body in any::<Vec<u8>>(), text in any::<String>()) {
            let json = serde_json::to_vec(&serde_json::json!({ text.as_str(): [text.as_str()] })).unwrap();
            for html in [pretty(&body), exact(&body), pretty(&json)] {
                let own = ["json-key", "json-string", "json-number", "json-literal", "json-mark"];
                let without = own.iter().fold(html, |html, class| {
                    html.replace(&format!("<span class=\"{class}\">"), "")
                });
                prop_assert!(!without.replace("</span>", "").contains(['<', '>', '"', '\'']));
            }
        }
    }
}
