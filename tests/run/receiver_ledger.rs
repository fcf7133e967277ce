//! The receiver's ledger after its process is killed: it contains an idempotency key if and only if
//! it contains the key's grants, and it contains every acknowledged delivery.
//!
//! The test starts its own binary as the receiver, delivers on many connections, kills the process
//! and reads the ledger. The result must not depend on the time of the kill.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use aghook::internals::protocol::{Event, SIGNATURE_HEADER, Secret, Signer, TIMESTAMP_HEADER};
use aghook::internals::receiver::{Receiver, ReceiverSettings, Store, system_clock};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

const STORE_VARIABLE: &str = "AGHOOK_TEST_LEDGER";
const ADDRESS_PREFIX: &str = "listening on ";
const CONNECTIONS: usize = 16;
/// The number of acknowledged deliveries before the kill in each round.
const ACKNOWLEDGED_BEFORE_KILL: usize = 40;
const ROUNDS: usize = 8;
/// The number of SKUs that each event grants: enough to keep the ledger busy, so that most kills
/// interrupt a transaction.
const SKUS: u64 = 100;

fn secret() -> Secret {
    Secret::new("whsec_killed").expect("not empty")
}

/// Not a test, but the process that is killed. Ignored, so that it runs only by name.
#[test]
#[ignore = "runs as the child process of the test below"]
fn receiver_to_be_killed() {
    let Some(store) = std::env::var_os(STORE_VARIABLE) else {
        return;
    };
    runtime().block_on(async {
        let mut settings = ReceiverSettings::new(secret());
        settings.store = Store::File(store.into());
        let receiver = Receiver::bind(settings).await.expect("starts");
        println!("\n{ADDRESS_PREFIX}{}", receiver.address());
        receiver
            .serve(std::future::pending())
            .await
            .expect("serves");
    });
}

#[test]
fn a_killed_receiver_keeps_keys_and_grants_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("ledger.sqlite");
    let acknowledged = Arc::new(Mutex::new(HashSet::new()));
    for round in 0..ROUNDS {
        let (child, address) = start_child(&store);
        runtime().block_on(deliver_until_killed(child, address, round, &acknowledged));
        let acknowledged = acknowledged.lock().expect("no panic");
        assert!(acknowledged.len() >= (round + 1) * ACKNOWLEDGED_BEFORE_KILL);
        assert_keys_and_grants_agree(&store, &acknowledged);
    }
    runtime().block_on(assert_redelivery_completes(&store));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

