//! A receiver that looks whether it has granted before it grants, but not in one step; and runs of
//! aghook against it. Shared by the test and by the measurement.

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

/// The scenario of the bundled suite that looks for races.
pub(crate) const BUNDLED: &str = "scenarios/idempotency/simultaneous_redelivery.yaml";

/// What lies between looking and granting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    /// One turn of the scheduler: less than any asynchronous query of a database takes.
    Yield,
    /// A millisecond, as a quick query takes.
    Millisecond,
    /// Nothing: it only lets go of the lock and takes it again.
    Nothing,
}

/// What came of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// How often the coupon was granted that was granted most.
    pub(crate) most_grants: usize,
    /// Whether aghook said that something is wrong.
    pub(crate) failed: bool,
}

#[derive(Default)]
struct Books {
    keys: Mutex<HashSet<String>>,
    /// The number of grants by player; every grant is of one.
    grants: Mutex<HashMap<String, usize>>,
}

/// The receiver while it runs, on two threads of its own.
pub(crate) struct RacyReceiver {
    books: Arc<Books>,
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
        let books = Arc::new(Books::default());
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(serve(listener, Arc::clone(&books), between));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("aghook.yaml"), profile(address)).expect("written");
        Self {
            books,
            folder,
            _runtime: runtime,
        }
    }

    /// Runs a scenario of so many steps, each of which delivers an event of its own so often and with
    /// these words.
    pub(crate) fn run(&self, steps: usize, deliveries: usize, words: &str, seed: usize) -> Run {
        self.run_text(&scenario(steps, deliveries, words), seed)
    }

    /// Runs the scenario of the bundled suite that looks for races.
    pub(crate) fn run_bundled(&self, seed: usize) -> Run {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(BUNDLED);
        let text = std::fs::read_to_string(path).expect("read");
        // Every grant of this receiver is of one.
        let of_one = text.replace(": {}\n", ": { item: { quantity: 1 } }\n");
        assert_ne!(of_one, text, "the events have changed");
        self.run_text(&of_one, seed)
    }

    fn run_text(&self, scenario: &str, seed: usize) -> Run {
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
        // Every event of every run has a player of its own.
        let mut grants = self.books.grants.lock().expect("not poisoned");
        let most = grants.drain().map(|(_, grants)| grants).max();
        let most_grants = most.unwrap_or_default();
        Run {
            most_grants,
            failed,
        }
    }
}

fn scenario(steps: usize, deliveries: usize, words: &str) -> String {
    let count = steps;
    let lines = |line: &dyn Fn(usize) -> String| (1..=count).map(line).collect::<String>();
    let events = lines(&|number| format!("  e{number}: {{ item: {{ quantity: 1 }} }}\n"));
    let each = format!("times: {deliveries}, {words} expect: {{ status: 2xx }}");
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

async fn serve(listener: TcpListener, books: Arc<Books>, between: Between) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let books = Arc::clone(&books);
        tokio::spawn(async move {
            let answer = |request| answer(request, Arc::clone(&books), between);
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            drop(serving.await);
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    books: Arc<Books>,
    between: Between,
) -> Result<Response<String>, Infallible> {
    if request.method() == Method::GET {
        let player = request.uri().path().trim_start_matches("/players/");
        let grants = books.grants.lock().expect("not poisoned");
        let held = grants.get(player).copied().unwrap_or_default();
        return Ok(Response::new(held.to_string()));
    }
    let body = request.into_body().collect().await.expect("a body");
    let event: Value = serde_json::from_slice(&body.to_bytes()).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let key = text(&event["idempotency_key"]);
    let player = text(&event["event_data"]["player_id"]);

    // The race: what was looked at may have changed by now.
    let is_known = books.keys.lock().expect("not poisoned").contains(&key);
    match between {
        Between::Nothing => {}
        Between::Yield => tokio::task::yield_now().await,
        Between::Millisecond => tokio::time::sleep(Duration::from_millis(1)).await,
    }
    if !is_known {
        books.keys.lock().expect("not poisoned").insert(key);
        let mut grants = books.grants.lock().expect("not poisoned");
        *grants.entry(player).or_default() += 1;
    }
    Ok(Response::new(String::new()))
}
