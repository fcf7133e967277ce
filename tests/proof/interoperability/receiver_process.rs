//! The process of a receiver, which can be killed and started again at the same address.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use super::language::Language;
use super::receiver::{SECRET, SECRET_VARIABLE};

/// How to start a receiver.
pub(crate) struct Launch {
    pub(crate) language: &'static Language,
    pub(crate) flaw: Option<&'static str>,
    pub(crate) ledger: PathBuf,
    pub(crate) stderr: PathBuf,
}

/// A receiver process, killed when dropped.
pub(crate) struct ReceiverProcess {
    launch: Launch,
    port: u16,
    child: Child,
    /// Its URL without the scheme.
    pub(crate) url: String,
}

impl ReceiverProcess {
    pub(crate) fn start(launch: Launch) -> Self {
        let port = free_port();
        let (child, url) = start(&launch, port);
        Self {
            launch,
            port,
            child,
            url,
        }
    }

    pub(crate) fn restart(&mut self) {
        self.kill();
        (self.child, self.url) = start(&self.launch, self.port);
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for ReceiverProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a receiver and waits until it listens.
fn start(launch: &Launch, port: u16) -> (Child, String) {
    let stderr = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&launch.stderr)
        .expect("a file");
    let mut command = (launch.language.command)();
    command
        .args(["--port", &port.to_string(), "--ledger"])
        .arg(&launch.ledger)
        .args(
            launch
                .flaw
                .map(|flaw| ["--flaw", flaw])
                .into_iter()
                .flatten(),
        )
        .env(SECRET_VARIABLE, SECRET)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr);
    let name = launch.language.name;
    let mut child = command.spawn().unwrap_or_else(|problem| {
        panic!(
            "{name} does not start ({problem}): run tests/receivers/run to install its dependencies"
        )
    });
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped"))
        .read_line(&mut line)
        .expect("a line");
    if let Some(url) = line.trim_end().strip_prefix("listening on http://") {
        return (child, url.to_owned());
    }
    let _ = child.kill();
    let _ = child.wait();
    let stderr = fs::read_to_string(&launch.stderr).expect("text");
    panic!("{name} does not serve; run tests/receivers/run to install its dependencies\n{stderr}")
}

/// A free port that systems do not use for outgoing connections. One of those could take the port
/// while the receiver restarts.
fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let process = u16::try_from(std::process::id() % 200).expect("below 200");
    let first = 10_000 + process * 100;
    loop {
        let port = first + TRIED.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
