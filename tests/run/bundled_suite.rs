//! The bundled suite on the command line, and `docs/scenarios.md`, which describes its format.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aghook::internals::generate::{Catalogue, EventForm};
use aghook::internals::protocol::EventKind;
use aghook::internals::run::{Plan, PlanSettings};
use aghook::internals::scenario::bundled_suite;
use aghook::internals::scenario::document::{Node, SourceFile, decode};
use serde_json::{Value, json};
use tempfile::TempDir;

fn aghook(arguments: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::cargo_bin("aghook").expect("built");
    command.env("COLUMNS", "100").args(arguments);
    command
}

/// The JSON lines that a command prints; it must exit with this code.
fn lines(command: &mut assert_cmd::Command, code: i32) -> Vec<Value> {
    let output = command.assert().code(code).get_output().stdout.clone();
    let text = String::from_utf8(output).expect("UTF-8");
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Runs the bundled suite against the built-in receiver; every check must pass.
fn run(options: &[&str]) -> Vec<Value> {
    // An empty folder, so that no aghook.yaml is used.
    let folder = TempDir::new().expect("a folder");
    let mut command = aghook(&["run", "--report", "json"]);
    lines(command.args(options).current_dir(folder.path()), 0)
}

fn named<'run>(events: &'run [Value], name: &'run str) -> impl Iterator<Item = &'run Value> {
    events.iter().filter(move |event| event["event"] == name)
}

/// The delivered bodies, keyed by scenario, step, delivery and attempt.
fn bodies(events: &[Value]) -> BTreeMap<String, String> {
    let mut bodies = BTreeMap::new();
    for attempt in named(events, "attempt_ended") {
        let place = ["scenario", "step", "delivery", "attempt"].map(|key| attempt[key].to_string());
        let body = attempt["request"]["body"]["text"].as_str().expect("text");
        bodies.insert(place.join(" "), body.to_owned());
    }
    bodies
}

/// The delivered bodies, parsed as events.
fn delivered(events: &[Value]) -> Vec<Value> {
    let bodies = bodies(events).into_values();
    bodies
        // One scenario sends what is no event.
        .filter_map(|body| serde_json::from_str(&body).ok().filter(Value::is_object))
        .collect()
}

fn texts<'json>(events: &'json [Value], pointer: &str) -> BTreeSet<&'json str> {
    let texts = events.iter().filter_map(|event| event.pointer(pointer));
    texts.filter_map(Value::as_str).collect()
}

fn list(options: &[&str]) -> Vec<Value> {
    let folder = TempDir::new().expect("a folder");
    let mut command = aghook(&["list", "--json"]);
    lines(command.args(options).current_dir(folder.path()), 0)
}

/// The files of the suite with their contents.
fn files() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
    let files = entries
        .map(|entry| entry.expect("readable").into_path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    files
        .map(|path| (path.clone(), fs::read_to_string(path).expect("readable")))
        .collect()
}

/// Parses YAML like a scenario: `off` is a string, not a boolean.
fn yaml(text: &str) -> Value {
    let source = SourceFile::new("scenario.yaml", text);
    let tree = Node::parse(&source).expect("YAML");
    decode(&source, &tree).expect("JSON")
}

#[test]
fn the_built_in_receiver_passes_every_check() {
    let events = run(&[]);
    let ended = named(&events, "run_ended").next().expect("the end");
    let scenarios = &ended["scenarios"];
    assert_eq!(
        scenarios["passed"],
        named(&events, "scenario_started").count()
    );
    for other in ["not_checked", "warned", "failed", "broken"] {
        assert_eq!(scenarios[other], 0, "{other}");
        assert_eq!(ended["checks"][other], 0, "{other}");
    }
    assert_eq!(ended["not_run"], 0);
    for scenario in named(&events, "scenario_ended") {
        let number = &scenario["scenario"];
        let of_scenario = |event: &&Value| event["scenario"] == *number;
        let steps = named(&events, "step_ended").filter(of_scenario);
        let response_checks: usize = steps
            .filter_map(|step| step["deliveries"].as_array())
            .flatten()
            .filter_map(|delivery| delivery["checks"].as_array())
            .map(Vec::len)
            .sum();
        let effects = named(&events, "effects_ended").filter(of_scenario).count();
        assert!(
            response_checks > 0 && effects > 0,
            "scenario {number} checks too little"
        );
    }
}

