//! Files with several mistakes: all are reported at once, each once, in the order of their
//! positions, without errors that only follow from others.

use std::collections::BTreeSet;

use crate::support::{Folder, Transcript};
use aghook::internals::scenario::document::{Diagnostics, SourceFile};
use aghook::internals::scenario::{Case, Config, bundled_sources};
use proptest::prelude::*;

/// The messages of `check` for a scenario file; `run` must print the same.
#[track_caller]
fn messages_for_scenario(text: &str) -> String {
    let folder = Folder::with_scenario(text);
    let checked = Transcript::of(&mut folder.aghook(&["check", "scenario.yaml"])).ends_with(2);
    let run = Transcript::of(&mut folder.run(&[])).ends_with(2);
    assert_eq!(checked.stderr, run.stderr);
    assert_eq!(run.stdout, "", "nothing is sent");
    checked.stderr
}

/// The positions and messages that the library returns for a scenario file.
fn messages(text: &str) -> Vec<String> {
    let problems = Case::from_file(&SourceFile::new("x.yaml", text)).expect_err("mistakes");
    lines(&problems)
}

fn lines(problems: &Diagnostics) -> Vec<String> {
    let problems = problems.0.iter();
    problems
        .map(|problem| format!("{}: {}", problem.location(), problem.message))
        .collect()
}

#[test]
fn all_mistakes_of_a_scenario_are_shown_at_once() {
    insta::assert_snapshot!(messages_for_scenario(
        "\
name: a redelivered coupon is granted once
abuot: The idempotency key makes it count once.
tags: smoke
events:
  welcome:
    coupn: { code: WELCOME }
    item: { sku: gems, quantity: many }
steps:
  - deliver: welcom
    times: 3
    togther: true
    expect: { status: 7xx, within: 5 }
  - deliver: welcome
    forge: wrong_secrt
effects:
  - granted: welcome
    tims: 2
  - not_granted: other
"
    ));
}

#[test]
fn all_mistakes_of_a_config_are_shown_at_once() {
    let config = "\
profiles:
  local:
    traget: http://127.0.0.1:8080/webhooks/aghanim
    http_version: 3
    probes:
      quantity: { http: 'http://127.0.0.1/{player_id}', raed: $.quantity }
      coupons: { command: [] }
    policy: { bundles: nestd, sandbox: maybe }
    retry: { attempts: often, delays: [1s, 5 sec], retry_on: [5xx, 6xx] }
  staging:
    allow_host: game.example
    settle: soon
";
    let folder = Folder::new().with("aghook.yaml", config);
    let checked = Transcript::of(&mut folder.aghook(&["check", "aghook.yaml"])).ends_with(2);
    let run = Transcript::of(&mut folder.aghook(&["run"])).ends_with(2);
    assert_eq!(checked.stderr, run.stderr);
    insta::assert_snapshot!(checked.stderr);
}

#[test]
fn errors_that_follow_from_another_mistake_are_not_reported() {
    // `nmae` is a typo of `name`, and `welcome` exists although it is invalid, so neither is
    // reported as missing.
    let text = "\
nmae: x
events: { welcome: { sandbox: maybe } }
steps: [{ deliver: welcome, expect: { status: { nto: 5xx } } }, { request: { of: welcome, ulr: /a } }]
effects: [{ granted: welcome }]
";
    let expected = [
        "x.yaml:1:1: unknown key `nmae`",
        "x.yaml:2:31: events.welcome.sandbox: expected `true` or `false`, found the text \"maybe\"",
        "x.yaml:3:49: steps[0].expect.status: unknown value `nto`",
        "x.yaml:3:91: steps[1].request: unknown key `ulr`",
    ];
    assert_eq!(messages(text), expected);
}

#[test]
fn a_missing_key_is_reported_with_other_mistakes() {
    let text = "\
abuot: x
steps: [{ request: { mthod: GET } }]
";
    let expected = [
        "x.yaml:1:1: unknown key `abuot`",
        "x.yaml:1:1: missing key `name`",
        "x.yaml:2:22: steps[0].request: unknown key `mthod`",
        "x.yaml:2:22: steps[0].request: missing key `url`",
    ];
    assert_eq!(messages(text), expected);
}

