//! Tests from a file's text to its cases.

use super::document::{Diagnostics, SourceFile};
use super::*;
use crate::generate::Seed;
use crate::policy::Forgery;

fn cases(text: &str) -> Result<Vec<Case>, Diagnostics> {
    Case::from_file(&SourceFile::new("suite/example.yaml", text))
}

fn errors(text: &str) -> Vec<String> {
    let problems = cases(text).expect_err("an error");
    problems
        .0
        .iter()
        .map(|problem| format!("{}: {problem}", problem.location()))
        .collect()
}

/// An example with the most common keys.
const EXAMPLE: &str = r"
name: a redelivered coupon is granted once
about: The sender may deliver an event twice. The idempotency key makes it count once.
tags: [idempotency, smoke]
seed: 42
events:
  welcome:
    coupon: { code: WELCOME }
    item: { sku: crystals, quantity: 480000 }
steps:
  - deliver: welcome
    expect: { status: 2xx, within: 2s }
  - deliver: welcome
    times: 3
    together: true
    expect: { status: 2xx }
  - deliver: welcome
    forge: tampered_body
    expect: { status: { not: 2xx } }
effects:
  - granted: welcome
  - probe: quantity
    of: welcome
    change: 480000
";

#[test]
fn reads_a_typical_scenario() {
    let cases = cases(EXAMPLE).unwrap();
    let [case] = cases.as_slice() else {
        panic!("one case")
    };
    assert_eq!(case.line, 2);
    assert_eq!(case.title(), "a redelivered coupon is granted once");
    let deliver = |index: usize| match &case.scenario.steps[index].action {
        Action::Deliver(deliver) => deliver,
        other => panic!("no delivery: {other:?}"),
    };
    assert_eq!(deliver(1).times, Some(3));
    assert_eq!(deliver(2).forge, Some(Forgery::TamperedBody));
    let ExpectedEffect::Probe { event, value, .. } = &case.scenario.effects[1].expected else {
        panic!("no probe")
    };
    assert_eq!((event.index, event.name.as_str()), (0, "welcome"));
    assert!(matches!(value, ExpectedValue::Change(480_000)), "{value:?}");
}

#[test]
fn a_matrix_has_a_case_for_each_combination() {
    let cases = cases(
        "name: refused ${status}\nvars: { word: x }\nmatrix: { forge: [wrong_secret, empty_signature], status: [401, 403] }\n\
         events: { a: { coupon: { code: '${word}-${status}' } } }\n\
         steps: [{ deliver: a, forge: '${forge}', expect: { status: '${status}' } }]\n",
    )
    .unwrap();
    let titles: Vec<String> = cases.iter().map(Case::title).collect();
    assert_eq!(
        titles,
        [
            "refused 401 [forge=wrong_secret status=401]",
            "refused 403 [forge=wrong_secret status=403]",
            "refused 401 [forge=empty_signature status=401]",
            "refused 403 [forge=empty_signature status=403]",
        ]
    );
    assert_eq!(
        cases[1].scenario.events["a"].coupon.code.as_deref(),
        Some("x-403")
    );
    let seeds: std::collections::BTreeSet<u64> =
        cases.iter().map(|case| case.seed(None).number()).collect();
    assert_eq!(seeds.len(), 4, "each case has its own events");
}

#[test]
fn a_mistake_in_every_case_of_a_matrix_is_reported_once() {
    let text = "name: x\nmatrix: { n: [1, 2, 3] }\nevents: { a: {} }\n\
                steps: [{ deliver: b, expect: { status: 200 } }]\n";
    assert_eq!(errors(text), ["suite/example.yaml:4:20: unknown event `b`"]);
}

#[test]
fn all_mistakes_of_a_scenario_are_reported_together() {
    let text = "name: x
events:
  a: { player_id: { same_as: b }, item: { sku: chest, bundle: [{ bundle: [{ sku: chest }] }] } }
  b: { player_id: { same_as: a } }
steps:
  - { deliver: a, pause: 1s }
  - { deliver: a, times: 0, together: true }
  - { request: { url: / }, forge: two_signatures, expect: { attempts: 1 } }
effects:
  - { granted: a, sku: x }
  - { granted: b }
  - { probe: quantity }
  - { not_granted: a, granted: a }
";
    insta::assert_snapshot!(errors(text).join("\n"));
}

