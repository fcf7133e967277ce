//! What all pages have in common: the frame, responses, and errors.

use askama::Template;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::StatusCode;

use crate::serve::error::HubError;

pub(super) type Reply = Result<Response, PageError>;

/// The pages of the navigation.
const LINKS: [(&str, &str); 6] = [
    ("/", "Deliveries"),
    ("/redeem", "Redeem"),
    ("/webhooks", "Webhooks"),
    ("/faults", "Faults"),
    ("/items", "Items"),
    ("/coupons", "Coupons"),
];

/// What was done before a redirect, by its name in the URL, and what the next page says about it.
const NOTICES: [(&str, &str); 16] = [
    ("created", "Created."),
    ("saved", "Saved."),
    ("deleted", "Deleted."),
    ("enabled", "Enabled: new events are delivered."),
    (
        "disabled",
        "Disabled: new events are not delivered, and queued ones wait.",
    ),
    ("paused", "Paused: deliveries wait in the queue."),
    ("resumed", "Resumed: waiting deliveries go on."),
    (
        "expired",
        "The secret was replaced. Reveal the new one, and set it in your handler.",
    ),
    ("tested", "A test event is on its way."),
    ("faults", "Saved. The faults apply to new events."),
    ("resent", "The delivery is made again."),
    ("dead_resent", "The dead letters are sent again."),
    ("redeemed", "Redeemed for a new player."),
    (
        "no_test",
        "No test event was sent: the webhook is subscribed to no event.",
    ),
    (
        "refused",
        "The code can't be redeemed. Try it on the page Redeem.",
    ),
    (
        "no_webhook",
        "Redeemed, but no webhook receives the event: create or enable one.",
    ),
];

/// The frame of a page.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// The page of the navigation that it belongs to.
    here: &'static str,
    pub(super) notice: Option<&'static str>,
    pub(super) problems: Vec<String>,
}

impl Frame {
    pub(super) fn new(here: &'static str) -> Self {
        Self {
            here,
            ..Self::default()
        }
    }

    /// With the notice of this name.
    pub(super) fn with_notice(mut self, name: &str) -> Self {
        let known = NOTICES.iter().find(|(other, _)| *other == name);
        self.notice = known.map(|(_, text)| *text);
        self
    }

    /// With what is wrong with a form.
    pub(super) fn with_problems(mut self, problems: Vec<String>) -> Self {
        self.problems = problems;
        self
    }

    pub(super) fn links(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        LINKS
            .iter()
            .map(|(path, name)| (*path, *name, *path == self.here))
    }

    fn status(&self) -> StatusCode {
        if self.problems.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }
}

/// A template with a frame.
pub(super) trait Page: Template {
    fn frame(&self) -> &Frame;

    fn reply(&self) -> Reply {
        Ok((self.frame().status(), Html(self.render()?)).into_response())
    }
}

/// Goes to another page, which says what was done.
#[expect(clippy::unnecessary_wraps, reason = "handlers return replies")]
pub(super) fn redirect(path: &str, notice: &str) -> Reply {
    let mark = if path.contains('?') { '&' } else { '?' };
    Ok(Redirect::to(&format!("{path}{mark}done={notice}")).into_response())
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error(transparent)]
    Hub(#[from] HubError),
    #[error("the page can't be written: {0}")]
    Template(#[from] askama::Error),
}

#[derive(Template)]
#[template(path = "error.html", config = "src/serve/pages/askama.toml")]
struct ErrorPage {
    frame: Frame,
    message: String,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Hub(error) => error.status(),
            Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let message = self.to_string();
        let frame = Frame::default();
        match (ErrorPage { frame, message }).render() {
            Ok(page) => (status, Html(page)).into_response(),
            Err(_) => status.into_response(),
        }
    }
}

/// What a form's author can put right, as texts; other errors end the request.
pub(super) fn form_problems(error: HubError) -> Result<Vec<String>, PageError> {
    match error {
        HubError::Invalid(problems) => Ok(problems.iter().map(ToString::to_string).collect()),
        HubError::Unsupported(message) | HubError::Conflict(message) => Ok(vec![message]),
        other => Err(other.into()),
    }
}
