//! Opens the ledger's database and creates its tables.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::{LedgerError, Store};

/// Identifies a file as a ledger (`PRAGMA application_id`): "aghk".
const APPLICATION_ID: i64 = 0x6167_686b;
const VERSION: i64 = 2;
/// The version without removals and redemptions. Opening such a file adds their tables.
const FIRST_VERSION: i64 = 1;
/// How long to wait while another process writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// `grants.quantity` is decimal text, because quantities go up to 2^64 − 1 while `SQLite` integers
/// end at 2^63 − 1 and larger sums become floating point. Text is exact and readable; the sums are
/// computed here as 128-bit integers.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS deliveries (
        idempotency_key TEXT NOT NULL PRIMARY KEY,
        event_id        TEXT NOT NULL,
        player_id       TEXT NOT NULL,
        decision        TEXT NOT NULL,
        body_sha256     BLOB NOT NULL,
        answer_status   INTEGER NOT NULL,
        answer_body     BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS grants (
        player_id       TEXT NOT NULL,
        sku             TEXT NOT NULL,
        idempotency_key TEXT NOT NULL REFERENCES deliveries (idempotency_key),
        quantity        TEXT NOT NULL CHECK (quantity <> '' AND quantity NOT GLOB '*[^0-9]*'),
        PRIMARY KEY (player_id, sku, idempotency_key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS removals (
        player_id       TEXT NOT NULL,
        sku             TEXT NOT NULL,
        idempotency_key TEXT NOT NULL REFERENCES deliveries (idempotency_key),
        quantity        TEXT NOT NULL CHECK (quantity <> '' AND quantity NOT GLOB '*[^0-9]*'),
        PRIMARY KEY (player_id, sku, idempotency_key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS redemptions (
        redemption      TEXT NOT NULL,
        event_type      TEXT NOT NULL,
        idempotency_key TEXT NOT NULL REFERENCES deliveries (idempotency_key),
        PRIMARY KEY (redemption, event_type, idempotency_key)
    ) STRICT, WITHOUT ROWID;
";

pub(super) fn open(store: &Store) -> Result<Connection, LedgerError> {
    match store {
        Store::Memory => {
            let mut connection = Connection::open_in_memory()?;
            create_tables(&mut connection)?;
            Ok(connection)
        }
        Store::File(path) => open_file(path),
    }
}

fn open_file(path: &Path) -> Result<Connection, LedgerError> {
    let explain = |error| explain(path, error);
    let mut connection = Connection::open(path).map_err(explain)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(explain)?;
    // Check before changing anything: the file may be some other database.
    let has_tables = check_ledger(&connection, path)?;
    // SQLite opens a file without write permission as read-only.
    if connection.is_readonly("main").map_err(explain)? {
        return Err(LedgerError::NotWritable(path.to_owned()));
    }
    // With a write-ahead log and NORMAL, a commit reaches the operating system, which survives a
    // crash of this process, but is not forced onto the disk each time.
    connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
        .map_err(explain)?;
    connection
        .pragma_update(None, "synchronous", "NORMAL")
        .map_err(explain)?;
    if !has_tables {
        create_tables(&mut connection).map_err(explain)?;
    }
    Ok(connection)
}

/// Whether all tables already exist. An error if the file is not a ledger.
fn check_ledger(connection: &Connection, path: &Path) -> Result<bool, LedgerError> {
    let explain = |error| explain(path, error);
    let application_id = pragma(connection, "application_id").map_err(explain)?;
    let version = pragma(connection, "user_version").map_err(explain)?;
    match (application_id, version) {
        (APPLICATION_ID, VERSION) => Ok(true),
        (APPLICATION_ID, FIRST_VERSION) => Ok(false),
        (APPLICATION_ID, _) => Err(LedgerError::Version {
            path: path.to_owned(),
            version,
        }),
        (0, 0) if table_count(connection).map_err(explain)? == 0 => Ok(false),
        _ => Err(LedgerError::NotALedger(path.to_owned())),
    }
}

/// Creates the missing tables in one transaction, unless another process has created them meanwhile.
fn create_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if pragma(&transaction, "user_version")? < VERSION {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

fn table_count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
}

fn explain(path: &Path, error: rusqlite::Error) -> LedgerError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => LedgerError::NotALedger(path.to_owned()),
        Some(ErrorCode::ReadOnly) => LedgerError::NotWritable(path.to_owned()),
        _ => LedgerError::Open {
            path: path.to_owned(),
            source: Arc::new(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn open_at(path: &Path) -> Result<Connection, LedgerError> {
        open(&Store::File(path.to_owned()))
    }

    #[test]
    fn a_ledger_opens_again_and_is_durable_against_a_kill() {
        let folder = folder();
        let path = folder.path().join("ledger.sqlite");
        for _ in 0..2 {
            let connection = open_at(&path).expect("opens");
            let mode: String = connection
                .pragma_query_value(None, "journal_mode", |row| row.get(0))
                .expect("a mode");
            assert_eq!(mode, "wal");
            assert_eq!(pragma(&connection, "synchronous").expect("a level"), 1);
            assert_eq!(pragma(&connection, "foreign_keys").expect("a flag"), 1);
        }
    }

    #[test]
    fn a_file_that_is_not_a_ledger_is_refused_and_left_unchanged() {
        let folder = folder();
        let text = folder.path().join("notes.txt");
        let notes = "notes ".repeat(1000);
        fs::write(&text, &notes).expect("written");
        assert!(matches!(open_at(&text), Err(LedgerError::NotALedger(_))));
        assert_eq!(fs::read_to_string(&text).expect("read"), notes);

        let database = folder.path().join("shop.sqlite");
        let shop = Connection::open(&database).expect("opens");
        shop.execute_batch("CREATE TABLE shop (id INTEGER)")
            .expect("table created");
        drop(shop);
        let before = fs::read(&database).expect("read");
        assert!(matches!(
            open_at(&database),
            Err(LedgerError::NotALedger(_))
        ));
        assert_eq!(fs::read(&database).expect("read"), before);
    }

    #[test]
    fn a_ledger_of_the_first_version_gets_the_missing_tables() {
        let folder = folder();
        let path = folder.path().join("ledger.sqlite");
        let connection = open_at(&path).expect("opens");
        connection
            .execute_batch("DROP TABLE removals; DROP TABLE redemptions; PRAGMA user_version = 1")
            .expect("an earlier file");
        drop(connection);
        let connection = open_at(&path).expect("opens");
        assert_eq!(
            pragma(&connection, "user_version").expect("a number"),
            VERSION
        );
        assert_eq!(table_count(&connection).expect("a number"), 4);
    }

    #[test]
    fn an_unsupported_version_is_refused() {
        let folder = folder();
        let path = folder.path().join("ledger.sqlite");
        open_at(&path)
            .expect("opens")
            .pragma_update(None, "user_version", 7)
            .expect("set");
        let error = open_at(&path).expect_err("refused");
        assert!(matches!(error, LedgerError::Version { version: 7, .. }));
    }

    #[test]
    fn a_missing_folder_is_an_error_with_help() {
        let folder = folder();
        let error = open_at(&folder.path().join("no/ledger.sqlite")).expect_err("refused");
        assert!(matches!(error, LedgerError::Open { .. }));
        assert!(error.help().is_some());
    }
}
