//! Reports for people show a common problem of failures once, with its simplest scenario and a list of the
//! others.
//! Other failures are shown separately, and reports for programs contain every check.

use crate::support::{Folder, Game, PeerRequest, PeerResponse};
use regex::Regex;
use serde_json::{Value, json};

/// A scenario that delivers one event and checks its grant.
pub(crate) fn grants(name: &str) -> String {
    format!(
        "name: {name}\nevents: {{ coupon: {{ item: {{ sku: gems, quantity: 5 }} }} }}\n\
         steps: [{{ deliver: coupon, expect: {{ status: 2xx }} }}]\neffects: [{{ granted: coupon }}]\n"
    )
}

/// A scenario that sends a forgery.
fn forges(forgery: &str) -> String {
    format!(
        "name: {forgery} is refused\nevents: {{ coupon: {{}} }}\n\
         steps: [{{ deliver: coupon, forge: {forgery}, expect: {{ status: 401 }} }}]\n"
    )
}

const NAMES: [&str; 4] = [
    "a plain item",
    "a bundle",
    "a redelivery",
    "a late delivery",
];

/// Four scenarios that check a grant and two with a forgery, against a game that handles deliveries
/// with `deliver` and whose profile is changed by `config`.
pub(crate) struct Suite {
    pub(crate) folder: Folder,
    _game: Game,
}

impl Suite {
    pub(crate) fn new(
        deliver: impl Fn(&PeerRequest) -> PeerResponse + Send + Sync + 'static,
        config: impl Fn(String) -> String,
    ) -> Self {
        let game = Game::with_probe(
            move |request, _| deliver(request),
            |quantity| PeerResponse::new(200).json(&json!({ "quantity": quantity })),
        );
        let mut folder = Folder::new().with("aghook.yaml", config(game.config("")));
        std::fs::create_dir(folder.path("suite")).expect("a folder");
        for (number, name) in NAMES.iter().enumerate() {
            folder = folder.with(&format!("suite/{number}.yaml"), grants(name));
        }
        for (number, forgery) in [(5, "wrong_secret"), (6, "missing_signature")] {
            folder = folder.with(&format!("suite/{number}.yaml"), forges(forgery));
        }
        Self {
            folder,
            _game: game,
        }
    }

    /// The output of a quiet run without values that differ between runs.
    pub(crate) fn printed(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let run = [
            "run",
            "suite",
            "-q",
            "--jobs",
            "1",
            "--start-time",
            "1763889831",
            "--skip-setup-check",
        ];
        let mut command = self.folder.aghook(&[&run, arguments].concat());
        command.env_remove("COLUMNS");
        let ended = command.envs(environment.iter().copied()).output();
        let printed = String::from_utf8(ended.expect("it runs").stdout).expect("UTF-8");
        let changing = [
            (r"127\.0\.0\.1:\d{2,}", "127.0.0.1:PORT"),
            (r"took [\d.]+ (s|ms)", "took TIME"),
            (r"\+[\d.]+ s\b", "+TIME"),
            (
                r"delivered \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                "delivered TIME",
            ),
            (r"(Signature:) [0-9a-f]{64}", "$1 HEX"),
            (r"(Timestamp:) \d+", "$1 NOW"),
        ];
        changing.iter().fold(printed, |text, (pattern, name)| {
            let pattern = Regex::new(pattern).expect("a pattern");
            pattern.replace_all(&text, *name).into_owned()
        })
    }

    /// The checks in the JSON report that did not pass.
    fn checks(&self) -> Vec<Value> {
        let run = ["run", "suite", "--report", "json", "--skip-setup-check"];
        let ended = self.folder.aghook(&run).output().expect("it runs");
        let text = String::from_utf8(ended.stdout).expect("UTF-8");
        let events = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        let checks = events.flat_map(|event: Value| {
            let deliveries = event["deliveries"].as_array().cloned().unwrap_or_default();
            let of_steps = deliveries
                .into_iter()
                .map(|mut delivery| delivery["checks"].take());
            let all = of_steps.chain([event["checks"].clone()]);
            all.flat_map(|checks| checks.as_array().cloned().unwrap_or_default())
                .collect::<Vec<_>>()
        });
        checks
            .filter(|check| check["verdict"] != "passed")
            .collect()
    }
}

pub(crate) fn unchanged(config: String) -> String {
    config
}

