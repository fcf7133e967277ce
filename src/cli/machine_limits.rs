//! Checks before a command starts that this machine lets it open enough files and start enough threads.
//! Later, a lack of them would look like a fault of the receiver, or end in a panic.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::mpsc::channel;
use std::thread;

use super::CommandError;
use crate::transport::Failure;

/// What every command that uses the network needs: the runtime, reports and a few connections.
const BASE_DESCRIPTORS: usize = 32;
/// How many threads are started besides those that depend on the number of cores.
const BASE_THREADS: usize = 8;

/// Checks what every command that uses the network needs.
pub(super) fn check() -> Result<(), CommandError> {
    check_descriptors(0)?;
    check_threads()
}

/// Checks that this many connections can be open at the same time.
pub(super) fn check_descriptors(connections: usize) -> Result<(), CommandError> {
    let wanted = BASE_DESCRIPTORS.saturating_add(connections);
    let free = free_descriptors(wanted);
    if free >= wanted {
        return Ok(());
    }
    let message = format!(
        "this machine has no free file descriptors: aghook needs {wanted} and can open {free}"
    );
    Err(CommandError::not_completed(message)
        .with_help("allow more open files (`ulimit -n`), or use fewer connections or jobs"))
}

/// How many more files and sockets can be opened, up to `wanted`.
fn free_descriptors(wanted: usize) -> usize {
    let is_limit = |error: &io::Error| {
        let failure = Failure::from_connect_error(&"", error);
        matches!(failure, Failure::LocalLimit { .. })
    };
    let first = match UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) {
        Ok(socket) => socket,
        Err(error) if is_limit(&error) => return 0,
        // Without IPv4, the limit is not known.
        Err(_) => return wanted,
    };
    let others: Vec<UdpSocket> = (1..wanted).map_while(|_| first.try_clone().ok()).collect();
    others.len() + 1
}

/// Checks that as many threads can be started as a command may need. The runtime panics if it can't
/// start its own.
fn check_threads() -> Result<(), CommandError> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut waiting = Vec::new();
    let result = (0..2 * cores + BASE_THREADS).try_for_each(|_| {
        let (end, ended) = channel::<()>();
        let wait = move || _ = ended.recv();
        let thread = thread::Builder::new().spawn(wait)?;
        waiting.push((end, thread));
        Ok(())
    });
    for (end, thread) in waiting {
        drop(end);
        let _ = thread.join();
    }
    result.map_err(|error: io::Error| {
        CommandError::not_completed(format!(
            "this machine does not start enough threads: {error}"
        ))
        .with_help("allow more processes (`ulimit -u`) or more memory (`ulimit -v`)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_descriptors_and_threads_are_free() {
        assert_eq!(free_descriptors(20), 20);
        assert!(check().is_ok());
    }
}
