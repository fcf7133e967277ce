//! Ctrl-C, and the signals that end a program in the same way. The first lets a command finish what it
//! has begun, for a bounded time; the second stops it.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Console, ExitCode};
use crate::probe::PreparedHook;

/// How long running work may take after the first signal.
const GRACE: Duration = Duration::from_secs(5);

/// The number of the last signal that ended a command's work; 0 if there was none.
static SIGNAL: AtomicU8 = AtomicU8::new(0);
/// How many parts of the program handle signals by themselves.
static HANDLERS: AtomicUsize = AtomicUsize::new(0);
static LAST_HANDLED: Mutex<Option<Instant>> = Mutex::new(None);

const INTERRUPT: u8 = 2;
#[cfg(unix)]
const HANG_UP: u8 = 1;
#[cfg(unix)]
const TERMINATE: u8 = 15;

/// The exit code for the signal that ended the command's work, as shells have it.
pub(super) fn exit_code() -> Option<ExitCode> {
    match SIGNAL.load(Ordering::Relaxed) {
        0 => None,
        INTERRUPT => Some(ExitCode::Interrupted),
        15 => Some(ExitCode::Terminated),
        _ => Some(ExitCode::HungUp),
    }
}

/// Calls `stop` and prints `note` on the first signal, and completes on the second, or if the work still
/// goes on after a grace period.
pub(super) async fn interrupted_twice(stop: impl FnOnce(), note: &str, console: &Console) {
    let _handler = Handler::new();
    let mut signals = Signals::listen();
    signals.next_ending().await;
    stop();
    console.note(note);
    let _ = tokio::time::timeout(GRACE, signals.next_ending()).await;
}

/// Waits until no restart of the receiver runs any more: to stop one would leave the receiver down. No
/// other begins meanwhile.
pub(super) async fn restart_ended(restart: Option<&PreparedHook>, console: &Console) {
    if let Some(restart) = restart {
        if restart.is_restarting() {
            console.note("stopping as soon as the restart of the receiver has ended");
        }
        restart.restart_ended().await;
    }
}

/// Completes on a signal, which ends the command's work.
pub(super) async fn interrupted_once() {
    let _handler = Handler::new();
    Signals::listen().next_ending().await;
}

/// Completes on a signal that is the usual way to end a command: from now on, even if it is awaited later.
pub(super) fn ended_by_user() -> impl Future<Output = ()> + Send {
    let (handler, mut signals) = (Handler::new(), Signals::listen());
    async move {
        signals.next().await;
        drop(handler);
    }
}

/// Completes on a signal that nothing else handles.
pub(super) async fn not_handled() {
    const JUST_HANDLED: Duration = Duration::from_millis(200);
    let mut signals = Signals::listen();
    loop {
        let signal = signals.next().await;
        let last = *LAST_HANDLED.lock().unwrap_or_else(PoisonError::into_inner);
        let is_handled = HANDLERS.load(Ordering::Relaxed) > 0
            || last.is_some_and(|last| last.elapsed() < JUST_HANDLED);
        if !is_handled {
            SIGNAL.store(signal, Ordering::Relaxed);
            return;
        }
    }
}

/// A part of the program that handles signals by itself.
struct Handler;

impl Handler {
    fn new() -> Self {
        HANDLERS.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        HANDLERS.fetch_sub(1, Ordering::Relaxed);
        *LAST_HANDLED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// Lets a write beyond the limit of a file's size (`ulimit -f`) fail, instead of ending the program
/// without its reports.
pub(super) fn survive_file_size_limit() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        const FILE_SIZE_EXCEEDED: i32 = 25;
        // The handler stays, although nobody listens.
        let _ = signal(SignalKind::from_raw(FILE_SIZE_EXCEEDED));
    }
}

/// The signals from when it was made. If one can't be handled, it ends the program as usual.
struct Signals {
    #[cfg(unix)]
    streams: Vec<(u8, tokio::signal::unix::Signal)>,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let mut kinds = vec![
            (INTERRUPT, SignalKind::interrupt()),
            (TERMINATE, SignalKind::terminate()),
        ];
        if !ignores_hang_up() {
            kinds.push((HANG_UP, SignalKind::hangup()));
        }
        let kinds = kinds.into_iter();
        Self {
            streams: kinds
                .filter_map(|(number, kind)| Some((number, signal(kind).ok()?)))
                .collect(),
        }
    }

    #[cfg(not(unix))]
    fn listen() -> Self {
        Self {}
    }

    #[cfg(unix)]
    async fn next(&mut self) -> u8 {
        std::future::poll_fn(|context| {
            for (number, stream) in &mut self.streams {
                if let std::task::Poll::Ready(Some(())) = stream.poll_recv(context) {
                    return std::task::Poll::Ready(*number);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> u8 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        INTERRUPT
    }

    async fn next_ending(&mut self) {
        let signal = self.next().await;
        SIGNAL.store(signal, Ordering::Relaxed);
    }
}

/// Whether the program was started with `nohup`, and so goes on without its terminal.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    use std::io::IsTerminal as _;
    let status = std::fs::read_to_string("/proc/self/status");
    let ignored = status.ok().and_then(|status| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(line.trim(), 16).ok()
    });
    // Other systems than Linux do not say so, but `nohup` takes the terminal away.
    ignored.map_or_else(
        || !std::io::stdin().is_terminal(),
        |ignored| ignored & 1 != 0,
    )
}
