//! Tests of starting, refusing to start, restarting and shutting down.

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::receiver::{Flaw, LedgerError, Receiver, ReceiverError, Store, Variant};

use super::peer::{TestReceiver, event, settings};

#[tokio::test]
async fn a_restart_keeps_keys_responses_and_grants() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = settings();
    settings.store = Store::File(folder.path().join("ledger.sqlite"));
    settings.respond = vec![StatusCode::ACCEPTED];
    let peer = TestReceiver::start(settings.clone()).await;
    let event = event("k", "p", "gem", 5);
    assert_eq!(peer.deliver(&event).await.status, StatusCode::ACCEPTED);
    peer.stop().await;

    settings.respond = Vec::new();
    // The event would be refused now, but was granted before.
    settings.cannot_grant = ["gem".to_owned()].into();
    let peer = TestReceiver::start(settings).await;
    assert_eq!(peer.deliver(&event).await.status, StatusCode::ACCEPTED);
    assert_eq!(peer.probe("p", "gem").await, "5");
    peer.stop().await;
}

#[tokio::test]
async fn shutdown_finishes_requests_in_flight() {
    let peer = TestReceiver::start(settings()).await;
    let mut idle = peer.connect().await;
    let mut busy = peer.connect().await;
    let begun =
        b"PUT /debug/players/p/respond HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\
        Expect: 100-continue\r\n\r\n";
    busy.write_all(begun).await.expect("written");
    // The receiver sends this when it reads the body, so the request is in flight.
    let mut interim = *b"HTTP/1.1 100 Continue\r\n\r\n";
    busy.read_exact(&mut interim).await.expect("read");
    assert!(interim.starts_with(b"HTTP/1.1 100"));
    let health = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    idle.write_all(health).await.expect("written");
    let mut first = [0; 8];
    idle.read_exact(&mut first).await.expect("read");
    let stopped = tokio::spawn(peer.stop());
    let mut received = Vec::new();
    // The idle connection is closed, so shutdown has begun.
    idle.read_to_end(&mut received).await.expect("read");
    busy.write_all(b"[]").await.expect("written");
    received.clear();
    busy.read_to_end(&mut received).await.expect("read");
    assert!(String::from_utf8_lossy(&received).contains("\r\n\r\n{\"status\":\"ok\"}"));
    stopped.await.expect("no panic");
}

#[tokio::test]
async fn every_startup_error_has_help() {
    let peer = TestReceiver::start(settings()).await;
    let mut in_use = settings();
    in_use.listen = peer.address;
    let mut remote = settings();
    remote.listen = "0.0.0.0:0".parse().expect("an address");
    let mut path = settings();
    path.path = "/health".to_owned();
    let mut script = settings();
    script.respond = vec![StatusCode::CONTINUE];
    let mut both = settings();
    both.flaws = [Flaw::DedupeMissing, Flaw::CheckThenInsertRace].into();
    let mut secret = settings();
    secret.flaws = [Flaw::ExpiredSecretAccepted].into();
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = settings();
    store.store = Store::File(folder.path().to_owned());

    let mut variants = settings();
    variants.variants = [Variant::BodyText, Variant::BodyNone].into();

    for settings in [
        in_use,
        remote.clone(),
        path,
        script,
        both,
        secret,
        store,
        variants,
    ] {
        let error = Receiver::bind(settings)
            .await
            .err()
            .expect("does not start");
        assert!(error.help().is_some(), "{error}");
        match error {
            ReceiverError::Ledger(error) => assert!(matches!(error, LedgerError::Open { .. })),
            ReceiverError::Listen { address, .. } => assert_eq!(address, peer.address),
            ReceiverError::RemoteAddress(_)
            | ReceiverError::Path(_)
            | ReceiverError::ScriptedStatus(_)
            | ReceiverError::ConflictingFlaws(..)
            | ReceiverError::ConflictingVariants(..)
            | ReceiverError::NoExpiredSecret => {}
        }
    }
    remote.allow_remote = true;
    assert!(Receiver::bind(remote).await.is_ok());
    peer.stop().await;
}
