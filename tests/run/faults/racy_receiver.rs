//! A receiver with a race: it checks the key and grants in two separate steps. Shared by the test
//! and the benchmark, with runs of aghook against it.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The bundled scenario that looks for races.
pub(crate) const BUNDLED: &str = "scenarios/idempotency/simultaneous_redelivery.yaml";

/// What happens between the check and the grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    /// Yields to the scheduler once, which is shorter than any asynchronous database query.
    Yield,
    /// Sleeps for a millisecond, like a quick query.
    Millisecond,
    /// Only releases the lock and acquires it again.
    Nothing,
}

/// The result of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RacyRun {
    /// The highest number of grants of one coupon.
    pub(crate) most_grants: usize,
    /// Whether aghook reported a failure.
    pub(crate) failed: bool,
}

#[derive(Default)]
struct Database {
    keys: Mutex<HashSet<String>>,
    /// The number of grants for each player; every grant has quantity 1.
    grants: Mutex<HashMap<String, usize>>,
}

/// A running receiver with its own two threads.
pub(crate) struct RacyReceiver {
    database: Arc<Database>,
    folder: tempfile::TempDir,
    _runtime: Runtime,
}

impl RacyReceiver {
    pub(crate) fn start(between: Between) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let database = Arc::new(Database::default());
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(serve(listener, Arc::clone(&database), between));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("aghook.yaml"), profile(address)).expect("written");
        Self {
            database,
            folder,
            _runtime: runtime,
        }
    }

    /// Runs a scenario with this number of steps; each delivers a new event `deliveries` times,
    /// with `keys` added to the step.
    pub(crate) fn run(&self, steps: usize, deliveries: usize, keys: &str, seed: usize) -> RacyRun {
        self.run_text(&scenario(steps, deliveries, keys), seed)
    }

    /// Runs the bundled scenario that looks for races.
    pub(crate) fn run_bundled(&self, seed: usize) -> RacyRun {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(BUNDLED);
        let text = std::fs::read_to_string(path).expect("read");
        // This receiver ignores quantities, so use quantity 1.
        let with_quantity_1 = text.replace(": {}\n", ": { item: { quantity: 1 } }\n");
        assert_ne!(with_quantity_1, text, "the events have changed");
        self.run_text(&with_quantity_1, seed)
    }

    fn run_text(&self, scenario: &str, seed: usize) -> RacyRun {
        std::fs::write(self.folder.path().join("race.yaml"), scenario).expect("written");
        let output = Command::new(env!("CARGO_BIN_EXE_aghook"))
            .args(["run", "race.yaml", "--seed"])
            .arg(seed.to_string())
            .env("AGHOOK_SECRET", "whsec_not_a_real_secret")
            .current_dir(self.folder.path())
            .output()
            .expect("aghook runs");
        let failed = match output.status.code() {
            Some(0) => false,
            Some(1) => true,
            _ => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        };
        // Every event of every run has a different player.
        let mut grants = self.database.grants.lock().expect("not poisoned");
        let most = grants.drain().map(|(_, grants)| grants).max();
        let most_grants = most.unwrap_or_default();
        RacyRun {
            most_grants,
            failed,
        }
    }
}

fn scenario(steps: usize, deliveries: usize, keys: &str) -> String {
    let count = steps;
    let lines = |line: &dyn Fn(usize) -> String| (1..=count).map(line).collect::<String>();
    let events = lines(&|number| format!("  e{number}: {{ item: {{ quantity: 1 }} }}\n"));
    let each = format!("times: {deliveries}, {keys} expect: {{ status: 2xx }}");
    let steps = lines(&|number| format!("  - {{ deliver: e{number}, {each} }}\n"));
    let effects = lines(&|number| format!("  - {{ granted: e{number}, settle: 0s }}\n"));
    format!("name: granted once\nevents:\n{events}steps:\n{steps}effects:\n{effects}")
}

fn profile(address: SocketAddr) -> String {
    format!(
        "profiles:\n  racy:\n    target: http://{address}/webhook\n    probes:\n      quantity:\n        \
         http: GET http://{address}/players/{{player_id}}\n        read: $\n    settle: 0s\n"
    )
}

async fn serve(listener: TcpListener, database: Arc<Database>, between: Between) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let database = Arc::clone(&database);
        tokio::spawn(async move {
            let respond = |request| respond(request, Arc::clone(&database), between);
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(respond));
            drop(serving.await);
        });
    }
}

async fn respond(
    request: Request<Incoming>,
    database: Arc<Database>,
    between: Between,
) -> Result<Response<String>, Infallible> {
    if request.method() == Method::GET {
        let player = request.uri().path().trim_start_matches("/players/");
        let grants = database.grants.lock().expect("not poisoned");
        let held = grants.get(player).copied().unwrap_or_default();
        return Ok(Response::new(held.to_string()));
    }
    let body = request.into_body().collect().await.expect("a body");
    let event: Value = serde_json::from_slice(&body.to_bytes()).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let key = text(&event["idempotency_key"]);
    let player = text(&event["event_data"]["player_id"]);

    // The race: the result of this check may be outdated when the grant is stored.
    let is_known = database.keys.lock().expect("not poisoned").contains(&key);
    match between {
        Between::Nothing => {}
        Between::Yield => tokio::task::yield_now().await,
        Between::Millisecond => tokio::time::sleep(Duration::from_millis(1)).await,
    }
    if !is_known {
        database.keys.lock().expect("not poisoned").insert(key);
        let mut grants = database.grants.lock().expect("not poisoned");
        *grants.entry(player).or_default() += 1;
    }
    Ok(Response::new(String::new()))
}