#[test]
fn mistakes_in_variables_and_in_a_matrix_are_reported_with_the_others() {
    let text = "\
name: x
vars: { code: A, \"a}\": 1 }
matrix: { code: [B], forge: x, status: [] }
events: { e: { coupon: { code: \"${code}\", sku: \"${sku}\" } } }
steps: [{ deliver: e, forge: \"${forge}\", expect: { status: \"${status}\", sttaus: 2xx } }]
";
    let expected = [
        "x.yaml:2:18: invalid variable name `a}`",
        "x.yaml:3:11: `code` is also defined under `vars`",
        "x.yaml:3:22: expected a list of values for `forge`",
        "x.yaml:3:32: the list for `status` is empty, so nothing would run",
        "x.yaml:4:48: unknown variable `${sku}`",
        "x.yaml:5:73: steps[0].expect: unknown key `sttaus`",
    ];
    assert_eq!(messages(text), expected);
}

#[test]
fn a_mistake_in_one_case_of_a_matrix_is_reported_with_those_in_all_cases() {
    let text = "\
name: x
matrix: { forge: [wrong_secret, wrong_secrt, tampered_body] }
events: { e: {} }
steps: [{ deliver: e, forge: \"${forge}\", expct: {} }]
";
    let expected = [
        "x.yaml:4:30: steps[0].forge: unknown value `wrong_secrt`",
        "x.yaml:4:42: steps[0]: unknown key `expct`",
    ];
    assert_eq!(messages(text), expected);
}

#[test]
fn only_the_first_of_very_many_mistakes_are_shown() {
    let keys: Vec<String> = (0..50).map(|n| format!("key{n}: 1")).collect();
    let printed = messages(&format!("name: x\n{}\nsteps: []\n", keys.join("\n")));
    assert_eq!(printed.len(), 21);
    assert_eq!(printed[19], "x.yaml:21:1: unknown key `key19`");
    assert_eq!(
        printed[20],
        "x.yaml: more mistakes in this file: 30 not shown"
    );
}

/// A change that a person or a broken tool may make to a file.
#[derive(Debug, Clone)]
enum Edit {
    /// Deletes some characters.
    Delete(usize, usize),
    /// Inserts a text.
    Insert(usize, &'static str),
    /// Deletes a line.
    DeleteLine(usize),
    /// Duplicates a line.
    RepeatLine(usize),
    /// Replaces the value on a line.
    Value(usize, &'static str),
}

impl Edit {
    fn apply(&self, text: &str) -> String {
        let boundary = |at: usize| text.floor_char_boundary(at % (text.len() + 1));
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let line = |at: usize| at % lines.len().max(1);
        match *self {
            Self::Delete(at, length) => {
                let start = boundary(at);
                let end = text.floor_char_boundary((start + length).min(text.len()));
                return format!("{}{}", &text[..start], &text[end.max(start)..]);
            }
            Self::Insert(at, part) => {
                let (before, after) = text.split_at(boundary(at));
                return format!("{before}{part}{after}");
            }
            _ if lines.is_empty() => {}
            Self::DeleteLine(at) => {
                lines.remove(line(at));
            }
            Self::RepeatLine(at) => lines.insert(line(at), lines[line(at)].clone()),
            Self::Value(at, value) => {
                let line = line(at);
                if let Some((key, _)) = lines[line].split_once(": ") {
                    lines[line] = format!("{key}: {value}");
                }
            }
        }
        lines.join("\n")
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let parts = proptest::sample::select(vec![
        "x",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "\n",
        "\n  ",
        " ",
        "#",
        "&a ",
        "*a",
        "${",
        "${x}",
        "0",
        "-1",
        "~",
        "null",
        "é",
        "\t",
        "not: ",
        "deliver: ",
        "\n---\n",
        "!!str ",
        "|\n",
    ]);
    let values = proptest::sample::select(vec![
        "",
        "5",
        "-5",
        "1.5",
        "text",
        "[]",
        "{}",
        "[a, 1]",
        "{ a: 1, b: { c: 2 } }",
        "~",
        "true",
        "\"${x}\"",
        "99999999999999999999",
        "[[[]]]",
        "{ not: x }",
        "{ lost_ack: { x: 1 } }",
    ]);
    prop_oneof![
        (any::<usize>(), 1..20_usize).prop_map(|(at, length)| Edit::Delete(at, length)),
        (any::<usize>(), parts).prop_map(|(at, part)| Edit::Insert(at, part)),
        any::<usize>().prop_map(Edit::DeleteLine),
        any::<usize>().prop_map(Edit::RepeatLine),
        (any::<usize>(), values).prop_map(|(at, value)| Edit::Value(at, value)),
    ]
}

/// Asserts that the problems of one file are ordered and unique.
fn assert_in_order(problems: &Diagnostics) {
    let texts = lines(problems);
    let places: Vec<(usize, usize)> = problems
        .0
        .iter()
        .filter_map(|problem| {
            let location = problem.location();
            let mut numbers = location.rsplitn(3, ':');
            let column = numbers.next()?.parse().ok()?;
            Some((numbers.next()?.parse().ok()?, column))
        })
        .collect();
    assert!(!texts.is_empty());
    assert!(places.is_sorted(), "not in order: {texts:#?}");
    let distinct: BTreeSet<&String> = texts.iter().collect();
    assert_eq!(distinct.len(), texts.len(), "reported twice: {texts:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edits_of_a_bundled_file_never_break_the_parser(
        index in any::<proptest::sample::Index>(),
        edits in proptest::collection::vec(edit(), 1..6),
    ) {
        let sources = bundled_sources();
        let original = index.get(&sources);
        let text = edits.iter().fold(original.text.to_string(), |text, edit| edit.apply(&text));
        let source = SourceFile::new("edited.yaml", text);
        match (Case::from_file(&source), Case::from_file(&source)) {
            (Err(first), Err(second)) => {
                assert_in_order(&first);
                prop_assert_eq!(first.render(false, 80), second.render(false, 80));
            }
            (first, second) => prop_assert!(first.is_ok() && second.is_ok()),
        }
    }

    #[test]
    fn edits_of_a_config_never_break_the_parser(edits in proptest::collection::vec(edit(), 1..8)) {
        let original = include_str!("../../src/cli/new/aghook.yaml");
        let uncommented = original.replace("    # ", "    ");
        for text in [original, uncommented.as_str()] {
            let text = edits.iter().fold(text.to_owned(), |text, edit| edit.apply(&text));
            if let Err(problems) = Config::parse(&SourceFile::new("aghook.yaml", text)) {
                assert_in_order(&problems);
            }
        }
    }
}
