//! The Kubernetes jobs of docs/scale/: they are valid, and their containers do what docs/scale.md
//! says.

use std::path::Path;
use std::process::Output;

use super::*;

fn manifest(name: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/scale").join(name)).expect(name);
    serde_saphyr::from_str(&text).expect(name)
}

fn container(job: &Value) -> &Value {
    &job["spec"]["template"]["spec"]["containers"][0]
}

/// Runs the command of a job's container with its environment; `overrides` replaces variables.
fn run_container(job: &Value, folder: &Folder, overrides: &[(&str, &str)]) -> Output {
    let container = container(job);
    let words: Vec<&str> = container["command"]
        .as_array()
        .expect("a command")
        .iter()
        .map(|word| word.as_str().expect("a text"))
        .collect();
    let program = Path::new(env!("CARGO_BIN_EXE_aghook"));
    let folders = program.parent().map(Path::to_path_buf).into_iter();
    let current_path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&current_path)));
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(folder.root());
    for variable in container["env"].as_array().expect("variables") {
        if let (Some(name), Some(value)) = (variable["name"].as_str(), variable["value"].as_str()) {
            command.env(name, value);
        }
    }
    command
        .env("PATH", path.expect("a path"))
        .env("AGHOOK_SECRET", SECRET)
        .env_remove("GITHUB_ACTIONS")
        .envs(overrides.iter().copied())
        .output()
        .expect("runs")
}

fn must_succeed(output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
}

#[test]
fn the_jobs_are_valid() {
    let schema = include_str!("kubernetes-job.schema.json");
    let schema = serde_json::from_str(schema).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    for name in ["load-job.yaml", "merge-job.yaml"] {
        let job = manifest(name);
        if let Err(error) = schema.validate(&job) {
            panic!("{name} at {}: {error}", error.instance_path());
        }
        // Each mount refers to a volume of the pod.
        let volumes = job["spec"]["template"]["spec"]["volumes"]
            .as_array()
            .expect("volumes");
        for mount in container(&job)["volumeMounts"].as_array().expect("mounts") {
            assert!(
                volumes.iter().any(|volume| volume["name"] == mount["name"]),
                "{mount}"
            );
        }
    }
    let job = manifest("load-job.yaml");
    let variables = container(&job)["env"].as_array().expect("variables");
    let shares = variables
        .iter()
        .find(|variable| variable["name"] == "SHARDS")
        .expect("SHARDS");
    let spec = &job["spec"];
    assert_eq!(shares["value"], spec["completions"].to_string());
    assert_eq!(spec["parallelism"], spec["completions"]);
    let secret = variables
        .iter()
        .find(|variable| variable["name"] == "AGHOOK_SECRET");
    assert!(secret.expect("the secret")["value"].is_null());
    // The schema rejects a typo.
    let mut wrong = job.clone();
    wrong["spec"]["completionmode"] = wrong["spec"]["completionMode"].take();
    assert!(!schema.is_valid(&wrong));
}

#[test]
fn the_pods_send_the_same_events_as_one_sender() {
    const COUNT: u64 = 400;
    let count = COUNT.to_string();
    let flawed = ReceiverProcess::new(&[]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let job = manifest("load-job.yaml");
    let settings = [
        ("SHARDS", "3"),
        ("RATE", "max"),
        ("COUNT", &*count),
        ("CONNECTIONS", "4"),
        ("CONFIG", "aghook.yaml"),
        ("REPORTS", "."),
    ];
    for index in ["0", "1", "2"] {
        let own = [&settings[..], &[("JOB_COMPLETION_INDEX", index)]].concat();
        must_succeed(&run_container(&job, &folder, &own));
    }
    let merge = manifest("merge-job.yaml");
    let expected = [("REPORTS", "."), ("EXPECT", "accepted_forgeries = 0")];
    must_succeed(&run_container(&merge, &folder, &expected));
    assert!(folder.path("load.html").exists());
    let merged: Value = serde_json::from_str(&folder.read("load.json")).expect("JSON");
    assert_eq!(merged["partitions"].as_array().map(Vec::len), Some(3));

    let whole = [
        ("SHARDS", "1"),
        ("JOB_COMPLETION_INDEX", "0"),
        ("REPORTS", "whole"),
    ];
    std::fs::create_dir(folder.path("whole")).expect("a folder");
    let own = [&settings[..], &whole[..]].concat();
    must_succeed(&run_container(&job, &folder, &own));
    let text = folder.read("whole/shard-0.json");
    let whole: Value = serde_json::from_str(&text).expect("JSON");
    // Treatments are drawn by event number, so they do not depend on the shard. Timing is not
    // compared.
    for key in [
        "events",
        "deliveries",
        "acknowledged",
        "attempts",
        "retries",
        "duplicates",
        "together",
        "lost_acks",
        "forgeries",
        "refused_forgeries",
        "statuses",
    ] {
        assert_eq!(counts(&merged)[key], counts(&whole)[key], "{key}");
    }
    assert_eq!(number(counts(&merged), "events"), COUNT);
    assert_eq!(merged["latency"]["count"], whole["latency"]["count"]);
}

#[test]
fn no_event_is_in_two_shards() {
    let received = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&received);
    let peer = Peer::answering(move |request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(body["event_id"].to_string());
        PeerResponse::new(200)
    });
    let config = format!("profiles:\n  x:\n    target: {}\n", peer.url());
    let folder = Folder::new().with("aghook.yaml", config);
    let job = manifest("load-job.yaml");
    let mut all = BTreeSet::new();
    let mut sum = 0;
    for index in ["0", "1", "2"] {
        let settings = [
            ("JOB_COMPLETION_INDEX", index),
            ("SHARDS", "3"),
            ("RATE", "max"),
            ("COUNT", "100"),
            ("CONNECTIONS", "2"),
            ("CONFIG", "aghook.yaml"),
            ("REPORTS", "."),
        ];
        // This peer accepts forgeries, but only the merge checks that.
        must_succeed(&run_container(&job, &folder, &settings));
        let taken = std::mem::take(&mut *received.lock().unwrap_or_else(PoisonError::into_inner));
        let own: BTreeSet<String> = taken.into_iter().collect();
        sum += own.len();
        all.extend(own);
    }
    // Forgeries may have another body; every other event is in exactly one shard.
    assert_eq!(all.len(), sum);
    assert!(sum >= 95, "{sum}");
}
