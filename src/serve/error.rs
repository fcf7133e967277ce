//! Why the hub refuses a request.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;

/// Why the hub can't do what it was asked to.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum HubError {
    #[error("the request is invalid: {}", list(.0))]
    Invalid(Vec<FieldProblem>),
    /// What Aghanim can and the local one can't: a mock must not pretend.
    #[error("{0}")]
    Unsupported(String),
    #[error("there is no {what} `{id}`")]
    NotFound { what: &'static str, id: String },
    #[error("{0}")]
    Conflict(String),
    #[error("the data file failed: {0}")]
    Database(Arc<rusqlite::Error>),
    #[error("aghook serve is stopping")]
    Closed,
}

/// A mistake in one field of a request, as `FastAPI` reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldProblem {
    /// The path to the field, such as `body`, `events`, 0.
    pub(crate) loc: Vec<Location>,
    pub(crate) msg: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Location {
    Key(String),
    Index(usize),
}

impl FieldProblem {
    /// A problem of a field of the body.
    pub(crate) fn in_body(field: &str, msg: impl Into<String>) -> Self {
        Self {
            loc: vec![
                Location::Key("body".to_owned()),
                Location::Key(field.to_owned()),
            ],
            msg: msg.into(),
            kind: "value_error",
        }
    }
}

impl HubError {
    pub(crate) fn not_found(what: &'static str, id: &str) -> Self {
        let id = id.to_owned();
        Self::NotFound { what, id }
    }

    /// The status of a response that reports it.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unsupported(_) => StatusCode::BAD_REQUEST,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Closed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A mistake in one field of the body.
    pub(crate) fn invalid_field(field: &str, msg: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldProblem::in_body(field, msg)])
    }
}

impl From<rusqlite::Error> for HubError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, location) in self.loc.iter().skip(1).enumerate() {
            match location {
                Location::Key(key) if number == 0 => formatter.write_str(key)?,
                Location::Key(key) => write!(formatter, ".{key}")?,
                Location::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        write!(formatter, ": {}", self.msg)
    }
}

fn list(problems: &[FieldProblem]) -> String {
    let problems = problems.iter().map(ToString::to_string);
    problems.collect::<Vec<_>>().join("; ")
}
