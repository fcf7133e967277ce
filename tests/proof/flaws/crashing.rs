//! What a crash costs: `aghook receive` crashes while it stores a delivery, restarts on the same
//! ledger and gets the delivery again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use aghook::internals::receiver::{Flaw, system_clock};

use super::peer::{PLAYER, ReceiverAddress, SKU, body_of, event, signed};

/// A receiver process, killed when dropped.
struct ReceiverProcess {
    child: Child,
    peer: ReceiverAddress,
}

impl Drop for ReceiverProcess {
    fn drop(&mut self) {
        // It may have crashed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(folder: &Path, flaw: Option<Flaw>, crash_after: Option<u64>) -> ReceiverProcess {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aghook"));
    command
        .current_dir(folder)
        .args(["receive", "--listen", "127.0.0.1:0", "--store", "ledger"])
        .env("AGHOOK_SECRET", super::peer::secret().expose_text())
        .stdout(Stdio::piped());
    if let Some(flaw) = flaw {
        command.args(["--flaw", flaw.name()]);
    }
    if let Some(number) = crash_after {
        command.args(["--crash-after", &number.to_string()]);
    }
    let mut child = command.spawn().expect("starts");
    let output = child.stdout.take().expect("piped");
    let mut lines = BufReader::new(output).lines();
    let address = lines
        .by_ref()
        .map(|line| line.expect("text"))
        .find_map(|line| {
            let (_, rest) = line.split_once("http://")?;
            rest.split_once('/')?.0.parse().ok()
        })
        .expect("prints its address");
    // Drain its output so that a full pipe does not block it.
    std::thread::spawn(move || lines.for_each(drop));
    ReceiverProcess {
        child,
        peer: ReceiverAddress { address },
    }
}

/// What a player holds after a successful delivery, one that crashes the receiver, and a retry of
/// both.
async fn held_after_crash(flaw: Option<Flaw>) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let bodies = [body_of(&event()), body_of(&event())];
    let genuine = |body| signed(body, system_clock()());
    let mut crashing = start(folder.path(), flaw, Some(2));
    let reply = crashing.peer.send(genuine(&bodies[0])).await;
    assert_eq!(reply.expect("answered").status, 200);
    assert_eq!(crashing.peer.send(genuine(&bodies[1])).await, None);
    assert!(!crashing.child.wait().expect("ended").success());

    let restarted = start(folder.path(), flaw, None);
    for body in &bodies {
        let reply = restarted.peer.send(genuine(body)).await;
        assert_eq!(reply.expect("answered").status, 200);
    }
    restarted.peer.held(PLAYER, SKU).await
}

#[tokio::test]
async fn only_flawed_receivers_lose_or_duplicate_items_in_a_crash() {
    for (flaw, held) in [
        (None, 960_000),
        (Some(Flaw::GrantBeforeKey), 1_440_000),
        (Some(Flaw::KeyBeforeGrant), 480_000),
        // Loses both keys.
        (Some(Flaw::DedupeInMemory), 1_920_000),
    ] {
        assert_eq!(held_after_crash(flaw).await, held.to_string(), "{flaw:?}");
    }
}
