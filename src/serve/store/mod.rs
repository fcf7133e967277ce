//! The SQL of the hub, one file for each kind of thing. All functions run inside a job of `Database`.

pub(super) mod deliveries;
mod documents;
pub(super) mod game;
pub(super) mod queue;
pub(super) mod redemptions;
pub(super) mod webhooks;

use rusqlite::types::Type;
use rusqlite::{Connection, Error, Row};
use serde::de::DeserializeOwned;

pub(super) use documents::Document;

/// The position of the next row of a list.
fn next_position(connection: &Connection, table: &str) -> rusqlite::Result<i64> {
    let sql = format!("SELECT coalesce(max(position), 0) + 1 FROM {table}");
    connection
        .prepare_cached(&sql)?
        .query_row([], |row| row.get(0))
}

/// Reads JSON from a column of text.
fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| invalid(column, error))
}

/// Writes JSON for a column of text.
fn text<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

fn invalid(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

/// Whether a statement failed because another row has the same value.
pub(super) fn is_duplicate(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}
