//! A small run as a stream of events: one scenario with each verdict, and text that needs escaping
//! in every format.

use std::time::Duration;

use aghook::internals::policy::Outcome;
use aghook::internals::run::{
    AttemptEnded, BodyRecord, ConnectionRecord, DeliveryEnded, EffectsEnded, FORMAT_VERSION,
    LikelyCause, ProbeReading, ResponseRecord, RunEnded, RunEvent, RunStarted, ScenarioEnded,
    ScenarioStarted, SentRequestRecord, StepEnded, TimingsRecord,
};
use aghook::internals::scenario::Level;
use aghook::internals::verify::{Check, Verdict, VerdictCounts};
use serde_json::json;

/// The start of the run: the time in the documented example.
const BEGAN: i64 = 1_725_548_450;

/// Hostile text that a receiver may send.
pub(crate) const AWKWARD: &str = "]]> <script>alert(1)</script> </details> | a|b `c` ```` ~~~ \
                                  \\| $x$ \u{1b}[31mred\u{1b}[0m \u{0}\u{7}\u{fffe} \u{202e}💎 \
                                  [[ATTACHMENT|/etc/passwd]] %0A::error::x";

/// The events of the run, interleaved as in simultaneous scenarios.
pub(crate) fn sample_run() -> Vec<RunEvent> {
    let mut events = vec![RunEvent::RunStarted(RunStarted {
        format_version: FORMAT_VERSION,
        aghook_version: "0.0.0".into(),
        target: "http://127.0.0.1:8080/webhooks/aghanim".to_owned(),
        built_in_receiver: false,
        start_time: BEGAN.to_string(),
        seed: Some(7),
        scenarios: 8,
    })];
    events.push(started(
        1,
        "a coupon is granted",
        "scenarios/grants/once.yaml",
    ));
    events.push(started(
        2,
        "a forgery | is <refused>: 100%, `always`",
        "scenarios/forged.yaml",
    ));
    events.extend(passed());
    events.extend(failed());
    events.extend(warned());
    events.extend(broken());
    events.extend(not_checked());
    events.push(RunEvent::RunEnded(RunEnded {
        scenarios: VerdictCounts {
            passed: 1,
            not_checked: 1,
            warned: 1,
            failed: 1,
            broken: 1,
        },
        checks: VerdictCounts {
            passed: 3,
            not_checked: 2,
            warned: 1,
            failed: 3,
            broken: 1,
        },
        not_run: 3,
        setup_problem: None,
        refused_items: None,
        receiver_stopped: false,
        likely_causes: vec![likely_cause()],
        since_baseline: None,
        explored: None,
        took: Duration::from_millis(1234),
        held_back: Duration::ZERO,
    }));
    events
}

/// That explains scenario 2, and may be another bug.
fn likely_cause() -> LikelyCause {
    let cause = json!({
        "certainty": "likely",
        "flaw": "forgery_answered_200",
        "about": "the receiver answers a forgery | with <200>",
        "remedy": "respond to a forgery with 401 or 403",
        "or": [{
            "flaw": "signature_not_checked",
            "about": "the receiver never checks the signature",
            "remedy": "verify the signature first",
        }],
        "explains": 1,
        "scenarios": [2],
        "failing": 2,
    });
    serde_json::from_value(cause).expect("a cause")
}

/// The events of failing scenarios and the end of the run.
pub(crate) fn many_failures(count: usize) -> impl Iterator<Item = RunEvent> {
    let failures = (1..=count).flat_map(|scenario| {
        let mut sent = attempt(scenario, 1, 1, response(500, "text/plain", &[b'`'; 3000]));
        sent.started_at = jiff::Timestamp::UNIX_EPOCH;
        // Each failure differs, so that none share a cause.
        let observed = format!("{}{scenario}", "|".repeat(50));
        let checks = vec![check("status", Verdict::Failed, "2xx", &observed)];
        [
            started(scenario, "fails", "fails.yaml"),
            attempted(sent),
            step(scenario, 1, "deliver welcome", vec![delivery(1, checks)]),
            ended(scenario, Verdict::Failed, VerdictCounts::default()),
        ]
    });
    let end = RunEvent::RunEnded(RunEnded {
        scenarios: VerdictCounts {
            failed: count,
            ..VerdictCounts::default()
        },
        checks: VerdictCounts::default(),
        not_run: 0,
        setup_problem: None,
        refused_items: None,
        receiver_stopped: false,
        likely_causes: Vec::new(),
        since_baseline: None,
        explored: None,
        took: Duration::ZERO,
        held_back: Duration::ZERO,
    });
    failures.chain([end])
}

