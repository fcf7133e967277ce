//! A request as a curl command for a POSIX shell.

use std::borrow::Cow;

use crate::delivery::SignedRequest;

/// The command. `None` if the request can't be written into a command line.
pub(super) fn curl_command(url: &str, request: &SignedRequest) -> Option<String> {
    let quoted = |word: &str| shlex::try_quote(word).map(Cow::into_owned).ok();
    let mut lines = vec![format!("curl --include --request POST {}", quoted(url)?)];
    for (name, value) in &request.headers {
        // curl drops a header without a value unless it ends with a semicolon.
        let header = match &**value {
            // curl sets it itself.
            _ if *name == "Host" => continue,
            "" => format!("{name};"),
            value => format!("{name}: {value}"),
        };
        lines.push(format!("--header {}", quoted(&header)?));
    }
    let body = std::str::from_utf8(&request.body).ok()?;
    lines.push(format!("--data-raw {}", quoted(body)?));
    Some(lines.join(" \\\n  ") + "\n")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn words_survive_the_shell() {
        let request = SignedRequest {
            headers: vec![
                ("Host", "127.0.0.1:1".to_owned()),
                ("X-Empty", String::new()),
                ("X-Quoted", "it's $HOME".to_owned()),
            ],
            body: Bytes::from_static(b"{\"name\": \"it's `x`\"}\n"),
            signed_timestamp: 1,
        };
        let command = curl_command("http://127.0.0.1:1/?a=1&b", &request).expect("a command");
        let words = shlex::split(&command.replace("\\\n", "")).expect("words");
        for word in [
            "http://127.0.0.1:1/?a=1&b",
            "X-Empty;",
            "X-Quoted: it's $HOME",
            "{\"name\": \"it's `x`\"}\n",
        ] {
            assert!(
                words.iter().any(|other| other == word),
                "{word:?} in {words:?}"
            );
        }
        assert!(!command.contains("Host"));
    }
}
