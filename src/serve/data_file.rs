//! The data file: where it is, who can read it, its tables, and the lock that keeps a second process
//! from delivering everything twice.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::database::{Database, DatabaseThreads};

/// Identifies a file as the data of `aghook serve` (`PRAGMA application_id`): "aghs".
const APPLICATION_ID: i64 = 0x6167_6873;
const VERSION: i64 = 2;
/// Pages of 4 KiB after which the write-ahead log is copied into the file.
const CHECKPOINT_PAGES: u32 = 4_000;
/// The cache of each connection, in KiB.
const CACHE_KIB: i32 = 8_192;

const TABLES: &str = include_str!("tables.sql");

/// An open data file. Only one process can open it at a time.
#[derive(Debug)]
pub(crate) struct DataFile {
    pub(crate) database: Database,
    pub(crate) threads: DatabaseThreads,
    /// Holds the lock until it is dropped, or the process is killed.
    pub(crate) lock: File,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DataFileError {
    #[error("can't create the data file {}: {source}", path.display())]
    Create { path: PathBuf, source: io::Error },
    #[error("another `aghook serve` uses the data file {}", .0.display())]
    InUse(PathBuf),
    #[error("{} is not a data file of `aghook serve`", .0.display())]
    Foreign(PathBuf),
    #[error("unsupported version {version} of the data file {}", path.display())]
    Version { path: PathBuf, version: i64 },
    #[error("can't open the data file {}: {source}", path.display())]
    Open {
        path: PathBuf,
        source: rusqlite::Error,
    },
}

impl DataFileError {
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Create { .. } => "choose another file with --data FILE",
            Self::InUse(_) => "stop the other one, or choose another file with --data FILE",
            Self::Foreign(_) => "choose a new file, or one that `aghook serve` has written",
            Self::Version { .. } => {
                "use the aghook version that created it, or start again with --reset"
            }
            Self::Open { .. } => "check that the disk is not full, or start again with --reset",
        }
    }
}

impl DataFile {
    /// Opens the data file at `path`, or creates it so that only its owner can read it. `reset` deletes
    /// what it contains.
    pub(crate) fn open(path: &Path, reset: bool) -> Result<Self, DataFileError> {
        let failed = |source| DataFileError::Create {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            create_folder(folder).map_err(failed)?;
        }
        let lock = private_file(&beside(path, ".lock")).map_err(failed)?;
        if lock.try_lock().is_err() {
            return Err(DataFileError::InUse(path.to_owned()));
        }
        if path.exists() {
            // Never delete another program's file.
            match check(path) {
                Err(DataFileError::Version { .. }) if reset => {}
                checked => checked?,
            }
        }
        if reset {
            for file in ["", "-wal", "-shm"].map(|suffix| beside(path, suffix)) {
                match fs::remove_file(file) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(failed(error));
                    }
                    _ => {}
                }
            }
        }
        // SQLite gives its other files the same permissions.
        private_file(path).map_err(failed)?;
        let explain = |error| explain(path, error);
        let writer = connect(path).map_err(explain)?;
        create_tables(&writer).map_err(explain)?;
        let reader = connect(path).map_err(explain)?;
        let queue_reader = connect(path).map_err(explain)?;
        let (database, threads) = Database::start([writer, reader, queue_reader]);
        Ok(Self {
            database,
            threads,
            lock,
        })
    }
}

/// The file's path with a suffix.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Creates or opens a file that only its owner can read.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        let file = options.mode(0o600).open(path)?;
        if file.metadata()?.is_file() {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}

/// Checks that an existing file is ours, before anything changes it.
fn check(path: &Path) -> Result<(), DataFileError> {
    let explain = |error| explain(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(explain)?;
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let application_id = number("PRAGMA application_id").map_err(explain)?;
    let version = number("PRAGMA user_version").map_err(explain)?;
    match (application_id, version) {
        (APPLICATION_ID, VERSION) => Ok(()),
        (APPLICATION_ID, _) => Err(DataFileError::Version {
            path: path.to_owned(),
            version,
        }),
        (0, 0) if number("SELECT count(*) FROM sqlite_schema").map_err(explain)? == 0 => Ok(()),
        _ => Err(DataFileError::Foreign(path.to_owned())),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // A commit reaches the operating system, which survives a killed process, but is not forced onto the
    // disk each time.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version >= VERSION {
        return Ok(());
    }
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION_ID}; \
         PRAGMA user_version = {VERSION}; COMMIT;"
    ))
}

fn explain(path: &Path, error: rusqlite::Error) -> DataFileError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => DataFileError::Foreign(path.to_owned()),
        _ => DataFileError::Open {
            path: path.to_owned(),
            source: error,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_file_opens_once_at_a_time_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new").join("serve.sqlite");
        let file = DataFile::open(&path, false).expect("opens");
        assert!(matches!(
            DataFile::open(&path, true),
            Err(DataFileError::InUse(_))
        ));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            for file in [path.clone(), beside(&path, "-wal")] {
                let mode = fs::metadata(file).expect("a file").permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
        }
        drop(file);
        DataFile::open(&path, true).expect("opens again");
    }

    #[test]
    fn no_other_file_is_changed_or_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notes");
        let other = folder.path().join("other.sqlite");
        fs::write(&path, "These are my notes. ".repeat(100)).expect("written");
        let database = Connection::open(&other).expect("opens");
        database
            .execute_batch("CREATE TABLE t (a)")
            .expect("created");
        for path in [&path, &other] {
            let before = fs::read(path).expect("read");
            assert!(matches!(
                DataFile::open(path, true),
                Err(DataFileError::Foreign(_))
            ));
            assert_eq!(fs::read(path).expect("read"), before);
        }
    }
}
