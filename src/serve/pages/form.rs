//! The fields of a form, or the parameters of a query.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use url::form_urlencoded;

use crate::serve::error::{FieldProblem, HubError};

/// The fields of a form that was sent.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

/// The parameters of the page's URL.
#[derive(Debug)]
pub(super) struct Query(pub(super) Form);

impl Form {
    fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// A field without the space around it; empty if it is missing.
    pub(super) fn text(&self, name: &str) -> &str {
        self.all(name).last().unwrap_or_default()
    }

    /// A field, unless it is empty.
    pub(super) fn filled(&self, name: &str) -> Option<String> {
        Some(self.text(name))
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    /// Whether a checkbox is checked.
    pub(super) fn is_on(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// All fields of this name, in order.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(other, _)| other == name);
        named.map(|(_, value)| value.trim())
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let body = Bytes::from_request(request, state).await;
        Ok(Self::parse(&body.map_err(IntoResponse::into_response)?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Form::parse(
            parts.uri.query().unwrap_or_default().as_bytes(),
        )))
    }
}

/// Collects what is wrong with the fields of a form.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<FieldProblem>);

impl Mistakes {
    pub(super) fn add(&mut self, label: &str, message: impl Display) {
        self.0
            .push(FieldProblem::in_body(label, message.to_string()));
    }

    /// The value of a field that may be empty. `label` is what the form calls it.
    pub(super) fn read<T: FromStr>(
        &mut self,
        label: &str,
        text: &str,
        expected: &str,
    ) -> Option<T> {
        if text.is_empty() {
            return None;
        }
        let read = text.parse().ok();
        if read.is_none() {
            self.add(label, format_args!("expected {expected}, found `{text}`"));
        }
        read
    }

    /// The text of a field that must not be empty.
    pub(super) fn required(&mut self, label: &str, text: &str) -> String {
        if text.is_empty() {
            self.add(label, "fill in this field");
        }
        text.to_owned()
    }

    /// `value`, if there was no mistake.
    pub(super) fn finish<T>(self, value: T) -> Result<T, HubError> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(HubError::Invalid(self.0))
        }
    }
}
