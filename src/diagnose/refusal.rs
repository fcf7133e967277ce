//! What to do about a refusal that shows no mistake in the set-up: another secret, or an access token
//! that something in front of the handler demands.

use std::sync::LazyLock;

use regex::Regex;

use super::setup_mistake::ResponseText;

/// What to do if bundles are refused, unlike plain items.
pub(crate) const MARK_BUNDLES: &str = "if the game knows only some SKUs as bundles, mark your bundle \
                                       SKUs in `items` with `bundle: true`, such as `{ sku: \
                                       starter_chest, bundle: true }`; otherwise look for the reason \
                                       in the receiver's log";

static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?i)\b(token|api[ _-]?key|apikey|access[ _-]?key|[a-z]+[ _-]key|bearer|credentials|unauthenticated)\b";
    Regex::new(pattern).expect("a valid pattern")
});
static SIGNATURE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?i)signature|hmac|timestamp|idempotency|secret|webhook[ _-]key";
    Regex::new(pattern).expect("a valid pattern")
});

impl ResponseText<'_> {
    /// `secret`, and what to do about an access token if the response may ask for one: first, if it
    /// names one. `own_headers` are the names of the headers that the profile adds.
    pub(crate) fn refusal_help(self, secret: &str, own_headers: &[String]) -> String {
        if self.names_token() {
            return format!("{}; otherwise, {secret}", token_help(own_headers));
        }
        match self.status {
            401 => format!("{secret}; or {}", token_help(own_headers)),
            _ => secret.to_owned(),
        }
    }

    /// Whether a refusal names a key or a token, as what is in front of a handler does.
    pub(crate) fn names_token(self) -> bool {
        if !matches!(self.status, 401 | 403) {
            return false;
        }
        let challenge = self.header("www-authenticate").unwrap_or_default();
        let names = |text: &str| TOKEN.is_match(text) && !SIGNATURE.is_match(text);
        names(self.body) || names(challenge)
    }
}

/// What to do about an access token that is missing or wrong.
pub(crate) fn token_help(own_headers: &[String]) -> String {
    match own_headers {
        [] => {
            "an access token in front is missing: add it under `headers` in the profile".to_owned()
        }
        names => format!(
            "an access token in front is missing or wrong: check `headers` in the profile ({})",
            names.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(status: u16, challenge: &str, body: &str, own: &[&str]) -> String {
        let headers = [("WWW-Authenticate".to_owned(), challenge.to_owned())];
        let own: Vec<String> = own.iter().map(|name| (*name).to_owned()).collect();
        let response = ResponseText {
            status,
            headers: &headers,
            body,
        };
        response.refusal_help("check the secret", &own)
    }

    #[test]
    fn a_missing_access_token_is_named_and_first_if_the_response_names_it() {
        let missing = "an access token in front is missing: add it under `headers` in the profile";
        for body in ["{\"err\": \"staging key\"}", "API key required", "no token"] {
            let expected = format!("{missing}; otherwise, check the secret");
            assert_eq!(help(401, "", body, &[]), expected);
            assert_eq!(help(403, "", body, &[]), expected);
        }
        let expected = format!("{missing}; otherwise, check the secret");
        assert_eq!(help(401, "ApiKey realm=\"x\"", "", &[]), expected);
        for body in ["", "bad signature", "{\"error\":\"unknown webhook key\"}"] {
            let expected = format!("check the secret; or {missing}");
            assert_eq!(help(401, "", body, &[]), expected);
            assert_eq!(help(403, "", body, &[]), "check the secret");
        }
        let named = help(401, "", "", &["X-Staging-Key"]);
        assert!(named.ends_with("check `headers` in the profile (X-Staging-Key)"));
    }
}
