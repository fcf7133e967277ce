//! Profiles and scenarios in the documents, and the reference of `aghook.yaml`.

use std::collections::BTreeSet;

use aghook::internals::policy::RetryPolicy;
use aghook::internals::scenario::document::SourceFile;
use aghook::internals::scenario::{Case, Config, config_schema};
use serde_json::Value;

use super::markdown::{Document, first_cells};

#[test]
fn every_profile_and_scenario_is_valid() {
    for name in ["README.md", "docs/profiles.md"] {
        let document = Document::read(name);
        let blocks = document.blocks();
        let yaml = blocks.iter().filter(|block| block.language == "yaml");
        for text in yaml.map(|block| &block.text) {
            let problems = if text.starts_with("name:") {
                Case::from_file(&SourceFile::new(name, text.as_str())).err()
            } else if text.starts_with("profiles:") {
                parse(name, text).err()
            } else {
                parse(name, &profile_of(text)).err()
            };
            if let Some(problems) = problems {
                panic!("{}", problems.render(false, 100));
            }
        }
    }
}

#[test]
fn the_reference_mentions_exactly_the_existing_keys() {
    let document = Document::read("docs/profiles.md");
    let mut keys = BTreeSet::new();
    collect_keys(&config_schema(), &mut keys);
    keys.remove("profiles");
    let spans: BTreeSet<String> = document.code_spans().into_iter().collect();
    let missing: Vec<_> = keys.difference(&spans).collect();
    assert!(missing.is_empty(), "not in the reference: {missing:?}");
    for cell in first_cells(&document.prose()) {
        assert!(keys.contains(&cell), "unknown key `{cell}`");
    }
}

#[test]
fn the_defaults_of_the_retry_policy_are_correct() {
    let section = Document::read("docs/profiles.md").section("retry");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let settings = rows.filter_map(|row| {
        let code: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        // `jitter` has no default.
        (code[0] != "jitter").then(|| format!("  {}: {}\n", code[0], code[1]))
    });
    let settings: String = settings.collect();
    assert_eq!(settings.lines().count(), 8, "{settings}");
    let config = parse(
        "docs/profiles.md",
        &profile_of(&format!("retry:\n{settings}")),
    );
    let config = config.expect("a config");
    let retry = config.profiles[0].retry.as_ref().expect("a policy");
    let defaults = RetryPolicy::default();
    let other = RetryPolicy {
        attempts: 99,
        delays: aghook::internals::policy::Delays::List(Vec::new()),
        timeout: "9d".parse().expect("a duration"),
        retry_on: Vec::new(),
        resign: !defaults.resign,
        ..defaults.clone()
    };
    assert_eq!(retry.over(&other), defaults);
}

fn parse(
    name: &str,
    text: &str,
) -> Result<Config, aghook::internals::scenario::document::Diagnostics> {
    Config::parse(&SourceFile::new(name, text))
}

/// A config with a profile that has these keys.
fn profile_of(keys: &str) -> String {
    let indented = keys.lines().map(|line| format!("    {line}\n"));
    format!("profiles:\n  example:\n{}", indented.collect::<String>())
}

fn collect_keys(schema: &Value, keys: &mut BTreeSet<String>) {
    match schema {
        Value::Object(entries) => {
            if let Some(Value::Object(properties)) = entries.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            entries.values().for_each(|value| collect_keys(value, keys));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_keys(item, keys)),
        _ => {}
    }
}
