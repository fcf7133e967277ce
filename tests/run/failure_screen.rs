//! What the terminal says first about failures, and how much room they take.

use serde_json::Value;

use crate::common_problems::{Suite, grants, unchanged};
use crate::support::{Folder, Game, PeerResponse};

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
                _ if body["context"]["order"]["id"] == "o2" => 500,
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
    // A warning with another reason that joins the group does not hide it.
    let warned = grants("warned").replace("coupon: {", "coupon: { context: { order: { id: o2 } },");
    let warned = warned.replace("status: 2xx", "status: 2xx, level: should");
    let warned = warned.replace("granted: coupon", "granted: coupon, if_delivered: true");
    std::fs::write(suite.folder.path("suite/warned.yaml"), warned).expect("written");
    let printed = suite.printed(&["--report", "markdown=run.md"], &[]);
    let said = "in common: `context` is null (all 4 of these events, and none of the 5 that are";
    assert!(
        printed.contains("genuine deliveries fail with 500: 5 scenarios"),
        "{printed}"
    );
    assert!(printed.contains(said), "{printed}");
    assert!(suite.folder.read("run.md").contains("in common: "));
}

/// The receiver refuses redeliveries, grants nothing and accepts forgeries, and one event fails.
#[test]
fn every_mistake_is_visible_in_the_first_lines() {
    let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
    let suite = Suite::new(
        move |request| {
            let event = request.json();
            let mut seen = seen.lock().expect("a lock");
            let is_first = seen.insert(event["idempotency_key"].to_string());
            PeerResponse::new(match event["event_data"]["item"]["quantity"].as_u64() {
                Some(6) => 500,
                _ if is_first => 200,
                _ => 409,
            })
        },
        |config| config.replace("    probes:\n", "    retry: { attempts: 1 }\n    probes:\n"),
    );
    let failing = grants("fails").replace("quantity: 5", "quantity: 6");
    let again = "name: again\nevents: { coupon: {} }\nsteps:\n  - deliver: coupon\n    times: 2\n    \
                 expect: { status: 2xx }\n";
    for (name, scenario) in [("fails", &*failing), ("again", again)] {
        let file = suite.folder.path(&format!("suite/{name}.yaml"));
        std::fs::write(file, scenario).expect("written");
    }
    let printed = suite.printed(&[], &[]);
    let lines: Vec<&str> = printed.trim().lines().collect();
    let first = lines[..10].join("\n");
    for said in [
        "nothing is granted although the event was accepted: 4 scenarios",
        "redeliveries are refused with 409: 1 scenario",
        "✗ failed: wrong_secret is refused",
        "✗ failed: missing_signature is refused",
        "✗ failed: fails",
    ] {
        assert!(first.contains(said), "no “{said}” in\n{printed}");
    }
    // What to do, before or with the examples.
    for said in [
        "→ respond with 2xx only after the grant is stored",
        "→ respond to a known idempotency key",
    ] {
        assert_eq!(printed.matches(said).count(), 1, "{said}\n{printed}");
    }
    assert!(printed.contains("example of problem 1"), "{printed}");
}

/// What is said of a coupon and its `item.add`, delivered several times at once, to a game that grants
/// deliveries if `is_granted` says so, given the kind and how often an event of this kind came before.
fn doubled(is_granted: impl Fn(&str, usize) -> bool + Send + Sync + 'static) -> String {
    let seen = std::sync::Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    let game = Game::new(move |event, inventories| {
        let kind = event["event_type"].as_str().unwrap_or_default();
        let mut seen = seen.lock().expect("a lock");
        let count = seen.entry(kind.to_owned()).or_default();
        if is_granted(kind, *count) {
            Game::grant(inventories, event, "gems", 5);
        }
        *count += 1;
        PeerResponse::new(200)
    });
    let scenario = "name: both\nevents:\n  coupon: { item: { sku: gems, quantity: 5 } }\n  \
                    credit: { kind: item.add, for: coupon }\nsteps:\n  - deliver: [coupon, credit]\n    \
                    times: 3\n    together: true\neffects: [{ granted: coupon }]\n";
    let folder = Folder::with_scenario(scenario).with("aghook.yaml", game.config(""));
    let mut run = folder.run(&["-q", "--skip-setup-check"]);
    String::from_utf8(run.output().expect("it runs").stdout).expect("UTF-8")
}

#[test]
fn a_coupon_that_races_with_itself_is_not_blamed_on_item_add() {
    let both = "both `coupon.redeemed` and `item.add` of one redemption are granted";
    let raced = doubled(|kind, count| kind == "coupon.redeemed" && count < 2);
    assert!(!raced.contains(both), "{raced}");
    let race = "simultaneous deliveries of one event are granted more than once";
    assert!(raced.contains(race), "{raced}");
}

#[test]
fn quantities_that_are_too_large_lead_to_wider_integers() {
    for status in [400, 500] {
        let suite = Suite::new(
            move |request| {
                let quantity = request.json()["event_data"]["item"]["quantity"].as_u64();
                PeerResponse::new(if quantity > Some(1 << 31) {
                    status
                } else {
                    200
                })
            },
            |config| config.replace("    probes:\n", "    retry: { attempts: 1 }\n    probes:\n"),
        );
        for quantity in ["3000000000", "5000000000"] {
            let scenario = grants(&format!("large {quantity}"));
            let scenario = scenario.replace("quantity: 5", &format!("quantity: {quantity}"));
            let file = suite.folder.path(&format!("suite/{quantity}.yaml"));
            std::fs::write(file, scenario).expect("written");
        }
        let printed = suite.printed(&[], &[]);
        assert!(
            printed.contains("→ use a 64-bit type from the parser to the column"),
            "{printed}"
        );
    }
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

/// Each scenario has a problem of its own: its redelivery is refused in another way.
#[test]
fn many_problems_are_counted_at_the_end() {
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
    assert!(printed.contains("problem 10: "), "{printed}");
    assert!(!printed.contains("problem 30: "), "{printed}");
    assert!(
        printed.contains("more problems; --verbose shows them all"),
        "{printed}"
    );
    assert!(failure_lines(&printed) <= 90, "{printed}");
}
