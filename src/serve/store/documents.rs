//! Items and coupons. Each is a row with an ID, its position in lists, a key that is unique, and itself in
//! JSON.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{is_duplicate, json, next_position, text};
use crate::serve::error::HubError;
use crate::serve::model::{Coupon, Item};

pub(in crate::serve) trait Document: Serialize + DeserializeOwned {
    /// Also the name of its column, and with an `s` that of its table.
    const NAME: &'static str;
    /// The column of the key, and what people call it.
    const KEY: (&'static str, &'static str);

    fn id(&self) -> &str;

    fn key(&self) -> &str;

    /// All of them, in the order of their creation.
    fn all(connection: &Connection) -> Result<Vec<Self>, HubError> {
        let name = Self::NAME;
        let sql = format!("SELECT {name} FROM {name}s ORDER BY position");
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], |row| json(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn get(connection: &Connection, id: &str) -> Result<Self, HubError> {
        let found = find(connection, "id", id)?;
        found.ok_or_else(|| HubError::not_found(Self::NAME, id))
    }

    /// Keys are compared exactly. `[A]`
    fn by_key(connection: &Connection, key: &str) -> Result<Option<Self>, HubError> {
        find(connection, Self::KEY.0, key)
    }

    /// Creates it, or replaces the one with its ID.
    fn save(&self, connection: &Connection) -> Result<(), HubError> {
        let (name, (column, label)) = (Self::NAME, Self::KEY);
        let sql = format!(
            "INSERT INTO {name}s (id, position, {column}, {name}) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET {column} = ?3, {name} = ?4"
        );
        let position = next_position(connection, &format!("{name}s"))?;
        let row = params![self.id(), position, self.key(), text(self)?];
        match connection.prepare_cached(&sql)?.execute(row) {
            Err(error) if is_duplicate(&error) => {
                let message = format!("another {name} has the {label} `{}`", self.key());
                Err(HubError::Conflict(message))
            }
            saved => Ok(saved.map(drop)?),
        }
    }

    fn delete(connection: &Connection, id: &str) -> Result<(), HubError> {
        let sql = format!("DELETE FROM {}s WHERE id = ?1", Self::NAME);
        match connection.execute(&sql, [id])? {
            0 => Err(HubError::not_found(Self::NAME, id)),
            _ => Ok(()),
        }
    }
}

impl Document for Item {
    const NAME: &'static str = "item";
    const KEY: (&'static str, &'static str) = ("sku", "SKU");

    fn id(&self) -> &str {
        &self.id
    }

    fn key(&self) -> &str {
        &self.draft.sku
    }
}

impl Document for Coupon {
    const NAME: &'static str = "coupon";
    const KEY: (&'static str, &'static str) = ("code", "code");

    fn id(&self) -> &str {
        &self.id
    }

    fn key(&self) -> &str {
        &self.draft.code
    }
}

fn find<T: Document>(
    connection: &Connection,
    column: &str,
    value: &str,
) -> Result<Option<T>, HubError> {
    let name = T::NAME;
    let sql = format!("SELECT {name} FROM {name}s WHERE {column} = ?1");
    let found = connection
        .prepare_cached(&sql)?
        .query_row([value], |row| json(row, 0));
    Ok(found.optional()?)
}
