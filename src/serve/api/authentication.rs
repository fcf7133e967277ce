//! The API key: `Authorization: Bearer KEY`, or Basic with the key as the user name. `[P]`

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

use super::ApiState;
use super::refusal::Detail;
use crate::protocol::Secret;

/// Lets a request pass that has the API key, up to the rate limit.
pub(super) async fn check(
    State(state): State<Arc<ApiState>>,
    request: Request,
    next: Next,
) -> Response {
    if !has_key(request.headers(), &state.hub.api_key()) {
        let message = "give the API key as `Authorization: Bearer KEY`, or as the user name of Basic \
                       authentication";
        return Detail::new(StatusCode::UNAUTHORIZED, message).into_response();
    }
    if let Err(wait) = state.requests.admit(Instant::now()) {
        let message = "more than 1,000 requests within a minute: wait, and try again";
        let mut response = Detail::new(StatusCode::TOO_MANY_REQUESTS, message).into_response();
        let seconds = wait.as_secs().saturating_add(1);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return response;
    }
    next.run(request).await
}

fn has_key(headers: &HeaderMap, key: &Secret) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| given_key(value.as_bytes()));
    // Digests of equal length, so that the time does not show how much of the key is right.
    given.is_some_and(|given| Sha256::digest(given) == Sha256::digest(key.expose_bytes()))
}

fn given_key(value: &[u8]) -> Option<Vec<u8>> {
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, credentials) = value.split_at(space);
    let credentials = credentials.trim_ascii();
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return Some(credentials.to_owned());
    }
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let decoded = STANDARD.decode(credentials).ok()?;
    let user = decoded.split(|byte| *byte == b':').next();
    user.map(<[u8]>::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_a_bearer_token_or_a_user_name() {
        let key = Secret::new("s3cret").expect("not empty");
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for (value, passes) in [
            ("Bearer s3cret".to_owned(), true),
            ("bearer  s3cret".to_owned(), true),
            (basic("s3cret:"), true),
            (basic("s3cret"), true),
            (basic("s3cret:anything"), true),
            ("Bearer s3cre".to_owned(), false),
            ("Bearer".to_owned(), false),
            ("s3cret".to_owned(), false),
            (basic(":s3cret"), false),
            ("Basic s3cret".to_owned(), false),
            ("Digest s3cret".to_owned(), false),
        ] {
            let mut headers = HeaderMap::new();
            assert!(!has_key(&headers, &key));
            headers.insert(header::AUTHORIZATION, value.parse().expect("a value"));
            assert_eq!(has_key(&headers, &key), passes, "{value}");
        }
    }
}