fn start_child(store: &Path) -> (Child, SocketAddr) {
    let mut child = Command::new(std::env::current_exe().expect("a path"))
        .args([
            "--exact",
            "receiver_ledger::receiver_to_be_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(STORE_VARIABLE, store)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let output = child.stdout.take().expect("piped");
    let address = BufReader::new(output)
        .lines()
        .map(|line| line.expect("text"))
        .find_map(|line| line.strip_prefix(ADDRESS_PREFIX)?.parse().ok())
        .expect("prints its address");
    (child, address)
}

/// Delivers on several connections and kills the child when enough deliveries are acknowledged,
/// while others are still active.
async fn deliver_until_killed(
    mut child: Child,
    address: SocketAddr,
    round: usize,
    acknowledged: &Arc<Mutex<HashSet<String>>>,
) {
    let (enough, reached) = oneshot::channel();
    let enough = Arc::new(Mutex::new(Some(enough)));
    let goal = (round + 1) * ACKNOWLEDGED_BEFORE_KILL;
    let senders: Vec<_> = (0..CONNECTIONS)
        .map(|connection| {
            let (acknowledged, enough) = (Arc::clone(acknowledged), Arc::clone(&enough));
            tokio::spawn(async move {
                let mut sender = connect(address).await;
                for number in 0.. {
                    let key = format!("{round}/{connection}/{number}");
                    // An error means that the child was killed.
                    let Some(StatusCode::OK) = deliver(&mut sender, &key).await else {
                        break;
                    };
                    let mut acknowledged = acknowledged.lock().expect("no panic");
                    acknowledged.insert(key);
                    if acknowledged.len() >= goal
                        && let Some(enough) = enough.lock().expect("no panic").take()
                    {
                        enough.send(()).expect("waited for");
                    }
                }
            })
        })
        .collect();
    reached.await.expect("enough are acknowledged");
    child.kill().expect("killed");
    child.wait().expect("ended");
    for sender in senders {
        sender.await.expect("no panic");
    }
}

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("connects");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("speaks HTTP");
    tokio::spawn(connection);
    sender
}

/// The status of the response; `None` if it did not arrive completely.
async fn deliver(sender: &mut SendRequest<Full<Bytes>>, key: &str) -> Option<StatusCode> {
    let body = event(key).to_string();
    let now = system_clock()();
    let request = Request::post("/webhooks/aghanim")
        .header("host", "localhost")
        .header(
            SIGNATURE_HEADER,
            Signer::new(&secret())
                .sign(now, body.as_bytes())
                .to_string(),
        )
        .header(TIMESTAMP_HEADER, now)
        .body(Full::from(body))
        .expect("a request");
    sender.ready().await.ok()?;
    let response = sender.send_request(request).await.ok()?;
    let status = response.status();
    response.into_body().collect().await.ok()?;
    Some(status)
}

/// An event with a bundle of many SKUs; the quantity of each SKU is its number.
fn event(key: &str) -> Value {
    let contents: Vec<_> = (1..=SKUS)
        .map(|number| {
            json!({
                "id": "itm_1", "name": "N", "sku": format!("sku-{number}"), "quantity": number,
                "type": "item",
            })
        })
        .collect();
    json!({
        "event_type": Event::COUPON_REDEEMED,
        "event_data": {
            "player_id": "P1",
            "coupon": { "code": "WELCOME", "sku": "chest", "redeemed_at": 1_725_548_450 },
            "item": {
                "id": "itm_0", "name": "Chest", "sku": "chest", "quantity": 1, "type": "bundle",
                "nested_items": contents,
            },
        },
        "event_time": 1_725_548_450,
        "event_id": format!("whevt_{key}"),
        "idempotency_key": key,
        "sandbox": false,
        "transaction_id": "whtx_1",
        "game_id": "gm_1",
    })
}

/// Every key in the ledger with its grants.
fn read_ledger(store: &Path) -> HashMap<String, Vec<(String, String)>> {
    let ledger = Connection::open(store).expect("opens");
    let intact: String = ledger
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("checked");
    assert_eq!(intact, "ok");
    let mut keys = ledger
        .prepare("SELECT idempotency_key FROM deliveries")
        .expect("a statement");
    let mut grants_by_key: HashMap<String, Vec<_>> = keys
        .query_map([], |row| Ok((row.get(0)?, Vec::new())))
        .expect("rows")
        .map(|key| key.expect("a key"))
        .collect();
    let mut grants = ledger
        .prepare("SELECT idempotency_key, sku, quantity FROM grants")
        .expect("a statement");
    let rows = grants
        .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))
        .expect("rows");
    for row in rows {
        let (key, grant): (String, (String, String)) = row.expect("a grant");
        grants_by_key
            .get_mut(&key)
            .unwrap_or_else(|| panic!("{key} has grants but is not in the ledger"))
            .push(grant);
    }
    grants_by_key
}

fn assert_keys_and_grants_agree(store: &Path, acknowledged: &HashSet<String>) {
    let ledger = read_ledger(store);
    for key in acknowledged {
        assert!(ledger.contains_key(key), "{key} was acknowledged and lost");
    }
    let mut whole: Vec<_> = (1..=SKUS)
        .map(|number| (format!("sku-{number}"), number.to_string()))
        .collect();
    whole.sort();
    for (key, mut grants) in ledger {
        grants.sort();
        assert_eq!(grants, whole, "{key}");
    }
}

/// Redelivers everything, as a sender does after an outage. Then each event must be granted exactly
/// once.
async fn assert_redelivery_completes(store: &Path) {
    let before = read_ledger(store);
    let keys: Vec<String> = (0..ROUNDS)
        .flat_map(|round| (0..5).map(move |number| format!("{round}/0/{number}")))
        .collect();
    let mut settings = ReceiverSettings::new(secret());
    settings.store = Store::File(store.to_owned());
    let receiver = Receiver::bind(settings).await.expect("starts");
    let address = receiver.address();
    let (shutdown, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(receiver.serve(async move {
        let _ = stopped.await;
    }));
    let mut sender = connect(address).await;
    for key in keys.iter().chain(&keys) {
        assert_eq!(deliver(&mut sender, key).await, Some(StatusCode::OK));
    }
    let expected = before.len() + keys.iter().filter(|key| !before.contains_key(*key)).count();
    assert_eq!(held(&mut sender).await, SKUS * expected as u64);
    shutdown.send(()).expect("running");
    running.await.expect("no panic").expect("ends well");
    assert_eq!(read_ledger(store).len(), expected);
}

/// The quantity of the last SKU that the player holds.
async fn held(sender: &mut SendRequest<Full<Bytes>>) -> u64 {
    let request = Request::get(format!("/debug/players/P1/items/sku-{SKUS}"))
        .header("host", "localhost")
        .body(Full::default())
        .expect("a request");
    sender.ready().await.expect("open");
    let response = sender.send_request(request).await.expect("answered");
    let body = response
        .into_body()
        .collect()
        .await
        .expect("whole")
        .to_bytes();
    let held: Value = serde_json::from_slice(&body).expect("JSON");
    held["quantity"].as_u64().expect("a number")
}
