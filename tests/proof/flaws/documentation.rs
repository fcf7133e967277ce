//! Checks that `docs/flaws.md` and `aghook list --what flaws` list all flaws.

use std::fmt::Write as _;
use std::path::Path;

use aghook::internals::receiver::Flaw;
use assert_cmd::Command;
use serde_json::{Value, json};

const BEGIN: &str = "<!-- The table is written by the test `the_document_is_up_to_date`. -->\n";
const END: &str = "<!-- The end of the table. -->\n";
/// If set to 1, the test updates the document instead of failing.
const UPDATE: &str = "UPDATE_DOCS";

fn table() -> String {
    let mut table = String::from(
        "| flaw | class | what it is and what it costs | what reveals it | what fixes it |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for flaw in Flaw::ALL {
        let (class, about) = (flaw.class(), flaw.about());
        let (revealed_by, remedy) = (flaw.revealed_by(), flaw.remedy());
        writeln!(
            table,
            "| `{flaw}` | {class} | {about} | {revealed_by} | {remedy} |"
        )
        .expect("written");
    }
    table
}

#[test]
fn the_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/flaws.md");
    let written = std::fs::read_to_string(&path).expect("read");
    let written = written.replace("\r\n", "\n");
    let (before, rest) = written.split_once(BEGIN).expect("a table begins");
    let (_, after) = rest.split_once(END).expect("a table ends");
    let expected = format!("{before}{BEGIN}\n{}\n{END}{after}", table());
    if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
        std::fs::write(&path, expected).expect("written");
    } else {
        assert!(
            written == expected,
            "docs/flaws.md is out of date: run {UPDATE}=1 cargo test --test proof flaws"
        );
    }
}

fn aghook(arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aghook"));
    command.args(arguments).env("AGHOOK_SECRET", "whsec");
    command.output().expect("runs")
}

#[test]
fn the_list_contains_all_flaws() {
    let text = |arguments| String::from_utf8(aghook(arguments).stdout).expect("UTF-8");
    let plain = text(&["list", "--what", "flaws"]);
    let lines = text(&["list", "--what", "flaws", "--json"]);
    let listed: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(listed.len(), Flaw::ALL.len());
    for (flaw, line) in Flaw::ALL.into_iter().zip(listed) {
        let expected = json!({
            "name": flaw.name(),
            "class": flaw.class().name(),
            "about": flaw.about(),
            "revealed_by": flaw.revealed_by(),
            "remedy": flaw.remedy(),
        });
        assert_eq!(line, expected);
        let consequence = flaw.class().about();
        assert!(plain.contains(&format!("{flaw}  {consequence}\n  {}", flaw.about())));
        assert!(plain.contains(&format!("  Remedy: {}\n", flaw.remedy())));
    }
}

#[test]
fn an_invalid_choice_of_flaws_is_a_helpful_usage_error() {
    for (arguments, help) in [
        (&["--flaw", "dedup_missing"][..], "'dedupe_missing'"),
        (
            &["--flaw", "dedupe_missing", "check_then_insert_race"],
            "the flaws dedupe_missing and check_then_insert_race can't be combined",
        ),
        (
            &["--flaw", "expired_secret_accepted"],
            "--expired-secret-env VAR",
        ),
        (&["--crash-after", "0"], "--crash-after"),
    ] {
        let output = aghook(&[&["receive", "--listen", "127.0.0.1:0"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(text.contains(help), "{text}");
    }
}
