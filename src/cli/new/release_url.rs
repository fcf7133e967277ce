//! The value of `aghook new --release`.

use std::str::FromStr;

use url::Url;

use super::super::invalid_value::InvalidValue;

/// The URL of a folder with the packages of a release of aghook, without a secret, because it is written
/// to a file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReleaseUrl(String);

impl ReleaseUrl {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ReleaseUrl {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let url = Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https" | "file"))
            .filter(|_| !text.contains(char::is_whitespace))
            .ok_or_else(|| {
                InvalidValue::expected(
                    "a URL, such as https://git.example.com/tools/aghook/releases/download/v0.1.0",
                )
            })?;
        if url.password().is_some() || !url.username().is_empty() {
            return Err(InvalidValue::new(
                "the URL contains a secret, which everyone who reads the job would see; remove it, \
                 and have the job log in with a masked variable",
            ));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_no_folder_or_has_a_secret_is_refused() {
        for (text, accepted) in [
            (
                "https://git.example.com/tools/aghook/releases/download/v0.1.0/",
                true,
            ),
            ("http://packages.internal/aghook/0.1.0", true),
            ("file:///srv/aghook", true),
            ("ssh://git@git.example.com/tools/aghook", false),
            ("https://oauth2:token@git.example.com/tools/aghook", false),
            ("https://token@git.example.com/tools/aghook", false),
            ("https://git.example.com/a b", false),
            ("tools/aghook", false),
        ] {
            assert_eq!(text.parse::<ReleaseUrl>().is_ok(), accepted, "{text}");
        }
    }
}
