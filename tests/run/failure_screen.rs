//! What the terminal says first about failures, and how much room they take.

use serde_json::Value;

use crate::shared_causes::{Suite, grants, unchanged};
use crate::support::PeerResponse;

/// Adds scenarios to a suite, in which the event has these keys.
fn add_events(suite: &Suite, events: &[(&str, &str)]) {
    for (name, event) in events {
        let scenario = grants(name).replace("coupon: {", &format!("coupon: {{ {event},"));
        std::fs::write(suite.folder.path(&format!("suite/{name}.yaml")), scenario)
            .expect("written");
    }
}

/// Less than half of the events fail, but all of them alike.
#[test]
fn what_only_the_failing_events_have_is_said() {
    let suite = Suite::new(
        |request| {
            let body = request.json();
            PeerResponse::new(match body["context"] {
                _ if request.header("x-aghanim-signature").is_none() => 401,
                Value::Null => 500,
                _ => 200,
            })
        },
        |config| config.replace("    probes:\n", "    retry: { attempts: 1 }\n    probes:\n"),
    );
    let player = "context: { player: { name: Ann } }";
    add_events(
        &suite,
        &[
            ("p1", player),
            ("p2", player),
            ("p3", player),
            ("p4", "context: { order: { id: o1 } }"),
            ("p5", player),
        ],
    );
    let printed = suite.printed(&["--report", "markdown=run.md"], &[]);
    let said = "in common: `context` is null (all 4 of these events, and none of the 5 that are";
    assert!(
        printed.contains("genuine deliveries fail with 500: 4 scenarios"),
        "{printed}"
    );
    assert!(printed.contains(said), "{printed}");
    assert!(suite.folder.read("run.md").contains("in common: "));
}

/// The number of lines of the failures, of which the rest of the output is not a part.
fn failure_lines(printed: &str) -> usize {
    let is_failure = |line: &&str| !line.contains(" scenarios: ") && *line != "not checked";
    printed.trim().lines().take_while(is_failure).count()
}

#[test]
fn one_bug_takes_at_most_a_screen_whatever_the_receiver_sends() {
    let suite = Suite::new(
        |_| {
            let mut response = PeerResponse::new(418).body("line\n".repeat(500));
            for number in 0..80 {
                response = response.header(&format!("X-Header-{number}"), "value");
            }
            response
        },
        unchanged,
    );
    let printed = suite.printed(&["--filter", "a "], &[]);
    assert!(failure_lines(&printed) <= 60, "{printed}");
    assert!(
        printed.contains("more lines; --verbose shows all"),
        "{printed}"
    );
    let run = ["run", "suite", "-v", "--skip-setup-check"];
    let ended = suite.folder.aghook(&run).output().expect("it runs");
    let printed = String::from_utf8(ended.stdout).expect("UTF-8");
    assert!(failure_lines(&printed) > 200, "{printed}");
}

/// Each scenario has a cause of its own: its redelivery is refused in another way.
#[test]
fn many_causes_are_counted_at_the_end() {
    let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
    let suite = Suite::new(
        move |request| {
            let event = request.json();
            let quantity = &event["event_data"]["item"]["quantity"];
            let status = u16::try_from(quantity.as_u64().unwrap_or(0)).unwrap_or(0);
            let mut seen = seen.lock().expect("a lock");
            let is_first = seen.insert(event["idempotency_key"].to_string());
            PeerResponse::new(if is_first { 200 } else { status })
        },
        unchanged,
    );
    for status in 410..440 {
        let scenario = format!(
            "name: again {status}\nevents: {{ coupon: {{ item: {{ sku: gems, quantity: {status} }} }} }}\n\
             steps: [{{ deliver: coupon }}, {{ deliver: coupon, expect: {{ status: 2xx }} }}]\n"
        );
        let file = suite.folder.path(&format!("suite/again{status}.yaml"));
        std::fs::write(file, scenario).expect("written");
    }
    let printed = suite.printed(&["--filter", "again"], &[]);
    assert!(printed.contains("cause 10: "), "{printed}");
    assert!(!printed.contains("cause 30: "), "{printed}");
    assert!(
        printed.contains("more causes; --verbose shows them all"),
        "{printed}"
    );
    assert!(failure_lines(&printed) <= 90, "{printed}");
}
