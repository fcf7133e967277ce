//! The complete output of a small run: narrow and wide, piped, with and without colours, quiet and
//! verbose.

use crate::support::{Folder, Game, PeerResponse};
use regex::Regex;
use serde_json::json;

const SCENARIOS: [(&str, &str); 5] = [
    (
        "1_passes.yaml",
        "name: a forged request is refused\n\
         events: { forged: {} }\n\
         steps: [{ deliver: forged, forge: missing_signature, expect: { status: 401 } }]\n\
         effects: [{ not_granted: forged }]\n",
    ),
    (
        "2_fails.yaml",
        "name: a coupon of the summer festival is granted once, and only once, whatever happens\n\
         about: >\n  The sender may deliver an event twice, minutes or days apart. Write the idempotency key and the\n  \
         grant in one transaction, and respond 2xx to an existing key.\n\
         source: \"Coupon redeemed webhook: Event Schema (idempotency_key: once, even when retried)\"\n\
         events: { welcome: { player_id: 2D2R-OP3C, item: { sku: crystals, quantity: 480 } } }\n\
         steps: [{ deliver: welcome, times: 2, expect: { status: 2xx, body: { $.status: granted } } }]\n\
         effects: [{ granted: welcome }]\n",
    ),
    (
        "3_warns.yaml",
        "name: a day-old timestamp is refused, as good practice recommends\n\
         level: should\n\
         source: \"good practice: the public template does not check the timestamp's age, but a receiver can\"\n\
         events: { old: {} }\n\
         steps: [{ deliver: old, forge: stale_timestamp, expect: { status: [4xx, 5xx] } }]\n",
    ),
    (
        "4_is_not_checked.yaml",
        "name: a coupon is granted once after a 503\n\
         events: { coupon: {} }\n\
         steps: [{ script: { of: coupon, answers: [503] } }, { deliver: coupon, expect: { status: 2xx } }]\n\
         effects: [{ granted: coupon }]\n",
    ),
    (
        "5_breaks.yaml",
        "name: the health of a receiver on another port is checked\n\
         events: { coupon: {} }\n\
         steps: [{ deliver: coupon, expect: { status: 2xx } }]\n\
         effects: [{ probe: unreadable, of: coupon, change: 1 }]\n",
    ),
];

/// Runs the scenarios against a game that grants every delivery, including duplicates.
fn output(columns: Option<&str>, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let game = Game::with_probe(
        |request, inventories| {
            if request.header("x-aghanim-signature").is_none() {
                return PeerResponse::new(401).json(&json!({ "error": "no signature" }));
            }
            Game::grant_item(inventories, &request.json());
            PeerResponse::new(200).json(&json!({ "status": "ok" }))
        },
        |quantity| PeerResponse::new(200).json(&json!({ "quantity": quantity })),
    );
    let unreadable = "      unreadable:\n        http: GET http://127.0.0.1:1/{player_id}\n";
    let mut folder = Folder::new().with("aghook.yaml", game.config(""));
    let config = folder
        .read("aghook.yaml")
        .replace("    probes:\n", &format!("    probes:\n{unreadable}"));
    folder = folder.with("aghook.yaml", config);
    std::fs::create_dir(folder.path("suite")).expect("a folder");
    for (name, text) in SCENARIOS {
        folder = folder.with(&format!("suite/{name}"), text);
    }
    let pinned = ["run", "suite", "--jobs", "1", "--start-time", "1763889831"];
    let mut command = folder.aghook(&[&pinned, arguments].concat());
    match columns {
        Some(columns) => command.env("COLUMNS", columns),
        None => command.env_remove("COLUMNS"),
    };
    let ended = command
        .envs(environment.iter().copied())
        .assert()
        .code(1)
        .get_output()
        .clone();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    String::from_utf8(ended.stdout).expect("UTF-8")
}

/// The output without values that differ between runs, with escape sequences made visible.
fn redacted(output: &str) -> String {
    let changing = [
        ("\u{1b}", "␛"),
        (r"127\.0\.0\.1:\d{4,}", "127.0.0.1:PORT"),
        (r"delivered \d{4}-.*", "delivered TIME"),
        (r"took [\d.]+ (s|ms)", "took TIME"),
        (r"\b\d+ ms\b", "TIME"),
        (r"\+[\d.]+ s\b", "+TIME"),
        (r"\b[0-9a-f]{14,64}\b", "HEX"),
        (r"(Timestamp:) \d+", "$1 NOW"),
        (r"aghook \d+\.\d+\.\d+", "aghook VERSION"),
    ];
    changing
        .iter()
        .fold(output.to_owned(), |text, (pattern, name)| {
            let pattern = Regex::new(pattern).expect("a pattern");
            pattern.replace_all(&text, *name).into_owned()
        })
}

/// The width of the longest line in columns.
fn widest(output: &str) -> usize {
    output
        .lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0)
}

#[test]
fn narrow() {
    let output = output(Some("60"), &[], &[]);
    assert!(widest(&output) <= 60, "{output}");
    insta::assert_snapshot!(redacted(&output));
}

#[test]
fn wide() {
    let output = output(Some("120"), &[], &[]);
    assert!(widest(&output) <= 120, "{output}");
    insta::assert_snapshot!(redacted(&output));
}

#[test]
fn narrow_and_verbose() {
    let output = output(Some("60"), &["--verbose"], &[]);
    assert!(widest(&output) <= 60, "{output}");
    insta::assert_snapshot!(redacted(&output));
}

#[test]
fn quiet() {
    insta::assert_snapshot!(redacted(&output(Some("100"), &["--quiet"], &[])));
}

#[test]
fn piped() {
    let piped = output(None, &[], &[]);
    assert!(!piped.contains('\u{1b}'), "{piped:?}");
    // One line per scenario, even if it is long, so that tools like grep can select it.
    assert!(piped.contains("✗ failed: a coupon of the summer festival is granted once, and only once, whatever happens  "));
    insta::assert_snapshot!(redacted(&piped));
}

#[test]
fn in_colours() {
    let forced = output(Some("60"), &["--quiet", "--color", "always"], &[]);
    assert!(forced.contains('\u{1b}'));
    insta::assert_snapshot!(redacted(&forced));
    let colours = Regex::new("\u{1b}\\[[0-9;]*m").expect("a pattern");
    let plain = output(Some("60"), &["--quiet"], &[]);
    assert_eq!(
        redacted(&colours.replace_all(&forced, "")),
        redacted(&plain)
    );
}

#[test]
fn no_color_overrides_clicolor_force() {
    let forced = [("CLICOLOR_FORCE", "1")];
    assert!(output(None, &["--quiet"], &forced).contains('\u{1b}'));
    let disabled = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    let plain = output(None, &["--quiet"], &[]);
    assert_eq!(
        redacted(&output(None, &["--quiet"], &disabled)),
        redacted(&plain)
    );
}
