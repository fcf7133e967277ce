//! Reports of made-up runs, in which everything that can vary is varied.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::policy::Outcome;
use crate::report::scenario_record::RunningScenarios;
use crate::run::{
    AttemptEnded, BodyRecord, DeliveryEnded, EffectsEnded, ProbeReading, ResponseRecord, RunEvent,
    RunStarted, ScenarioEnded, ScenarioStarted, SentRequestRecord, StepEnded, TimingsRecord,
    VolatileKind, VolatileValue,
};
use crate::scenario::document::SourceFile;
use crate::scenario::{Config, Level};
use crate::verify::{Check, Verdict, VerdictCounts};

/// Everything in which two runs of the same scenarios differ.
#[derive(Clone, Copy)]
struct Chance {
    began: i64,
    player: &'static str,
    port: u16,
    /// Whether the order of simultaneous deliveries is reversed.
    reversed: bool,
    took: &'static str,
    held: i128,
    own_id: &'static str,
}

const ONE: Chance = Chance {
    began: 1_795_437_906,
    player: "PFBP-HJXL",
    port: 45603,
    reversed: false,
    took: "5.1ms",
    held: 0,
    own_id: "req_1",
};

const OTHER: Chance = Chance {
    began: 1_895_000_001,
    player: "AR1P-AQFV",
    port: 8080,
    reversed: true,
    took: "1.2s",
    held: 960,
    own_id: "req_27",
};

const SETTINGS: &str = r#"
profiles:
  game:
    snapshots: { mask: ["$.id"], headers: [X-Shard], replace: { '\d+ ms': "… ms" } }
"#;