#[test]
fn the_events_whose_skus_are_used_exist_and_do_not_depend_on_themselves() {
    let with = |skus: [&str; 3]| {
        let [a, b, c] = skus;
        format!(
            "name: x\nevents:\n  a: {{ item: {{ sku: {a} }} }}\n  b: {{ item: {{ sku: {b} }} }}\n  \
             c: {{ item: {{ bundle: [{{ sku: {c} }}] }} }}\n\
             steps: [{{ deliver: [a, b, c], expect: {{ status: 2xx }} }}]\n"
        )
    };
    let of = |event: &str| format!("{{ same_as: {event} }}");
    assert!(cases(&with(["gem", &of("a"), &of("b")])).is_ok());
    assert_eq!(
        errors(&with(["gem", &of("d"), &of("a")])),
        ["suite/example.yaml:4:32: unknown event `d`"]
    );
    assert_eq!(
        errors(&with([&of("c"), "gem", &of("a")])),
        [
            "suite/example.yaml:3:8: event `a`: `sku` refers back to this event",
            "suite/example.yaml:5:8: event `c`: `sku` refers back to this event",
        ]
    );
}

/// Each event is made within the one that has its SKU.
#[test]
fn a_long_chain_of_events_with_the_sku_of_the_next_one_is_rejected() {
    let with = |count: usize| {
        let events = (1..count).map(|number| {
            format!(
                "  e{number}: {{ item: {{ sku: {{ same_as: e{} }} }} }}\n",
                number + 1
            )
        });
        let events: String = events.collect();
        format!(
            "name: x\nevents:\n{events}  e{count}: {{}}\n\
             steps: [{{ deliver: e1, expect: {{ status: 2xx }} }}]\n"
        )
    };
    assert!(cases(&with(32)).is_ok());
    let errors = errors(&with(2_000));
    assert!(
        errors.len() == 1 && errors[0].contains("event `e33`: more than 32 events"),
        "{errors:?}"
    );
}

#[test]
fn a_scenario_that_checks_nothing_is_rejected() {
    let text = "name: x\nevents: { a: {} }\nsteps: [{ deliver: a }]\n";
    assert_eq!(
        errors(text),
        ["suite/example.yaml:1:7: this scenario checks nothing"]
    );
}

#[test]
fn forged_and_requested_events_can_have_effects() {
    for step in [
        "deliver: a, forge: wrong_secret",
        "request: { url: /, of: a }",
    ] {
        for effect in ["not_granted: a", "probe: quantity, of: a, change: 0"] {
            let text = format!(
                "name: x\nevents: {{ a: {{}} }}\nsteps: [{{ {step} }}]\neffects: [{{ {effect} }}]\n"
            );
            assert!(cases(&text).is_ok(), "{text}");
        }
    }
}

#[test]
fn the_seed_of_a_case_depends_only_on_the_case_and_the_seed_of_the_run() {
    let case = &cases(EXAMPLE).unwrap()[0];
    let again = &cases(EXAMPLE).unwrap()[0];
    assert_eq!(case.seed(None).number(), again.seed(None).number());
    assert_ne!(
        case.seed(None).number(),
        case.seed(Some(Seed::new(1))).number()
    );
}

#[test]
fn the_bundled_suite_is_valid_and_matches_its_schema() {
    let schema = jsonschema::validator_for(&scenario_schema()).unwrap();
    let sources = bundled_sources();
    assert!(!sources.is_empty());
    for source in sources {
        assert!(!Case::from_file(&source).unwrap().is_empty());
        let tree = document::Node::parse(&source).unwrap();
        let json: serde_json::Value = document::decode(&source, &tree).unwrap();
        let problems: Vec<String> = schema
            .iter_errors(&json)
            .map(|error| error.to_string())
            .collect();
        assert!(problems.is_empty(), "{}: {problems:?}", source.name);
    }
}

