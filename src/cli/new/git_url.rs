//! The value of `aghook new --git`.

use std::str::FromStr;

use url::Url;

use super::super::invalid_value::InvalidValue;

/// The URL of a Git repository that `cargo install --git` accepts, without a secret, because it is
/// written to a file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GitUrl(String);

impl GitUrl {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GitUrl {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let url = Url::parse(text)
            .ok()
            .filter(|_| !text.contains(char::is_whitespace))
            .ok_or_else(|| {
                InvalidValue::expected(
                    "a URL, such as https://git.example.com/tools/aghook or \
                     ssh://git@git.example.com/tools/aghook",
                )
            })?;
        let is_token = !url.username().is_empty() && url.scheme().starts_with("http");
        if url.password().is_some() || is_token {
            return Err(InvalidValue::new(
                "the URL contains a secret, which everyone who reads the job would see; remove it, \
                 and configure Git's credentials in the job",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_a_secret_or_for_git_only_is_refused() {
        for (text, accepted) in [
            ("https://git.example.com/tools/aghook", true),
            ("ssh://git@git.example.com/tools/aghook", true),
            ("file:///srv/git/aghook", true),
            ("git@git.example.com:tools/aghook", false),
            ("https://oauth2:token@git.example.com/tools/aghook", false),
            ("https://token@git.example.com/tools/aghook", false),
            ("https://git.example.com/a b", false),
            ("tools/aghook", false),
        ] {
            assert_eq!(text.parse::<GitUrl>().is_ok(), accepted, "{text}");
        }
    }
}
