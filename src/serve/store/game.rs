//! The game and its API key.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::serve::error::HubError;

pub(in crate::serve) fn load(
    connection: &Connection,
) -> Result<Option<(String, String)>, HubError> {
    let mut statement = connection.prepare_cached("SELECT id, api_key FROM game")?;
    let game = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(game.optional()?)
}

/// Replaces the game's ID and key.
pub(in crate::serve) fn save(
    connection: &Connection,
    id: &str,
    api_key: &str,
) -> Result<(), HubError> {
    connection.execute("DELETE FROM game", [])?;
    connection.execute(
        "INSERT INTO game (id, api_key) VALUES (?1, ?2)",
        params![id, api_key],
    )?;
    Ok(())
}