#[test]
fn a_fault_that_its_step_does_not_allow_is_rejected() {
    let found = |keys: &str| {
        let events = "events: { a: {}, b: {} }";
        let text = format!(
            "name: x\n{events}\nsteps: [{{ deliver: a, {keys}, expect: {{ status: 2xx }} }}]\n"
        );
        match cases(&text) {
            Ok(_) => "no error".to_owned(),
            Err(_) => errors(&text).join("\n"),
        }
    };
    for (keys, expected) in [
        ("fault: lost_ack", "no error"),
        ("fault: slow_body, forge: wrong_secret", "no error"),
        ("fault: reset, times: 2, together: true", "no error"),
        ("fault: out_of_order, times: 2", "no error"),
        ("connection: new, retry: { connection: reuse }", "no error"),
        ("fault: lost_akc", "unknown value `lost_akc`"),
        (
            "fault: lost_ack, forge: wrong_secret",
            "`lost_ack` can't be combined with `forge`",
        ),
        (
            "fault: cut_body, times: 2, together: true",
            "`cut_body` can't be combined with `together`",
        ),
        ("fault: reset, retry: off", "`reset` needs a retry"),
        (
            "fault: late_retry, retry: { attempts: 1 }",
            "`late_retry` needs a retry",
        ),
        (
            "fault: out_of_order",
            "`out_of_order` needs more than one delivery",
        ),
        (
            "fault: restart_in_flight, times: 2, together: true",
            "`restart_in_flight` can't be combined with `together`",
        ),
        (
            "fault: restart_in_flight, times: 2, together: true, apart: 5ms",
            "no error",
        ),
        (
            "fault: { restart_in_flight: { after: [1ms, 2ms] } }, times: 2, together: true, apart: 5ms",
            "`restart_in_flight` has 2 delays, but with `apart` there is one restart",
        ),
        ("connection: old", "unknown value `old`"),
    ] {
        let found = found(keys);
        assert!(found.contains(expected), "{keys}: {found}");
    }
    let elsewhere = errors(
        "name: x\nevents: { a: {} }\nsteps: [{ request: { url: / }, fault: lost_ack }]\n\
         effects: [{ not_granted: a }]\n",
    );
    assert!(
        elsewhere
            .concat()
            .contains("`fault` is only allowed with `deliver`"),
        "{elsewhere:?}"
    );
}

#[test]
fn wire_and_signed_at_are_refused_where_they_would_change_nothing() {
    let step = |keys: &str| {
        let text = format!(
            "name: x\nevents: {{ a: {{}} }}\nsteps: [{{ {keys}, expect: {{ status: 200 }} }}]\n"
        );
        cases(&text).map_or_else(|_| errors(&text).join("; "), |_| String::new())
    };
    for (keys, expected) in [
        ("deliver: a, wire: {}", "`wire` changes nothing"),
        (
            "deliver: a, times: 2, together: true, wire: { pieces: 5 }",
            "`pieces` can't be combined with `together`",
        ),
        (
            "deliver: a, fault: cut_body, wire: { pieces: letters }",
            "`pieces` can't be combined with the fault `cut_body`",
        ),
        (
            "deliver: a, connection: reuse, wire: { header_case: lower }",
            "`header_case` can't be combined with `connection: reuse`",
        ),
        (
            "deliver: a, wire: { content_type: \"a\\r\\nb: c\" }",
            "`content_type` is not the value of a header",
        ),
        (
            "deliver: a, forge: wrong_secret, signed_at: +2s",
            "`signed_at` can't be combined with `forge`",
        ),
        (
            "deliver: a, fault: late_retry, signed_at: -1m",
            "`signed_at` can't be combined with the fault `late_retry`",
        ),
        (
            "request: { url: / }, signed_at: +2s",
            "`signed_at` is only allowed with `deliver`",
        ),
        (
            "request: { url: / }, wire: { pieces: 5 }",
            "`wire` is only allowed with `deliver`",
        ),
        ("deliver: a, signed_at: 2s", "such as `+2s` or `-1m`"),
        (
            "deliver: a, wire: { pieces: 0 }",
            "a number of bytes of at least 1, or `letters`",
        ),
        (
            "deliver: a, wire: { transfer: chunk }",
            "unknown value `chunk`",
        ),
        ("deliver: a, wire: { header_cas: lower }", "`header_cas`"),
    ] {
        let found = step(keys);
        assert!(found.contains(expected), "{keys}: {found}");
    }
    for keys in [
        "deliver: a, fault: lost_ack, wire: { transfer: chunked, pieces: 5 }",
        "deliver: a, forge: wrong_secret, wire: { header_case: upper }",
        "deliver: a, times: 2, together: true, wire: { transfer: chunked, expect: 100-continue }",
        "deliver: a, fault: duplicate, signed_at: -60s",
    ] {
        assert_eq!(step(keys), "", "{keys}");
    }
}
