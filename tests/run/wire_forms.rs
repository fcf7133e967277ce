//! `wire`, `signed_at` and guessed secrets on the command line.

use serde_json::Value;

use crate::support::{Folder, Transcript, UNREACHABLE};

fn scenario(steps: &str) -> Folder {
    Folder::with_scenario(&format!(
        "name: x\nevents: {{ a: {{ item: {{ name: Éclair }} }}, b: {{ item: {{ name: Cake }} }} }}\n\
         steps: [{steps}]\neffects: [{{ granted: a }}]\n"
    ))
}

const STEPS: &str = "
  { deliver: a, wire: { transfer: chunked, pieces: 400, header_case: lower }, expect: { status: 2xx } },
  { deliver: a, wire: { pieces: letters, expect: 100-continue }, signed_at: +2s, expect: { status: 2xx } },
  { deliver: a, fault: lost_ack, wire: { transfer: chunked }, expect: { status: 2xx, attempts: 2 } },
  { deliver: a, forge: wrong_secret, wire: { transfer: chunked }, expect: { status: 403 } },
  { deliver: a, times: 3, together: true, wire: { transfer: chunked, expect: 100-continue }, expect: { status: 2xx } }";

#[test]
fn reports_show_requests_as_they_were_sent() {
    let output = scenario(STEPS)
        .run(&["--report", "json"])
        .output()
        .expect("runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let lines = String::from_utf8_lossy(&output.stdout);
    let events = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let attempts: Vec<Value> = events
        .filter(|event: &Value| event["event"] == "attempt_ended")
        .collect();
    assert_eq!(attempts.len(), 8, "two of them because of the fault");
    let has = |attempt: usize, name: &str, value: &str| {
        let headers = &attempts[attempt]["request"]["headers"];
        let mut headers = headers.as_array().expect("headers").iter();
        assert!(
            headers.any(|header| header[0] == name && header[1] == value),
            "{headers:?}"
        );
    };
    has(0, "transfer-encoding", "chunked");
    has(0, "content-type", "application/json");
    has(1, "Expect", "100-continue");
    for retried in [2, 3] {
        has(retried, "Transfer-Encoding", "chunked");
    }
    assert_eq!(attempts[0]["request"]["wire"]["pieces"], 400);
}

#[test]
fn a_dry_run_says_how_requests_are_written() {
    Transcript::of(&mut scenario(STEPS).run(&["--dry-run"]))
        .ends_with(0)
        .says(&[
            "deliver a on the wire as { transfer: chunked, pieces: 400, header_case: lower }",
            "deliver a on the wire as { pieces: letters, expect: 100-continue } signed at +2s",
            "deliver a with fault lost_ack on the wire as { transfer: chunked }",
        ]);
}

#[test]
fn over_http2_what_does_not_exist_there_is_not_checked() {
    for wire in [
        "transfer: chunked",
        "header_case: lower",
        "expect: 100-continue",
    ] {
        let folder = scenario(&format!(
            "{{ deliver: a, wire: {{ {wire} }}, expect: {{ status: 2xx }} }}"
        ));
        Transcript::of(&mut folder.run(&["--http-version", "2"]))
            .ends_with(3)
            .says(&[
                "needs HTTP/1.1: HTTP/2 has no such choice",
                "--http-version 1.1",
            ]);
        let config = "profiles: { a: { http_version: '2' } }\n";
        let folder = folder.with("aghook.yaml", config);
        Transcript::of(&mut folder.aghook(&["check", "scenario.yaml"]))
            .ends_with(2)
            .says(&["needs HTTP/1.1: HTTP/2 has no such choice"]);
    }
    let free =
        "{ deliver: a, wire: { pieces: letters, content_type: text/x }, expect: { status: 2xx } }";
    Transcript::of(&mut scenario(free).run(&["--http-version", "2"])).ends_with(0);
}

#[test]
fn letters_of_an_ascii_body_can_not_be_split() {
    let folder =
        scenario("{ deliver: [a, b], wire: { pieces: letters }, expect: { status: 2xx } }");
    Transcript::of(&mut folder.aghook(&["check", "scenario.yaml"]))
        .ends_with(2)
        .says(&["the body of `b` is ASCII, so `pieces: letters` splits no letter"]);
}

#[test]
fn a_guessed_secret_is_named_and_its_forgery_is_none() {
    let step = "{ deliver: a, forge: guessed_changeme, expect: { status: 403 } }, { deliver: a }";
    let folder = scenario(step);
    let note = "note: anyone guesses the secret in AGHOOK_SECRET";
    let mut run = folder.run(&["--target", UNREACHABLE]);
    Transcript::of(run.env("AGHOOK_SECRET", "changeme")).says(&[note]);
    let fire = [
        "fire",
        "--forge",
        "guessed_changeme",
        "--target",
        UNREACHABLE,
    ];
    let mut fire = folder.aghook(&fire);
    Transcript::of(fire.env("AGHOOK_SECRET", "changeme"))
        .ends_with(2)
        .says(&["the guess of this forgery"]);
}