#[test]
fn strict_mode_and_other_seeds_pass_as_well() {
    run(&["--strict"]);
    for seed in ["0", "1", "2", "18446744073709551615"] {
        run(&["--seed", seed]);
    }
}

/// A game may have many items or only one, which then replaces all others.
#[test]
fn items_of_the_game_replace_generated_ones() {
    for skus in [&["only_one"][..], &["gem", "gold", "меч-7"]] {
        let items = skus.iter().map(|sku| json!({ "sku": sku }));
        let items = items.map(|item| serde_json::from_value(item).expect("an item"));
        let settings = PlanSettings {
            seed: None,
            start: "1763889831".parse().expect("a start time"),
            catalogue: Some(Arc::new(Catalogue::of(items.collect()))),
            players: Arc::default(),
            first_player: 0,
            game_id: None,
            usual_kind: EventKind::CouponRedeemed,
            form: EventForm::default(),
            probes: Vec::new(),
            hooks: Vec::new(),
            strict: false,
            http2_only: false,
        };
        let mut sent = BTreeSet::new();
        for case in bundled_suite().expect("sound") {
            let plan = Plan::new(case, &settings).expect("a plan");
            // It is not sent, because the game has no such SKU.
            if ["long_sku", "joined_ids"].contains(&plan.case.file_stem()) {
                continue;
            }
            for event in plan.events.values() {
                if let Ok(body) = serde_json::from_slice(&event.body) {
                    collect_skus(&body, &mut sent);
                }
            }
        }
        assert_eq!(sent, skus.iter().map(|&sku| sku.to_owned()).collect());
    }
}

fn collect_skus(json: &Value, skus: &mut BTreeSet<String>) {
    match json {
        Value::Object(keys) => {
            let sku = keys.get("sku").and_then(Value::as_str);
            skus.extend(sku.map(str::to_owned));
            keys.values().for_each(|value| collect_skus(value, skus));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_skus(item, skus)),
        _ => {}
    }
}

#[test]
fn the_same_seed_and_start_time_send_the_same_bytes() {
    let pinned = ["--start-time", "1763889831.5", "--jobs"];
    let one = bodies(&run(&[&pinned[..], &["1"]].concat()));
    let eight = bodies(&run(&[&pinned[..], &["8"]].concat()));
    assert_eq!(one, eight);
    let seeded = bodies(&run(&[&pinned[..], &["8", "--seed", "7"]].concat()));
    assert_ne!(one, seeded);
}

#[test]
fn runs_at_different_times_share_no_players_or_keys() {
    let runs = [run(&[]), run(&[]), run(&["--start-time", "1763889831"])];
    let runs = runs.map(|events| delivered(&events));
    for pointer in [
        "/event_data/player_id",
        "/idempotency_key",
        "/event_id",
        "/transaction_id",
    ] {
        let [first, second, third] = runs.each_ref().map(|run| texts(run, pointer));
        assert!(!first.is_empty(), "{pointer}");
        assert!(first.is_disjoint(&second), "{pointer}");
        assert!(
            first.is_disjoint(&third) && second.is_disjoint(&third),
            "{pointer}"
        );
    }
}

/// A receiver may grant each code only once per player.
#[test]
fn scenarios_share_no_players_and_no_player_gets_the_same_code_twice() {
    let events = run(&[]);
    let mut scenario_of_player: BTreeMap<String, u64> = BTreeMap::new();
    let mut key_of_code = BTreeMap::new();
    for attempt in named(&events, "attempt_ended") {
        let number = attempt["scenario"].as_u64().expect("a number");
        let body = attempt["request"]["body"]["text"].as_str().expect("text");
        let Some(body) = serde_json::from_str(body).ok().filter(Value::is_object) else {
            continue;
        };
        let data = &body["event_data"];
        let player = data["player_id"].to_string();
        let code = data["coupon"]["code"].as_str();
        let code = code.map(|code| (player.clone(), code.to_owned()));
        assert_eq!(*scenario_of_player.entry(player).or_insert(number), number);
        let key = body["idempotency_key"].clone();
        // Item events have no code.
        if let Some(code) = code {
            assert_eq!(*key_of_code.entry(code).or_insert(key.clone()), key);
        }
    }
}

