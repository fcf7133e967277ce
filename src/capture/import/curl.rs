//! A curl command with the body in it.

use url::Url;

use super::ImportError;
use crate::capture::exchange::{Exchange, RawBody, RawRequest};

/// Options with a value that does not concern the request.
const OTHER_VALUES: [&str; 12] = [
    "-o",
    "--output",
    "-m",
    "--max-time",
    "--connect-timeout",
    "-x",
    "--proxy",
    "--cacert",
    "--cert",
    "--key",
    "-w",
    "--write-out",
];

pub(super) fn read(text: &str) -> Result<Exchange, ImportError> {
    let text = text.strip_prefix("$ ").unwrap_or(text);
    let words = shlex::split(text).ok_or(ImportError::Quotes)?;
    let mut words = words.into_iter().skip(1);
    let (mut method, mut url, mut headers, mut body) = (None, None, Vec::new(), None);
    while let Some(word) = words.next() {
        let (option, attached) = split(&word);
        let mut value = || {
            attached
                .clone()
                .or_else(|| words.next())
                .unwrap_or_default()
        };
        match option {
            "-X" | "--request" => method = Some(value()),
            "--url" => url = Some(value()),
            "-H" | "--header" => {
                let header = value();
                let (name, value) = header.split_once(':').unwrap_or((&header, ""));
                headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            "--data-raw" => body = Some(value()),
            "-d" | "--data" | "--data-binary" | "--data-ascii" | "--json" => {
                let data = value();
                if data.starts_with('@') {
                    return Err(ImportError::Curl(
                        "reads its body from a file: paste the body in its place",
                    ));
                }
                body = Some(data);
            }
            _ if OTHER_VALUES.contains(&option) => drop(value()),
            // An escaped line break leaves an empty word.
            _ if option.is_empty() || option.starts_with('-') => {}
            _ => url = Some(word),
        }
    }
    let url = url.ok_or(ImportError::Curl("has no URL"))?;
    let path = Url::parse(&url).map_or(url, |url| url[url::Position::BeforePath..].to_owned());
    let default_method = if body.is_some() { "POST" } else { "GET" };
    Ok(Exchange::of_log(RawRequest {
        method: method.unwrap_or_else(|| default_method.to_owned()),
        path,
        version: None,
        headers,
        body: RawBody::whole(body.unwrap_or_default()),
        is_chunked: false,
    }))
}

/// An option and its value, if that is in the same word: `--header=…` or `-H…`.
fn split(word: &str) -> (&str, Option<String>) {
    if word.starts_with("--") {
        let parts = word.split_once('=');
        return parts.map_or((word, None), |(option, value)| {
            (option, Some(value.to_owned()))
        });
    }
    let has_value = |option: &&str| word.len() > option.len() && word.starts_with(option);
    match ["-X", "-H", "-d", "-o", "-m", "-x", "-w"]
        .iter()
        .find(|option| has_value(option))
    {
        Some(option) => (option, Some(word[option.len()..].to_owned())),
        None => (word, None),
    }
}