/// The events of scenarios that fail alike, and each in `own` ways of its own, and the end of the run.
pub(crate) fn failures_alike(scenarios: usize, own: usize) -> Vec<RunEvent> {
    let failures = (1..=scenarios).flat_map(|scenario| {
        let alike = check("status", Verdict::Failed, "2xx", "500");
        let own = (1..=own).map(|number| {
            let observed = format!("own failure {scenario}-{number}");
            check("body", Verdict::Failed, "ok", &observed)
        });
        let checks: Vec<Check> = [alike].into_iter().chain(own).collect();
        let counts = checks.iter().map(|check| check.verdict).collect();
        let response = response(500, "text/plain", b"oops");
        [
            started(scenario, "fails", "fails.yaml"),
            attempted(attempt(scenario, 1, 1, response)),
            step(scenario, 1, "deliver welcome", vec![delivery(1, checks)]),
            ended(scenario, Verdict::Failed, counts),
        ]
    });
    let end = RunEvent::RunEnded(RunEnded {
        scenarios: std::iter::repeat_n(Verdict::Failed, scenarios).collect(),
        checks: std::iter::repeat_n(Verdict::Failed, scenarios * (own + 1)).collect(),
        not_run: 0,
        setup_problem: None,
        refused_items: None,
        receiver_stopped: false,
        likely_causes: Vec::new(),
        since_baseline: None,
        explored: None,
        took: Duration::ZERO,
        held_back: Duration::ZERO,
    });
    failures.chain([end]).collect()
}

