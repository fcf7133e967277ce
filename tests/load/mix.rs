//! Loads that mix events of scenarios by weight: what is sent and counted, and what only such a mix
//! catches.

use super::*;

const PROMO: &str = "name: a promotion\n\
    events:\n  pack: { item: { bundle: [{ sku: gems, quantity: 3 }, { sku: gold, quantity: 2 }] } }\n  \
    spare: { player_id: { same_as: pack }, item: { sku: hat, quantity: 1, fallback: { sku: gems, quantity: 9 } } }\n\
    steps: [{ deliver: [pack, spare], expect: { status: 2xx } }]\n";

/// The arguments of a load of `count` events from these entries.
fn mixed<'all>(count: &'all str, entries: &[&'all str]) -> Vec<&'all str> {
    let options = ["--rate", "max", "--count", count, "--check-effects", "all"];
    let entries = entries.iter().flat_map(|entry| ["--mix", entry]);
    options.into_iter().chain(entries).collect()
}

fn sum(entries: &Value, key: &str) -> u64 {
    let entries = entries.as_array().expect("a list").iter();
    entries.map(|entry| number(&entry["counts"], key)).sum()
}

#[test]
fn the_bundled_suite_is_granted_once_with_every_treatment() {
    let folder = Folder::new();
    let arguments = [&mixed("1500", &["bundled=3", "random"])[..], &MIX].concat();
    let report = report(&folder, &arguments, 0);
    assert_eq!(report["effects"]["right"], 1500);
    let (counts, entries) = (counts(&report), &report["event_mix"]);
    for key in ["events", "deliveries", "acknowledged", "errors"] {
        assert_eq!(sum(entries, key), number(counts, key), "{key}: {entries}");
        let bundled = &entries[0];
        let of_entry = number(&bundled["counts"], key);
        assert_eq!(sum(&bundled["scenarios"], key), of_entry, "{key}");
    }
    // The expected number is 1125, and the seed is fixed.
    let bundled = number(&entries[0]["counts"], "events");
    assert!((1050..1200).contains(&bundled), "{bundled}");
    let scenarios = entries[0]["scenarios"].as_array().expect("a list");
    assert!(scenarios.len() > 80, "{}", scenarios.len());
    for scenario in scenarios {
        assert!(number(&scenario["counts"], "events") > 0, "{scenario}");
    }
    let left_out = entries[0]["left_out"].as_array().expect("a list");
    let (item_events, others): (Vec<&str>, Vec<&str>) = left_out
        .iter()
        .map(|left_out| left_out.as_str().expect("text"))
        .partition(|left_out| left_out.contains("it is made for another event"));
    assert_eq!((item_events.len(), others.len()), (13, 2), "{left_out:?}");
    let schema = jsonschema::validator_for(&aghook::internals::load::load_report_schema())
        .expect("a schema");
    assert!(schema.is_valid(&report));
}

#[test]
fn flaws_that_only_a_mix_reveals_are_caught_with_their_scenario() {
    for (flaw, generated, entry) in [
        ("quantity_32_bit", 0, "payload/large_quantity"),
        ("test_granted", 0, "context/test_trigger"),
        ("unknown_key_refused", 0, "payload/unknown_keys.yaml"),
        ("bundle_granted_twice", 1, "payload/bundle"),
        ("fallback_granted_too", 1, "payload/fallback"),
    ] {
        let flawed = ReceiverProcess::new(&["--flaw", flaw]);
        let folder = Folder::new().with("aghook.yaml", flawed.config(""));
        report(&folder, &mixed("100", &["random"]), generated);
        let entry = format!("bundled#{entry}");
        let seed = ["--seed", "2", "--skip-setup-check"];
        let report = report(&folder, &[&mixed("40", &[&entry])[..], &seed].concat(), 1);
        if flaw == "unknown_key_refused" {
            // An event that was not acknowledged need not be granted.
            assert_eq!(sum(&report["event_mix"], "acknowledged"), 0);
            continue;
        }
        let wrong = report["effects"]["wrong"].as_array().expect("a list");
        assert!(!wrong.is_empty(), "{flaw}");
        let failures = folder.read("aghook-failures.jsonl");
        let mut lines = failures
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let first = lines
            .find(|line| line["number"] == wrong[0]["number"])
            .expect("a line");
        for key in ["file", "scenario", "event"] {
            assert_eq!(first[key], wrong[0]["origin"][key], "{flaw}");
        }
        let file = first["file"].as_str().expect("text");
        let (_, path) = entry.split_once('#').expect("a path");
        assert!(file.contains(path), "{file}");
    }
}

#[test]
fn both_choices_are_correct_if_the_policy_leaves_them_open() {
    for variant in [
        "bundle_by_sku",
        "fallback_granted",
        "sandbox_and_test_granted",
        "asynchronous_grants",
    ] {
        let receiver = ReceiverProcess::new(&["--variant", variant]);
        let config = receiver.config("");
        let open = config.replace(
            "policy: { bundles: nested, sandbox: ignore, test: ignore }",
            "",
        );
        let open = open.replace("    settle: 0s\n", "");
        assert!(open.len() + 50 < config.len(), "{open}");
        let folder = Folder::new().with("aghook.yaml", open);
        let report = report(&folder, &mixed("300", &["bundled"]), 0);
        assert_eq!(report["effects"]["right"], 300, "{variant}");
    }
}

#[test]
fn only_refusals_that_a_scenario_allows_are_not_failures() {
    for (variant, entry) in [
        ("sandbox_denied", "bundled#context/"),
        ("sandbox_denied", "random"),
        ("ascii_ids_only", "bundled#payload/"),
    ] {
        let receiver = ReceiverProcess::new(&["--variant", variant]);
        let folder = Folder::new().with("aghook.yaml", receiver.config(""));
        let report = report(&folder, &mixed("200", &[entry]), 0);
        let refused = number(counts(&report), "refused");
        assert!(refused > 0, "{variant}");
        assert_eq!(number(counts(&report), "allowed_refusals"), refused);
        assert_eq!(sum(&report["event_mix"], "allowed_refusals"), refused);
        assert_eq!(report["effects"]["right"], 200, "{variant}");
    }
    let receiver = ReceiverProcess::new(&["--variant", "sandbox_denied"]);
    let config = receiver
        .config("")
        .replace("sandbox: ignore", "sandbox: grant");
    let folder = Folder::new().with("aghook.yaml", config);
    report(&folder, &mixed("200", &["random"]), 1);
    let denying = Peer::answering(|_| PeerResponse::new(403));
    let url = denying.url();
    let folder = Folder::new();
    let words = ["--target", &url, "--rate", "max", "--count", "50", "--mix"];
    let report = report(
        &folder,
        &[&words[..], &["bundled#payload/plain", "--skip-setup-check"]].concat(),
        1,
    );
    assert_eq!(number(counts(&report), "allowed_refusals"), 0);
}

#[test]
fn only_shards_of_the_same_mix_are_merged() {
    let flawed = ReceiverProcess::new(&[]);
    let folder = Folder::new()
        .with("aghook.yaml", flawed.config(""))
        .with("promo.yaml", PROMO);
    let run_shard = |shard: &str, file: &str, entries: &[&str]| {
        let name = format!("json={file}");
        let more = [
            "--start-time",
            "1763889831",
            "--duplicates",
            "10%",
            "--partition",
            shard,
            "--report",
            &name,
        ];
        let words = [&["load"], &mixed("201", entries)[..], &more].concat();
        folder.aghook(&words).assert().code(0);
    };
    run_shard("1/2", "one.json", &["promo.yaml=2", "random"]);
    run_shard("2/2", "other.json", &["promo.yaml=2", "random"]);
    run_shard("2/2", "weights.json", &["promo.yaml", "random"]);
    let merge = ["merge", "one.json", "other.json", "--report", "json"];
    let merged = folder.aghook(&merge).assert().code(0);
    let merged: Value = serde_json::from_slice(&merged.get_output().stdout).expect("JSON");
    assert_eq!(merged["effects"]["right"], 201);
    assert_eq!(sum(&merged["event_mix"], "events"), 201);
    let acknowledged = number(counts(&merged), "acknowledged");
    assert_eq!(sum(&merged["event_mix"], "acknowledged"), acknowledged);
    let other = PROMO.replace("quantity: 9", "quantity: 10");
    let folder = folder.with("promo.yaml", other);
    for file in ["weights.json", "changed.json"] {
        if file == "changed.json" {
            let words = [
                &["load"],
                &mixed("201", &["promo.yaml=2", "random"])[..],
                &["--start-time", "1763889831", "--duplicates", "10%"],
                &["--partition", "2/2", "--report", "json=changed.json"],
            ];
            folder.aghook(&words.concat()).assert().code(0);
        }
        Transcript::of(&mut folder.aghook(&["merge", "one.json", file]))
            .ends_with(2)
            .says(&["event_mix differs"]);
    }
}

#[test]
fn every_report_shows_the_mix() {
    let peer = Peer::answering(|request| {
        let is_hat = String::from_utf8_lossy(&request.body).contains("\"sku\":\"hat\"");
        PeerResponse::new(if is_hat { 404 } else { 200 })
    });
    let url = peer.url();
    let folder = Folder::new().with("promo.yaml", PROMO);
    let words = [
        "load",
        "--target",
        &url,
        "--rate",
        "max",
        "--count",
        "40",
        "--mix",
        "promo.yaml=3",
        "--mix",
        "random=1",
        "--report",
        "markdown=load.md",
        "--report",
        "html=load.html",
        "--report",
        "junit=load.xml",
    ];
    let printed = Transcript::of(&mut folder.aghook(&words)).ends_with(1);
    let again = "--mix 'promo.yaml=3' --mix 'random=1'";
    let printed = printed.says(&["promo.yaml (weight 3): ", "random (weight 1): ", again]);
    assert!(
        printed.stdout.contains("a promotion (promo.yaml): "),
        "{}",
        printed.stdout
    );
    junit_structure::validate_structure(&folder.read("load.xml"));
    assert!(folder.read("load.xml").contains("promo.yaml (weight 3)"));
    let markdown = folder.read("load.md");
    assert!(markdown.contains("| `promo.yaml` | 3 | "), "{markdown}");
    assert!(
        markdown.contains("| `a promotion (promo.yaml)` |  | "),
        "{markdown}"
    );
    let page = folder.read("load.html");
    assert!(
        page.contains("<th scope=\"row\">promo.yaml</th><td>3</td>"),
        "{page}"
    );
    assert!(page.contains("a promotion (promo.yaml)</th>"), "{page}");
}

#[test]
fn mistakes_in_a_mix_are_reported_before_sending() {
    let raw = PROMO.replace("steps:", "  bytes: { raw: '{}' }\nsteps:");
    let folder = Folder::new()
        .with("promo.yaml", PROMO)
        .with("raw.yaml", &raw)
        .with("bad.yaml", "name: x\nevents: { a: {} }\nstep: []\n");
    for (entry, said) in [
        ("promo.yaml=0", "expected a whole number from 1 as weight"),
        ("promo.yaml=-1", "expected a whole number from 1 as weight"),
        ("promo.yaml=0.5", "write 0.5 and 1 as 1 and 2"),
        ("promo.yaml=heavy", "found `heavy`"),
        ("=3", "expected a path, `bundled` or `random`"),
        ("random#x", "no scenarios to select"),
        ("missing.yaml=2", "missing.yaml"),
        ("bad.yaml", "bad.yaml:3:1"),
        ("raw.yaml", "raw.yaml:5:17"),
        ("promo.yaml#a promotoin=3", "did you mean `a promotion`?"),
        ("bundled#no such thing", "has no scenario `no such thing`"),
        (
            "bundled#other_event_type",
            "its `event_type` is `aghook.never_heard_of`",
        ),
    ] {
        let words = [
            "load",
            "--target",
            crate::support::UNREACHABLE,
            "--mix",
            entry,
        ];
        Transcript::of(&mut folder.aghook(&words))
            .ends_with(2)
            .says(&[said]);
    }
    let twice = ["load", "--mix", "promo.yaml=1", "--mix", "promo.yaml=2"];
    Transcript::of(&mut folder.aghook(&twice))
        .ends_with(2)
        .says(&["duplicate `promo.yaml` in --mix"]);
}

#[test]
fn unsendable_scenarios_of_a_folder_are_skipped_and_listed() {
    let raw = "name: bytes\nevents:\n  bytes: { raw: '{}' }\n\
               steps: [{ deliver: bytes, expect: { status: 4xx } }]\n";
    let folder = Folder::new();
    std::fs::create_dir(folder.path("suite")).expect("a folder");
    let folder = folder.with("suite/a.yaml", PROMO).with("suite/b.yaml", raw);
    let words = [&["load", "--report", "json"], &mixed("30", &["suite"])[..]].concat();
    let printed = Transcript::of(&mut folder.aghook(&words)).ends_with(0);
    let printed = printed.says(&["not sent: suite/b.yaml:3:17: a load can't send the event"]);
    let report: Value = serde_json::from_str(&printed.stdout).expect("JSON");
    let entry = &report["event_mix"][0];
    assert_eq!(entry["scenarios"].as_array().map(Vec::len), Some(1));
    assert_eq!(entry["left_out"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["effects"]["right"], 30);
}

#[test]
fn a_mix_uses_the_players_and_items_of_the_profile() {
    let receiver = ReceiverProcess::new(&["--variant", "own_players_only"]);
    let players = "    players: [\"player-{0000..0099}\"]\n";
    let config = receiver.config(players);
    let folder = Folder::new().with("aghook.yaml", config);
    let options = ["--rate", "max", "--count", "150", "--mix", "bundled"];
    let listed = report(&folder, &options, 0);
    assert_eq!(number(counts(&listed), "acknowledged"), 150);

    let receiver = ReceiverProcess::new(&["--variant", "held_once"]);
    let items =
        ["hat_a", "hat_b", "hat_c"].map(|sku| format!("{{ sku: {sku}, stackable: false }}"));
    let items = format!("    items: [{}]\n", items.join(", "));
    let folder = Folder::new().with("aghook.yaml", receiver.config(&items));
    let report = report(&folder, &mixed("300", &["bundled"]), 0);
    assert_eq!(report["effects"]["right"], 300);
}
