//! What many scenarios fail of alike is said once in the reports for people, with whom it concerns;
//! what differs is told by itself, and the reports for programs keep every check.

use crate::support::{Folder, Game, Received, Response};
use regex::Regex;
use serde_json::{Value, json};

/// A scenario that delivers one event and looks for its grant.
fn grants(name: &str) -> String {
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

/// A suite of four scenarios that grant and two that forge, against a game that answers with
/// `deliver` and whose profile is changed by `config`.
struct Suite {
    folder: Folder,
    _game: Game,
}

impl Suite {
    fn new(
        deliver: impl Fn(&Received) -> Response + Send + Sync + 'static,
        config: impl Fn(String) -> String,
    ) -> Self {
        let game = Game::with_probe(
            move |request, _| deliver(request),
            |quantity| Response::new(200).json(&json!({ "quantity": quantity })),
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

    /// What a quiet run says, but for what differs between two runs.
    fn told(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let run = [
            "run",
            "suite",
            "-q",
            "--jobs",
            "1",
            "--start-time",
            "1763889831",
        ];
        let mut command = self.folder.aghook(&[&run, arguments].concat());
        command.env_remove("COLUMNS");
        let ended = command.envs(environment.iter().copied()).output();
        let told = String::from_utf8(ended.expect("it runs").stdout).expect("UTF-8");
        let changing = [
            (r"127\.0\.0\.1:\d{2,}", "127.0.0.1:PORT"),
            (r"took [\d.]+ (s|ms)", "took TIME"),
            (r"\+[\d.]+ s\b", "+TIME"),
            (r"(Signature:) [0-9a-f]{64}", "$1 HEX"),
            (r"(Timestamp:) \d+", "$1 NOW"),
        ];
        changing.iter().fold(told, |text, (pattern, name)| {
            let pattern = Regex::new(pattern).expect("a pattern");
            pattern.replace_all(&text, *name).into_owned()
        })
    }

    /// The checks in trouble of the JSON report.
    fn checks(&self) -> Vec<Value> {
        let run = ["run", "suite", "--report", "json"];
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

fn as_it_is(config: String) -> String {
    config
}

/// Refuses everything, as with another secret.
fn refusing() -> Suite {
    Suite::new(
        |_| Response::new(401).json(&json!({ "error": "bad signature" })),
        as_it_is,
    )
}

#[test]
fn a_wrong_secret_is_said_once_with_how_to_find_out() {
    insta::assert_snapshot!(refusing().told(&[], &[]));
}

#[test]
fn a_summary_page_says_a_cause_once() {
    insta::assert_snapshot!(refusing().told(&["--report", "markdown"], &[]));
}

#[test]
fn annotations_say_a_cause_once() {
    let told = refusing().told(&[], &[("GITHUB_ACTIONS", "true")]);
    let lines: Vec<&str> = told.lines().filter(|line| line.starts_with("::")).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_page_says_a_cause_once_and_leads_to_its_scenarios() {
    let suite = refusing();
    suite.told(&["--report", "html=run.html"], &[]);
    let page = suite.folder.read("run.html");
    let cause = "Cause 1: status of genuine deliveries: expected 2xx, observed 401";
    assert_eq!(page.matches(cause).count(), 1);
    for number in 1..=4 {
        assert!(page.contains(&format!("<a href=\"#scenario-{number}\">")));
    }
    assert_eq!(
        page.matches("<span class=\"trouble\">causes 1, 2</span>")
            .count(),
        4
    );
    assert!(page.contains("every genuinely signed delivery was refused (401: "));
}

#[test]
fn reports_for_programs_keep_every_check() {
    let suite = refusing();
    let checks = suite.checks();
    assert_eq!(checks.len(), 8, "{checks:#?}");
    let cause = "no delivery of the event was accepted, and nothing of it was granted";
    let of_effects = checks.iter().filter(|check| check["cause"] == cause);
    assert_eq!(of_effects.count(), 4);
    suite.told(&["--report", "junit=run.xml"], &[]);
    let junit = suite.folder.read("run.xml");
    assert_eq!(junit.matches("<failure").count(), 4, "{junit}");
    assert_eq!(junit.matches("observed  401").count(), 4, "{junit}");
}

#[test]
fn every_name_is_told_in_detail_and_a_few_otherwise() {
    let suite = refusing();
    let more = ["one", "two", "three"];
    for name in more {
        std::fs::write(
            suite.folder.path(&format!("suite/{name}.yaml")),
            grants(name),
        )
        .expect("a file");
    }
    let told = suite.told(&[], &[]);
    assert!(
        told.contains("and 2 more; --verbose names them all"),
        "{told}"
    );
    let run = ["run", "suite", "-v", "--jobs", "1"];
    let ended = suite.folder.aghook(&run).output().expect("it runs");
    let told = String::from_utf8(ended.stdout).expect("UTF-8");
    let (_, causes) = told.split_once("told once").expect("the causes");
    for name in NAMES.iter().chain(&more) {
        assert!(
            causes.contains(&format!("    {name}  suite/")),
            "{name}: {causes}"
        );
    }
}

/// Each is answered otherwise: by the player's ID, which differs between the scenarios.
#[test]
fn what_is_answered_otherwise_is_not_one_cause() {
    let turns = std::sync::atomic::AtomicU16::new(0);
    let suite = Suite::new(
        move |_| Response::new(410 + turns.fetch_add(1, std::sync::atomic::Ordering::Relaxed)),
        |config| config.replace("    probes:\n", "    retry: { attempts: 1 }\n    probes:\n"),
    );
    let told = suite.told(&[], &[]);
    for (number, name) in NAMES.iter().enumerate() {
        assert!(told.contains(&format!("✗ failed {name}\n")), "{told}");
        assert!(
            told.contains(&format!("observed  {}\n", 410 + number)),
            "{told}"
        );
    }
    assert!(!told.contains("status of genuine deliveries"), "{told}");
    assert!(!told.contains("every genuine"), "{told}");
}

#[test]
fn one_forgery_that_is_accepted_is_told_by_itself() {
    let suite = Suite::new(
        |request| {
            let is_forged = request.header("x-aghanim-signature").is_none();
            Response::new(if is_forged { 401 } else { 200 })
        },
        as_it_is,
    );
    let told = suite.told(&[], &[]);
    // Two forgeries differ: one is refused, and the other is accepted.
    assert!(
        told.contains("✗ failed wrong_secret is refused\n"),
        "{told}"
    );
    assert!(!told.contains("status of forged deliveries"), "{told}");
    // Nothing was granted of what was accepted, of any event.
    assert!(
        told.contains("cause 1: the event was accepted, and nothing of it was granted\n"),
        "{told}"
    );
}

#[test]
fn a_probe_that_can_not_be_read_is_said_once() {
    let broken = |config: String| config.replace("/players/", "/nobody/");
    let suite = Suite::new(
        |request| {
            let is_signed = request.header("x-aghanim-signature").is_some();
            Response::new(if is_signed { 200 } else { 401 })
        },
        broken,
    );
    let told = suite.told(&[], &[]);
    let cause = "cause 1: the probe `quantity` failed: GET \
                 http://127.0.0.1:PORT/nobody/{player_id}/items/{sku} answered 404";
    assert!(told.contains(cause), "{told}");
    assert!(told.contains("4 checks broken, in 4 scenarios\n"), "{told}");
    assert_eq!(told.matches("/nobody/").count(), 2, "{told}");
}

#[test]
fn what_a_profile_lacks_is_said_once_under_strict() {
    let without = |config: String| {
        let (kept, _) = config.split_once("    probes:\n").expect("probes");
        kept.to_owned()
    };
    let suite = Suite::new(|_| Response::new(200), without);
    let told = suite.told(&["--strict", "--filter", "a "], &[]);
    assert!(
        told.contains(
            "cause 1: the profile has no probe `quantity`\n    → add `probes: { quantity: … }` to \
             the profile\n  4 checks failed, in 4 scenarios\n"
        ),
        "{told}"
    );
    assert_eq!(
        told.matches("the profile has no probe").count(),
        1,
        "{told}"
    );
}