#[test]
fn every_scenario_has_a_reason_and_a_source() {
    let scenarios = list(&[]);
    let mut names = BTreeSet::new();
    for scenario in &scenarios {
        let name = scenario["name"].as_str().expect("a name");
        let file = scenario["file"].as_str().expect("a file");
        assert!(names.insert(name), "two scenarios are named {name}");
        let words = scenario["about"]
            .as_str()
            .map_or(0, |about| about.split(' ').count());
        assert!(
            words > 20,
            "{file}: `about` should say why it matters and what to fix"
        );
        assert!(
            scenario["source"].is_string(),
            "{file}: `source` is missing"
        );
        let folder = file.split('/').nth(1).expect("a folder");
        assert_eq!(
            scenario["tags"][0], folder,
            "{file}: the first tag is the folder"
        );
    }
    let stems: Vec<String> = files()
        .into_iter()
        .filter_map(|(path, _)| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    let distinct: BTreeSet<&String> = stems.iter().collect();
    // Random values depend on the file name without the folder, so names must be unique.
    assert_eq!(distinct.len(), stems.len(), "two files have the same name");
}

#[test]
fn an_assumption_is_never_a_must() {
    for (path, text) in files() {
        let scenario = yaml(&text);
        let source = scenario["source"].as_str().expect("a source");
        let phrase = ["aghook's assumption", "good practice"]
            .into_iter()
            .find(|phrase| source.starts_with(phrase));
        if let Some(phrase) = phrase {
            assert_eq!(scenario["level"], "should", "{}: {phrase}", path.display());
        }
    }
}

#[test]
fn every_forgery_is_used() {
    let listed = list(&["--what", "forgeries"]);
    let listed: BTreeSet<&str> = listed
        .iter()
        .filter_map(|forgery| forgery["name"].as_str())
        .collect();
    let events = run(&["--tag", "forgery"]);
    let attempts = named(&events, "attempt_ended");
    let sent: BTreeSet<&str> = attempts
        .filter_map(|attempt| attempt["forgery"].as_str())
        .collect();
    assert_eq!(sent, listed);
}

fn schema() -> jsonschema::Validator {
    let output = aghook(&["schema"])
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    let schema: Value = serde_json::from_slice(&output).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

#[test]
fn every_file_satisfies_the_schema() {
    let schema = schema();
    for (path, text) in files() {
        let errors: Vec<String> = schema
            .iter_errors(&yaml(&text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn the_schema_and_check_reject_the_same_files() {
    let schema = schema();
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("broken.yaml");
    let sound = "name: x\n\
                 events: { e: { item: { bundle: [{}] }, set: { /a: 1 } } }\n\
                 steps: [{ deliver: e, times: 2, retry: off, expect: { status: 2xx, within: 2s } }]\n\
                 effects: [{ granted: e }]\n";
    let breaks = [
        ("name: x\n", ""),
        ("name: x", "nam: x"),
        ("name: x", "name: x\nlevel: could"),
        ("name: x", "name: x\ntags: smoke"),
        ("name: x", "name: x\nseed: -1"),
        ("item:", "items:"),
        ("bundle: [{}]", "bundle: [{ price: 1 }]"),
        ("bundle: [{}]", "quantity: -1"),
        ("bundle: [{}]", "quantity: many"),
        ("/a: 1", "a: 1"),
        ("e: { item", "e: { context: { player: false }, item"),
        ("e: { item", "e: { event_time: yesterday, item"),
        ("e: { item", "e: { revision: 2030-01-01, item"),
        ("e: { item", "e: { player_id: { same: e }, item"),
        ("times: 2", "times: twice"),
        ("times: 2", "forge: nonsense"),
        ("times: 2", "together: maybe"),
        ("times: 2", "pause: 5"),
        ("retry: off", "retry: never"),
        ("retry: off", "retry: { attempts: 0 }"),
        ("retry: off", "retry: { delays: [] }"),
        ("status: 2xx", "status: 6xx"),
        ("status: 2xx", "status: 600"),
        ("status: 2xx", "status: { never: 2xx }"),
        ("status: 2xx", "outcome: lost"),
        ("status: 2xx", "attempts: -1"),
        ("status: 2xx", "body: { items: 1 }"),
        ("within: 2s", "within: 2"),
        ("granted: e", "grant: e"),
        ("granted: e", "granted: e, times: -1"),
        ("granted: e", "probe: quantity, of: e, change: some"),
    ];
    let check = |text: &str| {
        fs::write(&file, text).expect("written");
        let output = aghook(&["check"]).arg(&file).output().expect("runs");
        output.status.code().expect("ends by itself")
    };
    assert!(schema.is_valid(&yaml(sound)) && check(sound) == 0);
    for (text, replacement) in breaks {
        assert_eq!(sound.matches(text).count(), 1, "{text}");
        let broken = sound.replace(text, replacement);
        assert_eq!(check(&broken), 2, "`check` accepts this: {replacement}");
        assert!(
            !schema.is_valid(&yaml(&broken)),
            "the schema accepts this: {replacement}"
        );
    }
}

fn reference() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenarios.md");
    fs::read_to_string(file).expect("readable")
}

#[test]
fn the_examples_of_the_reference_pass() {
    let folder = TempDir::new().expect("a folder");
    let reference = reference();
    let mut examples = 0;
    for block in reference.split("```yaml").skip(1) {
        let (text, _) = block.split_once("\n```").expect("the block's end");
        let example = text.strip_prefix(" scenario\n").expect("a whole scenario");
        let file = folder.path().join(format!("example_{examples}.yaml"));
        fs::write(file, example).expect("written");
        examples += 1;
    }
    assert!(examples >= 5, "{examples}");
    aghook(&["check", "."])
        .current_dir(folder.path())
        .assert()
        .success();
    aghook(&["run", "--strict", "."])
        .current_dir(folder.path())
        .assert()
        .success();
}

#[test]
fn the_reference_mentions_every_keyword_of_the_format() {
    let reference = reference();
    let output = aghook(&["schema"])
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    let mut words = BTreeSet::new();
    collect_keywords(&serde_json::from_slice(&output).expect("JSON"), &mut words);
    // A key may appear in an example of its value, such as `{ first: 1s }`.
    let is_named = |word: &str| {
        reference.contains(&format!("`{word}`")) || reference.contains(&format!("{word}: "))
    };
    let missing: Vec<&String> = words.iter().filter(|word| !is_named(word)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The keys and the keywords that are allowed as values.
fn collect_keywords(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(keys) => {
            let properties = keys.get("properties").and_then(Value::as_object);
            words.extend(properties.into_iter().flat_map(|keys| keys.keys().cloned()));
            let values = keys
                .get("enum")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let values = values.chain(keys.get("const")).filter_map(Value::as_str);
            words.extend(values.map(str::to_owned));
            keys.values()
                .for_each(|value| collect_keywords(value, words));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_keywords(item, words)),
        _ => {}
    }
}

#[test]
fn the_reference_lists_every_forgery_and_every_tag() {
    let reference = reference();
    for forgery in list(&["--what", "forgeries"]) {
        let [name, about] = ["name", "about"].map(|key| forgery[key].as_str().expect("text"));
        let (sent, finds) = about.split_once(": reveals ").expect("two parts");
        let row = format!("| `{name}` | {sent}. | {finds} |");
        assert!(reference.contains(&row), "{row}");
    }
    let (_, table) = reference.split_once("| tag |").expect("a table of tags");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let described: BTreeSet<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    let scenarios = list(&[]);
    let tags = scenarios
        .iter()
        .filter_map(|scenario| scenario["tags"].as_array());
    let used: BTreeSet<&str> = tags.flatten().filter_map(Value::as_str).collect();
    assert_eq!(described, used);
}
