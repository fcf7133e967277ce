//! A PostgreSQL server of the tests, in a folder of its own.

use std::fs::{self, Metadata};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

use crate::mistake::SetUp;

/// The password of both roles: `game` owns the tables, and `visitor` may read nothing.
pub(crate) const PASSWORD: &str = "of-the-tests";

const SCHEMA: &str = "create table inventory (player_id text, sku text, quantity bigint not null, \
                      primary key (player_id, sku)); \
                      create table granted (idempotency_key text primary key); \
                      create role visitor login password 'of-the-tests';";

/// A running server, stopped when the last test that uses it has ended.
pub(crate) struct Database {
    process: Child,
    port: u16,
    folder: TempDir,
}

/// The server, shared by the tests that run at the same time.
static SHARED: Mutex<Weak<Database>> = Mutex::new(Weak::new());

impl Database {
    /// The running server, started if needed. `None` without PostgreSQL.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Some(running);
        }
        let started = Self::start().map(Arc::new);
        if let Some(started) = &started {
            *shared = Arc::downgrade(started);
        } else {
            println!("skipped: PostgreSQL is not installed (apt-get install postgresql)");
        }
        started
    }

    fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = TempDir::new().expect("a folder");
        let data = folder.path().join("data");
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).expect("written");
        let user = server_user();
        if let Some((user, group)) = user {
            for path in [folder.path(), &password] {
                chown(path, Some(user), Some(group)).expect("root may give it away");
            }
        }
        let run = |name: &str| {
            let mut command = Command::new(programs.join(name));
            // PostgreSQL refuses to run as root.
            if let Some((user, group)) = user {
                command.gid(group).uid(user);
            }
            command.current_dir(folder.path()).stdin(Stdio::null());
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let mut initdb = run("initdb");
        initdb.args(["--username=game", "--auth-local=trust", "--no-sync"]);
        initdb.args(["--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C"]);
        initdb.arg("--pwfile").arg(&password).arg("-D").arg(&data);
        assert!(initdb.status().expect("it starts").success());
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut server = run("postgres");
        server.arg("-D").arg(&data).arg("-k").arg(folder.path());
        server.args(["-F", "-h", "127.0.0.1", "-p", &port.to_string()]);
        let started = Self {
            process: server.spawn().expect("it starts"),
            port,
            folder,
        };
        // The port is open before the server has started.
        while TcpStream::connect(("127.0.0.1", port)).is_err() || !started.has("postgres") {
            std::thread::yield_now();
        }
        started.query("postgres", "create database game");
        started.query("game", SCHEMA);
        started.query("postgres", "create database other template game");
        Some(started)
    }

    fn has(&self, database: &str) -> bool {
        let output = self.psql(database, "select 1").output();
        output.is_ok_and(|output| output.status.success())
    }

    /// The output of statements, which run in one transaction.
    pub(crate) fn query(&self, database: &str, statements: &str) -> String {
        let output = self.psql(database, statements).output().expect("it runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statements}: {errors}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn psql(&self, database: &str, statements: &str) -> Command {
        let mut command = Command::new("psql");
        command.args(["-XwAtq", "-U", "game", "-d", database, "-c", statements]);
        command.arg("-h").arg(self.folder.path());
        command.args(["-p", &self.port.to_string()]);
        command.stdin(Stdio::null());
        command
    }

    /// A set-up whose probe connects to this server with the usual variables.
    pub(crate) fn connected(&self, set_up: SetUp) -> SetUp {
        set_up
            .with("PGHOST", "127.0.0.1")
            .with("PGPORT", self.port.to_string())
            .with("PGDATABASE", "game")
            .with("PGUSER", "game")
            .with("PGPASSWORD", PASSWORD)
    }

    /// The folder of its Unix socket, where no password is needed.
    pub(crate) fn socket(&self) -> String {
        self.folder.path().display().to_string()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The folder of PostgreSQL's programs. Debian does not put it in PATH.
fn programs() -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&in_path).collect::<Vec<_>>();
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let installed = installed
        .flatten()
        .map(|version| version.path().join("bin"));
    let has = |folder: &PathBuf, name: &str| folder.join(name).is_file();
    let mut folders = in_path.into_iter().chain(installed);
    let found = folders.find(|folder| has(folder, "initdb") && has(folder, "postgres"))?;
    let psql = Command::new("psql").arg("--version").output();
    psql.is_ok().then_some(found)
}

/// The user and the group of the server, if the tests run as root.
fn server_user() -> Option<(u32, u32)> {
    let own = fs::metadata("/proc/self").map(|own: Metadata| own.uid());
    if !own.is_ok_and(|user| user == 0) {
        return None;
    }
    let users = fs::read_to_string(Path::new("/etc/passwd")).ok()?;
    let id = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    id("postgres:").or_else(|| id("nobody:"))
}
