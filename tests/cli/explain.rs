//! `aghook explain`.

use serde_json::Value;

use super::support::{Folder, Transcript};

fn explain(arguments: &[&str]) -> Transcript {
    let folder = Folder::new();
    let mut command = folder.aghook(&[&["explain"], arguments].concat());
    Transcript::of(command.env("COLUMNS", "100"))
}

#[test]
fn a_flaw_is_explained_with_code() {
    let transcript = explain(&["lost_update", "--language", "python"]);
    insta::assert_snapshot!("explain_flaw", transcript.text());
}

#[test]
fn what_a_report_calls_a_problem_is_explained() {
    // As pasted from a report, without quotes.
    let words = "Redeliveries are granted again after a restart --language go";
    let words: Vec<&str> = words.split(' ').collect();
    insta::assert_snapshot!("explain_cause", explain(&words).text());
}

#[test]
fn an_unknown_name_is_an_error() {
    for (name, help) in [
        ("lost_updates", "did you mean `lost_update`?"),
        ("wrong secrets", "did you mean `wrong_secret`?"),
        ("xyzzy", "`aghook list --what flaws` lists the flaws"),
        ("\u{1b}[31m", "unknown name `\\u{1b}[31m`"),
    ] {
        explain(&[name]).ends_with(2).says(&[help]);
    }
}

#[test]
fn the_json_has_the_code_by_language() {
    let output = explain(&["tampered_body", "--json"]).ends_with(0);
    let json: Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(json["name"], "tampered_body");
    assert_eq!(json["kind"], "forgery");
    assert!(json["about"].as_str().expect("a text").contains("reveals"));
    let code = json["topic"]["code"].as_object().expect("code");
    let languages: Vec<&String> = code.keys().collect();
    assert_eq!(languages, ["node", "python", "go", "java", "csharp"]);
}
