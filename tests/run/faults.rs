//! Faults from the command line: against the built-in receiver, which survives them all, and against
//! one that has a race.

mod racy_receiver;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use aghook::scenario::Fault;
use racy_receiver::{BUNDLED, Between, RacyReceiver};
use serde_json::{Value, json};

/// Runs aghook in a folder with these files.
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

/// The events of a run of one scenario against the built-in receiver, which must pass.
fn passing(scenario: &str, more: &[&str]) -> Vec<Value> {
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

/// How an attempt is told: its event, its number, its fault and what came of it.
fn told(attempt: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let came = |answer: &Value| match &answer["response"]["status"] {
        Value::Number(status) => status.to_string(),
        _ => word(&answer["failure"]["name"]),
    };
    format!(
        "{} {} {} {} {}",
        word(&attempt["event_name"]),
        attempt["attempt"],
        word(&attempt["fault"]),
        came(&attempt["answer"]),
        came(&attempt["unheard_answer"]),
    )
}

fn granted_once_though(fault: &str, more: &str) -> String {
    format!(
        "name: granted once\nevents: {{ a: {{}} }}\n\
         steps: [{{ deliver: a, fault: {fault}, {more} expect: {{ status: 2xx, outcome: delivered }} }}]\n\
         effects: [{{ granted: a }}]\n"
    )
}

#[test]
fn a_sound_receiver_survives_every_fault_and_everything_is_recorded() {
    // Within the tolerance of the receiver's clock, so that a late retry is still fresh.
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
        let events = passing(&granted_once_though(fault, more), &[]);
        let attempts = attempts(&events);
        let mut told: Vec<_> = attempts.iter().map(|attempt| told(attempt)).collect();
        // The receiver can be quicker with its answer than the news that the request has left.
        if told[0] == "a 1 reset reset_by_sender 200" {
            told[0] = "a 1 reset reset_by_sender -".to_owned();
        }
        assert_eq!(told, expected, "{fault}");
        let sent = attempts.iter().all(|attempt| {
            let body = attempt["request"]["body"]["text"].as_str();
            body.is_some_and(|body| body.contains("idempotency_key"))
        });
        assert!(sent, "what was to be sent is always recorded");
    }
}

#[test]
fn out_of_order_is_the_first_again_after_the_others() {
    let scenario = |more: &str| {
        format!(
            "name: any order\nevents:\n  a: {{}}\n  b: {{ player_id: {{ same_as: a }} }}\n  \
             c: {{ transaction_id: {{ same_as: a }} }}\n\
             steps: [{{ deliver: [a, b, c], fault: out_of_order, {more} expect: {{ status: 2xx }} }}]\n\
             effects: [{{ granted: a }}, {{ granted: b }}, {{ granted: c }}]\n"
        )
    };
    let order = |more: &str| {
        let events = passing(&scenario(more), &[]);
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
fn over_http2_what_can_not_be_played_is_not_checked() {
    let http2 = ["--http-version", "2"];
    let overlap = granted_once_though("timeout_overlap", "");
    let told: Vec<_> = attempts(&passing(&overlap, &http2))
        .into_iter()
        .map(told)
        .collect();
    assert_eq!(told, ["a 1 timeout_overlap gave_up 200", "a 2 - 200 -"]);

    for fault in ["cut_body", "reset"] {
        let scenario = granted_once_though(fault, "");
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
fn a_fault_that_the_profile_rules_out_is_said_before_anything_is_sent() {
    let scenario = granted_once_though("cut_body", "");
    let check = |profiles: &str| {
        let files = [("aghook.yaml", profiles), ("scenario.yaml", &scenario)];
        aghook(&files, &["check", "scenario.yaml"])
    };
    let refused = check("profiles: { a: { http_version: '2' } }\n");
    assert_eq!(refused.status.code(), Some(2));
    let why = text(&refused.stderr);
    let line = scenario.lines().nth(2).expect("the steps");
    let column = line.find("cut_body").expect("the fault") + 1;
    let place = format!("scenario.yaml:3:{column}]");
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
fn an_unknown_fault_names_the_nearest() {
    let scenario = granted_once_though("lost_akc", "");
    let output = aghook(&[("a.yaml", &scenario)], &["check", "a.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let why = text(&output.stderr);
    assert!(why.contains("did you mean `lost_ack`?"), "{why}");
}

#[test]
fn the_faults_are_listed() {
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
fn a_retry_with_an_event_id_of_its_own_is_still_the_same_event() {
    let scenario = "name: granted once\nevents: { a: {} }\n\
        steps:\n  - script: { of: a, answers: [503, 503] }\n  - deliver: a\n    \
        retry: { event_id: fresh, connection: new, retry_after: true }\n    \
        expect: { outcome: delivered, attempts: 3 }\n\
        effects: [{ granted: a }]\n";
    let fixed = ["--start-time", "1763889831", "--seed", "7"];
    let ids = || {
        let events = passing(scenario, &fixed);
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

/// Whether the connection of each attempt had carried another request, by event and attempt.
fn reused(events: &[Value]) -> Vec<bool> {
    let attempts = attempts(events).into_iter();
    let reused = attempts.map(|attempt| attempt["connection"]["reused"].as_bool());
    reused.map(|reused| reused.expect("a connection")).collect()
}

#[test]
fn a_steps_connection_is_for_its_retries_as_well_unless_they_have_their_own() {
    let scenario = |words: &str| {
        format!(
            "name: connections\nevents: {{ a: {{}} }}\nsteps:\n  \
             - script: {{ of: a, answers: [503, 503] }}\n  \
             - {{ deliver: a, {words}, expect: {{ outcome: delivered, attempts: 3 }} }}\n\
             effects: [{{ granted: a }}]\n"
        )
    };
    // The first attempt of the others can find the connection of the probe or of the script.
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
        let events = passing(&scenario(words), &[]);
        let reused = reused(&events);
        if let Some(first) = first {
            assert_eq!(reused[0], first, "{words}");
        }
        // What rested for too long is not used again, as on a machine that is busy.
        if !retries {
            assert_eq!(reused[1..], [false, false], "{words}");
        }
    }
}

#[test]
fn the_bundled_suite_retries_on_the_old_connection_and_on_a_new_one() {
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
    // A connection that rested for too long is not used again, as on a machine that is busy.
    assert!((0..20).any(|_| retry_is_reused() == [true, false]));
}

/// Only what is certain is asserted. How often the race is hit is measured by
/// `cargo bench --bench together`.
#[test]
fn a_race_is_reported_whenever_it_is_hit_and_never_otherwise() {
    for between in [Between::Millisecond, Between::Yield, Between::Nothing] {
        let receiver = RacyReceiver::start(between);
        for (steps, deliveries, words) in [(4, 8, "together: true,"), (2, 4, "")] {
            for seed in 0..5 {
                let run = receiver.run(steps, deliveries, words, seed);
                assert!((1..=deliveries).contains(&run.most_grants), "{run:?}");
                assert_eq!(run.failed, run.most_grants > 1, "{run:?}");
                if words.is_empty() {
                    assert_eq!(run.most_grants, 1, "one after the other there is no race");
                }
            }
        }
        let run = receiver.run_bundled(0);
        assert_eq!(run.failed, run.most_grants > 1, "{BUNDLED}: {run:?}");
    }
}