fn passed() -> Vec<RunEvent> {
    let mut first = attempt(1, 1, 1, response(503, "text/plain", b"try again"));
    first.timings.connect = Some(Duration::from_micros(400));
    let mut second = attempt(
        1,
        1,
        2,
        response(200, "application/json", br#"{"status":"ok"}"#),
    );
    second.virtual_offset = Duration::from_secs(1);
    vec![
        attempted(first),
        attempted(second),
        step(
            1,
            1,
            "deliver welcome",
            vec![delivery(
                2,
                vec![
                    check("status", Verdict::Passed, "2xx", "200"),
                    check("attempts", Verdict::Passed, "2", "2"),
                ],
            )],
        ),
        RunEvent::EffectsEnded(EffectsEnded {
            scenario: 1,
            texts: Vec::new(),
            readings: vec![ProbeReading {
                probe: "quantity".to_owned(),
                player_id: "2D2R-OP3C".to_owned(),
                sku: "crystals".to_owned(),
                before: 0,
                after: 480_000,
            }],
            checks: vec![check("grant of `welcome`", Verdict::Passed, "once", "once")],
            settled_after: Duration::ZERO,
        }),
        ended(
            1,
            Verdict::Passed,
            VerdictCounts {
                passed: 3,
                ..VerdictCounts::default()
            },
        ),
    ]
}

fn failed() -> Vec<RunEvent> {
    let mut forged = attempt(2, 1, 1, response(200, "text/html", AWKWARD.as_bytes()));
    forged.forgery = Some("tampered_body".into());
    forged.timings.held = Duration::from_millis(2);
    forged
        .request
        .headers
        .push(("X-Odd".to_owned(), AWKWARD.to_owned()));
    let mut binary = attempt(
        2,
        1,
        1,
        response(200, "application/octet-stream", b"\x00\xff\xfe"),
    );
    binary.delivery = 2;
    binary.request.body = BodyRecord::new(b"\xff cut in the middle", 5000, true);
    let mut hinted = check("body", Verdict::Failed, "$.status equals \"ok\"", AWKWARD);
    hinted.hint = Some("check `|` and <b>".to_owned());
    hinted.source = Some("the source, page | 1".to_owned());
    vec![
        attempted(forged),
        attempted(binary),
        step(
            2,
            1,
            "deliver welcome 2 times together forged: tampered_body",
            vec![
                delivery(
                    1,
                    vec![check("status", Verdict::Failed, "not 2xx", "200"), hinted],
                ),
                DeliveryEnded {
                    delivery: 2,
                    ..delivery(1, vec![check("status", Verdict::Failed, "not 2xx", "200")])
                },
            ],
        ),
        ended(
            2,
            Verdict::Failed,
            VerdictCounts {
                failed: 3,
                ..VerdictCounts::default()
            },
        ),
    ]
}

fn warned() -> Vec<RunEvent> {
    let mut stale = check("status", Verdict::Warned, "401 or 403", "400");
    stale.level = Level::Should;
    vec![
        started(3, "a stale timestamp is refused", "scenarios/forged.yaml"),
        attempted(attempt(3, 1, 1, response(400, "text/plain", b""))),
        step(
            3,
            1,
            "deliver welcome forged: stale_timestamp",
            vec![delivery(1, vec![stale])],
        ),
        ended(
            3,
            Verdict::Warned,
            VerdictCounts {
                warned: 1,
                ..VerdictCounts::default()
            },
        ),
    ]
}

fn broken() -> Vec<RunEvent> {
    let mut unanswered = attempt(
        4,
        1,
        1,
        ResponseRecord::Failure {
            name: "refused".into(),
            message: "127.0.0.1:8080 refused the connection".to_owned(),
            hint: "check that the receiver runs and listens on this port".into(),
        },
    );
    unanswered.event_name = None;
    unanswered.connection = None;
    unanswered.timings = TimingsRecord::default();
    "http://127.0.0.1:8080/reset?player=P%201&all".clone_into(&mut unanswered.request.url);
    vec![
        started(4, "the receiver is reset", "scenarios/reset.yaml"),
        attempted(unanswered),
        RunEvent::StepEnded(StepEnded {
            scenario: 4,
            step: 1,
            description: "POST /reset".to_owned(),
            together: false,
            deliveries: Vec::new(),
            not_made: Some(check(
                "POST /reset",
                Verdict::Broken,
                "a response",
                "refused",
            )),
            script: None,
            restarted: false,
            hooks: Vec::new(),
        }),
        ended(
            4,
            Verdict::Broken,
            VerdictCounts {
                broken: 1,
                ..VerdictCounts::default()
            },
        ),
    ]
}

fn not_checked() -> Vec<RunEvent> {
    let unseen = Check {
        hint: Some("add `probes: { quantity: … }` to the profile".to_owned()),
        ..check(
            "grant of `welcome`",
            Verdict::NotChecked,
            "once",
            "the profile has no probe `quantity`",
        )
    };
    vec![
        started(5, "nothing can be seen", "scenarios/grants/unseen.yaml"),
        RunEvent::EffectsEnded(EffectsEnded {
            scenario: 5,
            texts: Vec::new(),
            readings: Vec::new(),
            checks: vec![unseen.clone(), unseen],
            settled_after: Duration::ZERO,
        }),
        ended(
            5,
            Verdict::NotChecked,
            VerdictCounts {
                not_checked: 2,
                ..VerdictCounts::default()
            },
        ),
    ]
}

fn started(scenario: usize, name: &str, file: &str) -> RunEvent {
    RunEvent::ScenarioStarted(ScenarioStarted {
        scenario,
        name: name.to_owned(),
        about: Some("What it is about,\nin *two* lines.\n".to_owned()),
        tags: vec!["smoke".to_owned()],
        level: Level::Must,
        source: None,
        file: file.to_owned(),
        line: 1,
        choice: None,
        varying: Vec::new(),
    })
}

fn ended(scenario: usize, verdict: Verdict, checks: VerdictCounts) -> RunEvent {
    RunEvent::ScenarioEnded(ScenarioEnded {
        scenario,
        verdict,
        checks,
        took: Duration::from_millis(10 * scenario as u64),
    })
}

fn attempted(attempt: AttemptEnded) -> RunEvent {
    RunEvent::AttemptEnded(Box::new(attempt))
}

fn attempt(scenario: usize, step: usize, number: u32, response: ResponseRecord) -> AttemptEnded {
    let scenario_began = BEGAN + i64::try_from(scenario).expect("a small number");
    let millisecond = scenario_began * 1000 + i64::from(number) * 10;
    AttemptEnded {
        scenario,
        step,
        delivery: 1,
        event_name: Some("welcome".to_owned()),
        forgery: None,
        fault: None,
        attempt: number,
        started_at: jiff::Timestamp::from_millisecond(millisecond).expect("a time"),
        virtual_offset: Duration::ZERO,
        delay_before: Duration::ZERO,
        took: Duration::from_micros(3210),
        timings: TimingsRecord {
            connect: None,
            first_byte: Some(Duration::from_millis(3)),
            held: Duration::ZERO,
        },
        connection: Some(ConnectionRecord {
            reused: number > 1,
            http_version: "HTTP/1.1".into(),
            remote_address: Some("127.0.0.1:8080".parse().expect("an address")),
            in_place_of_closed: None,
        }),
        request: SentRequestRecord {
            method: "POST".to_owned(),
            url: "http://127.0.0.1:8080/webhooks/aghanim".to_owned(),
            headers: vec![
                ("Content-Type".to_owned(), "application/json".to_owned()),
                (
                    "X-Aghanim-Signature-Timestamp".to_owned(),
                    BEGAN.to_string(),
                ),
            ],
            body: BodyRecord::new(
                "{\"event_type\":\"coupon.redeemed\",\"💎\":1}".as_bytes(),
                40,
                false,
            ),
            wire: None,
        },
        response,
        discarded_response: None,
    }
}

fn response(status: u16, content_type: &str, body: &[u8]) -> ResponseRecord {
    ResponseRecord::Response {
        status,
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        body: BodyRecord::new(body, body.len() as u64, false),
    }
}

fn step(
    scenario: usize,
    step: usize,
    description: &str,
    deliveries: Vec<DeliveryEnded>,
) -> RunEvent {
    RunEvent::StepEnded(StepEnded {
        scenario,
        step,
        description: description.to_owned(),
        together: false,
        deliveries,
        not_made: None,
        script: None,
        restarted: false,
        hooks: Vec::new(),
    })
}

fn delivery(attempts: u32, checks: Vec<Check>) -> DeliveryEnded {
    DeliveryEnded {
        delivery: 1,
        event_name: Some("welcome".to_owned()),
        outcome: Some(Outcome::Delivered),
        attempts,
        checks,
    }
}

fn check(subject: &str, verdict: Verdict, expected: &str, observed: &str) -> Check {
    Check {
        subject: subject.to_owned(),
        verdict,
        level: Level::Must,
        expected: expected.to_owned(),
        observed: observed.to_owned(),
        hint: None,
        cause: None,
        source: None,
    }
}