/// A suite against a game that refuses everything, as with a wrong secret.
fn refusing() -> Suite {
    Suite::new(
        |_| PeerResponse::new(401).json(&json!({ "error": "bad signature" })),
        unchanged,
    )
}

#[test]
fn a_wrong_secret_is_reported_once_with_a_hint() {
    insta::assert_snapshot!(refusing().printed(&[], &[]));
}

#[test]
fn the_summary_shows_a_problem_once() {
    insta::assert_snapshot!(refusing().printed(&["--report", "markdown"], &[]));
}

#[test]
fn annotations_show_a_problem_once() {
    let printed = refusing().printed(&[], &[("GITHUB_ACTIONS", "true")]);
    let lines: Vec<&str> = printed
        .lines()
        .filter(|line| line.starts_with("::"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_html_report_shows_a_problem_once_and_links_its_scenarios() {
    let suite = refusing();
    suite.printed(&["--report", "html=run.html"], &[]);
    let page = suite.folder.read("run.html");
    let cause = "Problem 1: genuine deliveries are refused with 401";
    assert_eq!(page.matches(cause).count(), 1);
    for number in 1..=4 {
        assert!(page.contains(&format!("<a href=\"#scenario-{number}\">")));
    }
    assert_eq!(
        page.matches("<span class=\"problem\">problem 1</span>")
            .count(),
        4
    );
    assert!(page.contains("most genuine deliveries were refused (401: "));
    // Each failed effect names the IDs of its event.
    assert_eq!(
        page.matches("<ul class=\"traces\"><li>coupon: event_id whevt_")
            .count(),
        4
    );
}

#[test]
fn reports_for_programs_contain_every_check() {
    let suite = refusing();
    let checks = suite.checks();
    assert_eq!(checks.len(), 8, "{checks:#?}");
    let cause = "no delivery of the event was accepted, and nothing was granted";
    let of_effects = checks.iter().filter(|check| check["cause"] == cause);
    assert_eq!(of_effects.count(), 4);
    suite.printed(&["--report", "junit=run.xml"], &[]);
    let junit = suite.folder.read("run.xml");
    assert_eq!(junit.matches("<failure").count(), 4, "{junit}");
    assert_eq!(junit.matches("observed  401").count(), 4, "{junit}");
    assert_eq!(
        junit.matches(", idempotency_key idmpt_").count(),
        4,
        "{junit}"
    );
}

#[test]
fn only_verbose_output_names_every_scenario_of_a_problem() {
    let suite = refusing();
    let more = ["one", "two", "three"];
    for name in more {
        std::fs::write(
            suite.folder.path(&format!("suite/{name}.yaml")),
            grants(name),
        )
        .expect("a file");
    }
    let printed = suite.printed(&[], &[]);
    assert!(!printed.contains("--verbose lists them all"), "{printed}");
    let more = [more.as_slice(), &["four"]].concat();
    std::fs::write(suite.folder.path("suite/four.yaml"), grants("four")).expect("a file");
    let printed = suite.printed(&[], &[]);
    assert!(
        printed.contains("and 2 more; --verbose lists them all"),
        "{printed}"
    );
    let run = ["run", "suite", "-v", "--jobs", "1", "--skip-setup-check"];
    let ended = suite.folder.aghook(&run).output().expect("it runs");
    let printed = String::from_utf8(ended.stdout).expect("UTF-8");
    let (_, problems) = printed.split_once("✗ problem 1").expect("the problems");
    assert!(
        problems.contains(&format!("failed: {}\n  suite/0.yaml:1\n", NAMES[0])),
        "{problems}"
    );
    for name in NAMES[1..].iter().chain(&more) {
        assert!(
            problems.contains(&format!("    {name}  suite/")),
            "{name}: {problems}"
        );
    }
}

/// Each delivery gets a different status.
#[test]
fn different_responses_are_not_a_common_problem() {
    let turns = std::sync::atomic::AtomicU16::new(0);
    let suite = Suite::new(
        move |_| PeerResponse::new(410 + turns.fetch_add(1, std::sync::atomic::Ordering::Relaxed)),
        |config| config.replace("    probes:\n", "    retry: { attempts: 1 }\n    probes:\n"),
    );
    let printed = suite.printed(&[], &[]);
    for (number, name) in NAMES.iter().enumerate() {
        assert!(printed.contains(&format!("✗ failed: {name}")), "{printed}");
        let observed = format!("observed {}", 410 + number);
        assert!(printed.replace("  ", " ").contains(&observed), "{printed}");
    }
    assert!(!printed.contains("genuine deliveries are"), "{printed}");
    assert!(!printed.contains("most genuine"), "{printed}");
}

#[test]
fn a_single_accepted_forgery_is_shown_separately() {
    let suite = Suite::new(
        |request| {
            let is_forged = request.header("x-aghanim-signature").is_none();
            PeerResponse::new(if is_forged { 401 } else { 200 })
        },
        unchanged,
    );
    let printed = suite.printed(&[], &[]);
    // The two forgeries differ: one is refused, the other accepted.
    assert!(
        printed.contains("✗ failed: wrong_secret is refused\n"),
        "{printed}"
    );
    assert!(
        !printed.contains("status of forged deliveries"),
        "{printed}"
    );
    // All events were accepted without a grant.
    assert!(
        printed
            .contains("problem 1: nothing is granted although the event was accepted: 4 scenarios"),
        "{printed}"
    );
}

#[test]
fn an_unreadable_probe_is_reported_once() {
    let broken = |config: String| config.replace("/players/", "/nobody/");
    let suite = Suite::new(
        |request| {
            let is_signed = request.header("x-aghanim-signature").is_some();
            PeerResponse::new(if is_signed { 200 } else { 401 })
        },
        broken,
    );
    let printed = suite.printed(&[], &[]);
    let cause = "problem 1: probe `quantity` failed: GET \
                 http://127.0.0.1:PORT/nobody/{player_id}/items/{sku} returned 404";
    assert!(printed.contains(cause), "{printed}");
    assert!(
        printed.contains(": 4 scenarios\n") && printed.contains("\n  4 checks broken\n"),
        "{printed}"
    );
    assert_eq!(printed.matches("/nobody/").count(), 2, "{printed}");
}

#[test]
fn strict_mode_reports_a_missing_probe_once() {
    let without = |config: String| {
        let (kept, _) = config.split_once("    probes:\n").expect("probes");
        kept.to_owned()
    };
    let suite = Suite::new(|_| PeerResponse::new(200), without);
    let printed = suite.printed(&["--strict", "--filter", "a "], &[]);
    assert!(
        printed.contains(
            "problem 1: the profile has no probe `quantity`: 4 scenarios\n    → add `probes: { \
             quantity: … }` to the profile\n  4 checks failed\n"
        ),
        "{printed}"
    );
    assert_eq!(
        printed.matches("the profile has no probe").count(),
        2,
        "{printed}"
    );
}

/// By chance, the quantities of some scenarios look like an overflow, or like a repeated removal.
#[test]
fn a_receiver_that_grants_one_of_everything_has_one_problem() {
    let keys = std::sync::Mutex::new(Vec::new());
    let game = Game::new(move |event, inventories| {
        let mut keys = keys.lock().expect("a lock");
        let sku = &event["event_data"]["item"]["sku"];
        if event["event_type"] == "coupon.redeemed" && !keys.contains(&event["idempotency_key"]) {
            keys.push(event["idempotency_key"].clone());
            Game::grant(inventories, event, sku.as_str().unwrap_or_default(), 1);
        }
        PeerResponse::new(200)
    });
    let mut folder = Folder::new().with("aghook.yaml", game.config(""));
    std::fs::create_dir(folder.path("suite")).expect("a folder");
    for (number, name) in NAMES.iter().enumerate() {
        folder = folder.with(&format!("suite/{number}.yaml"), grants(name));
    }
    let beyond = grants("beyond doubles").replace("quantity: 5", "quantity: 9007199254740993");
    let removed = "name: removed once\n\
        events:\n  coupon: { item: { quantity: 7 } }\n  \
        removal: { kind: item.remove, for: coupon, set: { /event_data/items/0/quantity: 2 } }\n\
        steps: [{ deliver: coupon }, { deliver: removal }]\n\
        effects: [{ granted: coupon }, { removed: removal }]\n";
    let folder = folder
        .with("suite/5.yaml", beyond)
        .with("suite/6.yaml", removed);
    let arguments = ["run", "suite", "-q", "--jobs", "1", "--skip-setup-check"];
    let ended = folder.aghook(&arguments).output().expect("it runs");
    let printed = String::from_utf8(ended.stdout).expect("UTF-8");
    assert!(
        printed.contains("problem 1: too little of an item is granted: 6 scenarios"),
        "{printed}"
    );
    assert!(!printed.contains("problem 2"), "{printed}");
}
