//! Faults on the command line, against the built-in receiver, which handles all of them, and
//! against a receiver with a race.

mod racy_receiver;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use aghook::internals::policy::Fault;
use racy_receiver::{BUNDLED, Between, RacyReceiver};
use serde_json::{Value, json};

/// Runs aghook in a new folder with these files.
fn aghook(files: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    run_in(folder.path(), arguments)
}

fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aghook"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("AGHOOK_SECRET")
        .output()
        .expect("aghook runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs one scenario against the built-in receiver, which must pass; returns the run events.
fn run_passing(scenario: &str, more: &[&str]) -> Vec<Value> {
    let arguments = [&["run", "scenario.yaml", "--report", "json"], more].concat();
    let output = aghook(&[("scenario.yaml", scenario)], &arguments);
    let events: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let code = output.status.code();
    assert_eq!(code, Some(0), "{events:#?} {}", text(&output.stderr));
    events
}

fn attempts(events: &[Value]) -> Vec<&Value> {
    let ended = |event: &&Value| event["event"] == "attempt_ended";
    events.iter().filter(ended).collect()
}

/// Describes an attempt: its event, number, fault, response and lost response.
fn described(attempt: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let result = |response: &Value| match &response["response"]["status"] {
        Value::Number(status) => status.to_string(),
        _ => word(&response["failure"]["name"]),
    };
    format!(
        "{} {} {} {} {}",
        word(&attempt["event_name"]),
        attempt["attempt"],
        word(&attempt["fault"]),
        result(&attempt["answer"]),
        result(&attempt["unheard_answer"]),
    )
}

fn granted_once_despite(fault: &str, more: &str) -> String {
    format!(
        "name: granted once\nevents: {{ a: {{}} }}\n\
         steps: [{{ deliver: a, fault: {fault}, {more} expect: {{ status: 2xx, outcome: delivered }} }}]\n\
         effects: [{{ granted: a }}]\n"
    )
}

#[test]
fn a_sound_receiver_handles_every_fault_and_every_attempt_is_recorded() {
    // Short enough that a late retry still has a fresh signature.
    let soon = "retry: { delays: [1s] },";
    for (fault, more, expected) in [
        (
            "lost_ack",
            "",
            &["a 1 lost_ack answer_lost 200", "a 2 - 200 -"][..],
        ),
        ("cut_body", "", &["a 1 cut_body body_cut -", "a 2 - 200 -"]),
        (
            "{ slow_body: { per_byte: 0s } }",
            "",
            &["a 1 slow_body 200 -"],
        ),
        (
            "timeout_overlap",
            "",
            &["a 1 timeout_overlap gave_up 200", "a 2 - 200 -"],
        ),
        ("reset", "", &["a 1 reset reset_by_sender -", "a 2 - 200 -"]),
        (
            "duplicate",
            "",
            &["a 1 duplicate 200 -", "a 1 duplicate 200 -"],
        ),
        (
            "out_of_order",
            "times: 2,",
            &[
                "a 1 out_of_order answer_lost 200",
                "a 1 out_of_order 200 -",
                "a 2 out_of_order 200 -",
            ],
        ),
        (
            "late_retry",
            soon,
            &["a 1 late_retry answer_lost 200", "a 2 late_retry 200 -"],
        ),
        (
            "{ late_retry: { lost: request } }",
            soon,
            &["a 1 late_retry request_lost -", "a 2 late_retry 200 -"],
        ),
    ] {
        let events = run_passing(&granted_once_despite(fault, more), &[]);
        let attempts = attempts(&events);
        let mut descriptions: Vec<_> = attempts.iter().map(|attempt| described(attempt)).collect();
        // The response may arrive before the sender notices that the request was sent.
        if descriptions[0] == "a 1 reset reset_by_sender 200" {
            descriptions[0] = "a 1 reset reset_by_sender -".to_owned();
        }
        assert_eq!(descriptions, expected, "{fault}");
        let sent = attempts.iter().all(|attempt| {
            let body = attempt["request"]["body"]["text"].as_str();
            body.is_some_and(|body| body.contains("idempotency_key"))
        });
        assert!(sent, "the request is always recorded");
    }
}

#[test]
fn out_of_order_repeats_the_first_event_after_the_others() {
    let scenario = |more: &str| {
        format!(
            "name: any order\nevents:\n  a: {{}}\n  b: {{ player_id: {{ same_as: a }} }}\n  \
             c: {{ transaction_id: {{ same_as: a }} }}\n\
             steps: [{{ deliver: [a, b, c], fault: out_of_order, {more} expect: {{ status: 2xx }} }}]\n\
             effects: [{{ granted: a }}, {{ granted: b }}, {{ granted: c }}]\n"
        )
    };
    let order = |more: &str| {
        let events = run_passing(&scenario(more), &[]);
        let names = attempts(&events);
        let names = names.iter().map(|attempt| attempt["event_name"].clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(order(""), ["a", "c", "b", "a"]);
    let shuffled = order("shuffle: true,");
    assert_eq!((&shuffled[0], &shuffled[3]), (&json!("a"), &json!("a")));
    assert_eq!(order("shuffle: true,"), shuffled, "the seed decides");
}

#[test]
fn faults_that_http2_can_not_play_are_not_checked() {
    let http2 = ["--http-version", "2"];
    let overlap = granted_once_despite("timeout_overlap", "");
    let descriptions: Vec<_> = attempts(&run_passing(&overlap, &http2))
        .into_iter()
        .map(described)
        .collect();
    assert_eq!(
        descriptions,
        ["a 1 timeout_overlap gave_up 200", "a 2 - 200 -"]
    );

    for fault in ["cut_body", "reset"] {
        let scenario = granted_once_despite(fault, "");
        let files = [("scenario.yaml", scenario.as_str())];
        let output = aghook(&files, &["run", "scenario.yaml", "--http-version", "2"]);
        assert_eq!(output.status.code(), Some(3), "nothing was checked");
        let out = text(&output.stdout);
        assert!(out.contains("needs HTTP/1.1: over HTTP/2"), "{out}");
        assert!(out.contains("--http-version 1.1"), "{out}");
        let strict = [&["run", "scenario.yaml", "--strict"], &http2[..]].concat();
        assert_eq!(aghook(&files, &strict).status.code(), Some(1));
    }
}

#[test]
fn a_fault_that_the_profile_rules_out_is_reported_before_sending() {
    let scenario = granted_once_despite("cut_body", "");
    let check = |profiles: &str| {
        let files = [("aghook.yaml", profiles), ("scenario.yaml", &scenario)];
        aghook(&files, &["check", "scenario.yaml"])
    };
    let refused = check("profiles: { a: { http_version: '2' } }\n");
    assert_eq!(refused.status.code(), Some(2));
    let why = text(&refused.stderr);
    let line = scenario.lines().nth(2).expect("the steps");
    let column = line.find("cut_body").expect("the fault") + 1;
    let place = format!("--> scenario.yaml:3:{column}\n");
    assert!(why.contains(&place), "{place}: {why}");
    assert!(why.contains("the fault `cut_body` needs HTTP/1.1"), "{why}");
    for profiles in [
        "profiles: { a: { http_version: auto } }\n",
        "profiles: { a: { http_version: '2' }, b: {} }\n",
    ] {
        assert_eq!(check(profiles).status.code(), Some(0), "{profiles}");
    }
}

#[test]
fn an_unknown_fault_suggests_a_similar_name() {
    let scenario = granted_once_despite("lost_akc", "");
    let output = aghook(&[("a.yaml", &scenario)], &["check", "a.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let why = text(&output.stderr);
    assert!(why.contains("did you mean `lost_ack`?"), "{why}");
}

#[test]
fn all_faults_are_listed() {
    let output = aghook(&[], &["list", "--what", "faults", "--json"]);
    let lines = text(&output.stdout);
    let names: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["name"].clone())
        .collect();
    let known: Vec<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
    assert_eq!(names, known);
}

#[test]
fn a_retry_with_a_new_event_id_is_still_the_same_event() {
    let scenario = "name: granted once\nevents: { a: {} }\n\
        steps:\n  - script: { of: a, answers: [503, 503] }\n  - deliver: a\n    \
        retry: { event_id: fresh, connection: new, retry_after: true }\n    \
        expect: { outcome: delivered, attempts: 3 }\n\
        effects: [{ granted: a }]\n";
    let fixed = ["--start-time", "1763889831", "--seed", "7"];
    let ids = || {
        let events = run_passing(scenario, &fixed);
        let body = |attempt: &Value| {
            let body = attempt["request"]["body"]["text"].as_str().expect("text");
            serde_json::from_str::<BTreeMap<String, Value>>(body).expect("an event")
        };
        let mut bodies: Vec<_> = attempts(&events).into_iter().map(body).collect();
        let ids: Vec<_> = bodies
            .iter_mut()
            .map(|body| body.remove("event_id").expect("an ID"))
            .collect();
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
        ids
    };
    let first = ids();
    assert!(first[0] != first[1] && first[1] != first[2] && first[0] != first[2]);
    assert_eq!(ids(), first, "the same seed and start time, the same IDs");
}

/// Whether each attempt reused a connection.
fn reused(events: &[Value]) -> Vec<bool> {
    let attempts = attempts(events).into_iter();
    let reused = attempts.map(|attempt| attempt["connection"]["reused"].as_bool());
    reused.map(|reused| reused.expect("a connection")).collect()
}

#[test]
fn the_connection_of_a_step_also_applies_to_its_retries_unless_they_set_their_own() {
    let scenario = |words: &str| {
        format!(
            "name: connections\nevents: {{ a: {{}} }}\nsteps:\n  \
             - script: {{ of: a, answers: [503, 503] }}\n  \
             - {{ deliver: a, {words}, expect: {{ outcome: delivered, attempts: 3 }} }}\n\
             effects: [{{ granted: a }}]\n"
        )
    };
    // In the other cases, the first attempt may reuse the connection of the probe or the script.
    for (words, first, retries) in [
        ("connection: new", Some(false), false),
        ("retry: { connection: new }", None, false),
        ("connection: reuse, retry: { connection: new }", None, false),
        (
            "connection: new, retry: { connection: reuse }",
            Some(false),
            true,
        ),
        ("retry: { connection: reuse }", None, true),
    ] {
        let events = run_passing(&scenario(words), &[]);
        let reused = reused(&events);
        if let Some(first) = first {
            assert_eq!(reused[0], first, "{words}");
        }
        // On a busy machine, a connection may idle for too long to be reused.
        if !retries {
            assert_eq!(reused[1..], [false, false], "{words}");
        }
    }
}

#[test]
fn the_bundled_suite_retries_on_old_and_new_connections() {
    let retry_is_reused = || {
        let run = [
            "run",
            "--filter",
            "retry_connection.yaml",
            "--report",
            "json",
        ];
        let output = aghook(&[], &run);
        assert_eq!(output.status.code(), Some(0));
        let lines = text(&output.stdout);
        let events = lines.lines();
        let events = events.map(|line| serde_json::from_str(line).expect("JSON"));
        let events: Vec<Value> = events.collect();
        ["connection=reuse", "connection=new"].map(|choice| {
            let mut started = events.iter().filter(|event| {
                let name = event["name"].as_str().unwrap_or_default();
                event["event"] == "scenario_started" && name.contains(choice)
            });
            let scenario = &started.next().expect("one of each")["scenario"];
            let attempts = attempts(&events).into_iter();
            let mut retries = attempts
                .filter(|attempt| attempt["scenario"] == *scenario && attempt["attempt"] == 2);
            retries.next().expect("a retry")["connection"]["reused"] == true
        })
    };
    // On a busy machine, a connection may idle for too long to be reused.
    assert!((0..20).any(|_| retry_is_reused() == [true, false]));
}

/// Asserts only what is certain. `cargo bench --bench together` measures how often the race shows.
#[test]
fn a_race_is_reported_exactly_when_it_happens() {
    for between in [Between::Millisecond, Between::Yield, Between::Nothing] {
        let receiver = RacyReceiver::start(between);
        for (steps, deliveries, words) in [(4, 8, "together: true,"), (2, 4, "")] {
            for seed in 0..5 {
                let run = receiver.run(steps, deliveries, words, seed);
                assert!((1..=deliveries).contains(&run.most_grants), "{run:?}");
                assert_eq!(run.failed, run.most_grants > 1, "{run:?}");
                if words.is_empty() {
                    assert_eq!(run.most_grants, 1, "sequential deliveries can not race");
                }
            }
        }
        let run = receiver.run_bundled(0);
        assert_eq!(run.failed, run.most_grants > 1, "{BUNDLED}: {run:?}");
    }
}