impl Chance {
    fn url(self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn event(self) -> Value {
        json!({
            "event_type": "coupon.redeemed",
            "event_data": {
                "player_id": self.player,
                "coupon": { "code": "WELCOME", "sku": "gems", "redeemed_at": self.began - 3600 },
                "item": {
                    "id": "itm_1", "name": "Gems", "sku": "gems", "quantity": 480, "type": "item",
                    "description": null, "nested_items": null,
                },
            },
            "event_time": self.began, "event_id": format!("whevt_{}", self.player),
            "idempotency_key": "given", "request_id": null, "sandbox": true, "trigger": "test",
            "transaction_id": "given", "context": null, "game_id": "gm_1",
        })
    }

    fn varying(self) -> Vec<VolatileValue> {
        [
            (
                self.player.to_owned(),
                "player_id of welcome",
                VolatileKind::Identity,
            ),
            (
                format!("whevt_{}", self.player),
                "event_id of welcome",
                VolatileKind::Identity,
            ),
            (self.began.to_string(), "T+0s", VolatileKind::Time),
            ((self.began - 3600).to_string(), "T-1h", VolatileKind::Time),
        ]
        .map(|(value, name, kind)| VolatileValue {
            value,
            name: name.to_owned(),
            kind,
        })
        .to_vec()
    }

    fn attempt(
        self,
        step: usize,
        delivery: usize,
        number: u32,
        response: ResponseRecord,
    ) -> AttemptEnded {
        let body = self.event().to_string();
        AttemptEnded {
            scenario: 1,
            step,
            delivery,
            event_name: Some("welcome".to_owned()),
            forgery: None,
            fault: None,
            attempt: number,
            started_at: Timestamp::from_second(self.began).expect("a timestamp"),
            virtual_offset: Duration::from_millis(self.began.unsigned_abs() % 977),
            delay_before: Duration::from_secs(5 * u64::from(number - 1)),
            took: Duration::from_millis(u64::from(self.port)),
            timings: TimingsRecord::default(),
            connection: None,
            request: SentRequestRecord {
                method: "POST".to_owned(),
                url: self.url("/hook"),
                headers: self.headers(),
                body: BodyRecord::new(body.as_bytes(), body.len() as u64, false),
                wire: None,
            },
            response,
            discarded_response: None,
        }
    }

    fn headers(self) -> Vec<(String, String)> {
        let port = self.port;
        [
            ("Content-Type", "application/json".to_owned()),
            ("Host", format!("127.0.0.1:{port}")),
            ("X-Aghanim-Signature", format!("{port:064x}")),
            (
                "X-Aghanim-Signature-Timestamp",
                (self.began - 1).to_string(),
            ),
            ("Content-Length", "600".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    fn response(self, status: u16) -> ResponseRecord {
        let body = json!({
            "id": self.own_id,
            "of": self.player,
            "event_time": self.began,
            "said": format!("{} took {} ms", self.player, self.port),
        })
        .to_string();
        let headers = [
            ("Date", self.began.to_string()),
            ("x-shard", "7".to_owned()),
            ("content-type", "application/json".to_owned()),
            ("Retry-After", "5".to_owned()),
        ];
        ResponseRecord::Response {
            status,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            body: BodyRecord::new(body.as_bytes(), body.len() as u64, false),
        }
    }

    /// A retry with another event ID after a failure, and checks of every kind.
    fn retried(self) -> Vec<RunEvent> {
        let mut second = self.attempt(1, 1, 2, self.response(200));
        let mut event = self.event();
        event["event_id"] = json!(format!("whevt_{}", self.port));
        second.request.body = BodyRecord::new(event.to_string().as_bytes(), 600, false);
        let failure = ResponseRecord::Failure {
            name: if self.reversed {
                "reset"
            } else {
                "closed_early"
            }
            .into(),
            message: if self.reversed {
                "the receiver reset the connection before the response was complete".to_owned()
            } else {
                "the receiver closed the connection before the response was complete".to_owned()
            },
            hint: "".into(),
        };
        let first = self.attempt(1, 1, 1, failure);
        let checks = vec![
            check("status", Verdict::Passed, "2xx", "200"),
            check("within", Verdict::Failed, "at most 1ms", self.took),
            check(
                "body $.id",
                Verdict::Warned,
                "absent",
                &format!("\"{}\"", self.own_id),
            ),
        ];
        let step = step(1, "deliver welcome", false, vec![delivery(1, 2, checks)]);
        vec![attempted(first), attempted(second), step]
    }

    /// A forgery, and a request that is not a delivery.
    fn forged(self) -> Vec<RunEvent> {
        let mut forged = self.attempt(2, 1, 1, self.response(403));
        forged.forgery = Some("missing_timestamp".into());
        forged.request.headers.remove(3);
        let mut request = self.attempt(3, 1, 1, self.response(302));
        request.event_name = None;
        request.request.method = "GET".to_owned();
        request.request.url = self.url(&format!("/players/{}?all=1", self.player));
        request.request.headers = vec![("Accept".to_owned(), "*/*".to_owned())];
        request.request.body = BodyRecord::new(b"", 0, false);
        let request_result = DeliveryEnded {
            outcome: None,
            event_name: None,
            ..delivery(1, 1, Vec::new())
        };
        let refused = vec![delivery(1, 1, Vec::new())];
        vec![
            attempted(forged),
            step(
                2,
                "deliver welcome with forgery missing_timestamp",
                false,
                refused,
            ),
            attempted(request),
            step(3, "GET /players", false, vec![request_result]),
        ]
    }

    /// Two simultaneous deliveries, one of which is refused.
    fn together(self) -> Vec<RunEvent> {
        let mut statuses = [200, 409];
        if self.reversed {
            statuses.reverse();
        }
        let mut events: Vec<RunEvent> = (1..)
            .zip(statuses)
            .map(|(number, status)| attempted(self.attempt(4, number, 1, self.response(status))))
            .collect();
        let deliveries = (1..).zip(statuses).map(|(number, status)| {
            let verdict = match status {
                200 => Verdict::Passed,
                _ => Verdict::Failed,
            };
            let mut checks = vec![check("status", verdict, "2xx", &status.to_string())];
            if number > 1 {
                let observed = format!("status {status} after {}", statuses[0]);
                let expected = "the same as the first response";
                checks.push(check("same response", Verdict::Failed, expected, &observed));
            }
            delivery(number, 1, checks)
        });
        let deliveries = deliveries.collect();
        if self.reversed {
            events.reverse();
        }
        events.push(step(
            4,
            "deliver welcome 2 times together",
            true,
            deliveries,
        ));
        events
    }

    fn run(self) -> Vec<RunEvent> {
        let mut events = vec![
            RunEvent::RunStarted(RunStarted {
                format_version: 1,
                aghook_version: "0".into(),
                target: self.url("/hook"),
                built_in_receiver: false,
                start_time: self.began.to_string(),
                seed: None,
                scenarios: 1,
            }),
            RunEvent::ScenarioStarted(ScenarioStarted {
                scenario: 1,
                name: "a coupon".to_owned(),
                about: None,
                tags: Vec::new(),
                level: Level::Must,
                source: None,
                file: "a.yaml".to_owned(),
                line: 1,
                choice: None,
                varying: self.varying(),
            }),
        ];
        events.extend(self.retried());
        events.extend(self.forged());
        events.extend(self.together());
        let mut readings = ["gold", "gems"].map(|sku| ProbeReading {
            probe: "quantity".to_owned(),
            player_id: self.player.to_owned(),
            sku: sku.to_owned(),
            before: self.held,
            after: self.held + if sku == "gems" { 960 } else { 0 },
        });
        if self.reversed {
            readings.reverse();
        }
        let observed = format!("{} before, {} after", self.held, self.held + 960);
        events.push(RunEvent::EffectsEnded(EffectsEnded {
            scenario: 1,
            texts: Vec::new(),
            readings: readings.to_vec(),
            checks: vec![
                check(
                    "probe quantity of welcome",
                    Verdict::Failed,
                    "a change of 480",
                    &observed,
                ),
                check(
                    "grant of `welcome`",
                    Verdict::NotChecked,
                    "480 gems",
                    "no probe",
                ),
            ],
            settled_after: Duration::from_millis(self.port.into()),
        }));
        events.push(RunEvent::ScenarioEnded(ScenarioEnded {
            scenario: 1,
            verdict: Verdict::Failed,
            checks: VerdictCounts::default(),
            took: Duration::from_millis(self.port.into()),
        }));
        events
    }

    fn report(self, settings: &str) -> String {
        let config = Config::parse(&SourceFile::new("aghook.yaml", settings)).expect("a config");
        let settings = config.profiles[0].snapshots.clone();
        let mut running = RunningScenarios::default();
        let events = self.run();
        let Some(RunEvent::RunStarted(run)) = events.first().cloned() else {
            panic!("the run starts first");
        };
        let mut events = events.into_iter();
        let record = events.find_map(|event| running.observe(event));
        snapshot_text(&record.expect("a record"), &settings, &run.target)
    }
}

fn attempted(attempt: AttemptEnded) -> RunEvent {
    RunEvent::AttemptEnded(Box::new(attempt))
}

fn step(
    step: usize,
    description: &str,
    together: bool,
    deliveries: Vec<DeliveryEnded>,
) -> RunEvent {
    RunEvent::StepEnded(StepEnded {
        scenario: 1,
        step,
        description: description.to_owned(),
        together,
        deliveries,
        not_made: None,
        script: None,
        restarted: false,
        hooks: Vec::new(),
    })
}

fn delivery(delivery: usize, attempts: u32, checks: Vec<Check>) -> DeliveryEnded {
    DeliveryEnded {
        delivery,
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
        level: Level::Should,
        expected: expected.to_owned(),
        observed: observed.to_owned(),
        hint: None,
        cause: None,
        source: None,
    }
}

#[test]
fn the_whole_report() {
    insta::assert_snapshot!(ONE.report(SETTINGS));
}

#[test]
fn two_runs_have_the_same_report() {
    assert_eq!(ONE.report(SETTINGS), OTHER.report(SETTINGS));
}

#[test]
fn what_a_receiver_generates_is_shown_unless_the_profile_masks_it() {
    let none = "profiles: { game: {} }";
    let [one, other] = [ONE, OTHER].map(|chance| chance.report(none));
    assert_ne!(one, other);
    assert!(one.contains(r#""id": "req_1""#), "{one}");
    assert!(!one.contains("x-shard"), "{one}");
}

#[test]
fn control_characters_are_escaped_and_no_long_line_is_cut() {
    let line = format!("{}\u{1b}[31m::error::", "x".repeat(1000));
    let shown = stable_text::visible(&line);
    assert!(
        shown.contains("\\u{1b}[31m") && !shown.contains('…'),
        "{shown}"
    );
}
