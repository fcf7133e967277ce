//! Tests that the mix follows its weights and that an event depends on its number alone.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::generate::Generator;
use crate::load::event_source::EventSource;
use crate::load::{MixCounts, TemplateSettings, TreatmentMix};
use crate::protocol::Event;
use crate::scenario::document::SourceFile;
use crate::scenario::{Case, CreditOn, Policy, bundled_suite};

fn generator() -> Generator {
    Generator::new(Seed::new(42), "1763889831".parse().expect("a start time"))
}

fn settings(seed: u64) -> TemplateSettings {
    TemplateSettings {
        generator: generator(),
        seed: Seed::new(seed),
        policy: Policy::default(),
    }
}

fn cases(text: &str) -> Vec<Case> {
    Case::from_file(&SourceFile::new("mixed.yaml", text)).expect("a scenario")
}

/// A scenario with these events.
fn scenario(events: &str) -> Vec<Case> {
    cases(&format!(
        "name: x\nevents:\n{events}\nsteps: [{{ deliver: a, expect: {{ status: 2xx }} }}]\n"
    ))
}

fn entry(name: &str, weight: u32, cases: &[Case]) -> MixEntry {
    entry_of(name, weight, cases, 42)
}

fn entry_of(name: &str, weight: u32, cases: &[Case], seed: u64) -> MixEntry {
    let scenarios = cases.iter().map(|case| MixScenario {
        name: case.title(),
        file: case.source.name.to_string(),
        events: case
            .scenario
            .events
            .keys()
            .filter_map(|name| EventTemplate::new(case, name, &settings(seed)).ok())
            .collect(),
    });
    MixEntry {
        name: name.to_owned(),
        weight: NonZeroU32::new(weight).expect("not 0"),
        scenarios: scenarios.filter(|one| !one.events.is_empty()).collect(),
        left_out: Vec::new(),
    }
}

fn source(entries: Vec<MixEntry>, seed: u64) -> EventSource {
    let seed = Seed::new(seed);
    let generator = Generator::new(seed, generator().start());
    let mix = EventMix::new(entries, seed);
    EventSource::new(generator, TreatmentMix::default(), seed)
        .drawn_from(Some(mix), Policy::default())
}

/// How many of the first events belong to each counter.
fn drawn(mix: &mut EventMix, numbers: u64) -> BTreeMap<usize, f64> {
    let mut counts = BTreeMap::new();
    for number in 0..numbers {
        *counts.entry(mix.draw(number).counter).or_insert(0.0) += 1.0;
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Pearson's chi-squared test over the counters. With 4 degrees of freedom it exceeds 35 once in
    /// two million draws.
    #[test]
    fn follows_the_weights(weights in [1..20_u32, 1..20, 1..20], seed: u64) {
        let two = cases(
            "name: x\nmatrix: { sku: [gems, gold] }\nevents: { a: { item: { sku: \"${sku}\" } } }\n\
             steps: [{ deliver: a, expect: { status: 2xx } }]\n",
        );
        let entries = vec![
            entry("random", weights[0], &[]),
            entry("two", weights[1], &two),
            entry("again", weights[2], &two),
        ];
        let mut mix = EventMix::new(entries, Seed::new(seed));
        let all: u32 = weights.iter().sum();
        let numbers = 10_000_u32;
        let counts = drawn(&mut mix, u64::from(numbers));
        let halves = [1.0, 0.5, 0.5, 0.5, 0.5];
        let of_entry = [0, 1, 1, 2, 2];
        let chi: f64 = (0..5)
            .map(|counter| {
                let fraction = f64::from(weights[of_entry[counter]]) / f64::from(all);
                let expected = fraction * halves[counter] * f64::from(numbers);
                let observed = counts.get(&counter).copied().unwrap_or_default();
                (observed - expected).powi(2) / expected
            })
            .sum();
        prop_assert!(chi < 35.0, "{chi}: {counts:?} of {weights:?}");
    }
}

#[test]
fn a_number_gives_the_same_bytes_in_any_order() {
    let suite = bundled_suite().expect("the suite");
    let entries = || vec![entry("random", 1, &[]), entry("bundled", 4, &suite)];
    let bodies = |numbers: &mut dyn Iterator<Item = u64>| {
        let mut source = source(entries(), 7);
        let mut bodies = BTreeMap::new();
        for number in numbers {
            let mut body = Vec::new();
            let derived = source.derive(number);
            derived.content.write(&mut body);
            let event: Event = serde_json::from_slice(&body).expect("an event");
            assert_eq!(event, derived.content.into_event());
            bodies.insert(number, body);
        }
        bodies
    };
    let forwards = bodies(&mut (0..600));
    assert_eq!(forwards, bodies(&mut (0..600).rev()));
    let third = bodies(&mut (0..600).filter(|number| number % 3 == 1));
    assert!(third.iter().all(|(number, body)| forwards[number] == *body));
    let others = vec![
        entry_of("random", 1, &[], 8),
        entry_of("bundled", 4, &suite, 8),
    ];
    let mut others = source(others, 8);
    for number in 0..600 {
        assert_ne!(
            others.derive(number).content.into_event().event_id,
            source_id(&forwards[&number])
        );
    }
}

fn source_id(body: &[u8]) -> String {
    let event: Event = serde_json::from_slice(body).expect("an event");
    event.event_id.into_owned()
}

#[test]
fn a_different_mix_never_reuses_a_key_for_a_different_event() {
    let (gems, gold) = (
        scenario("  a: { item: { sku: gems } }"),
        scenario("  a: { item: { sku: gold } }"),
    );
    let keys = |cases: &[Case]| {
        let mut source = source(vec![entry("x", 1, cases), entry("random", 1, &[])], 1);
        (0..200)
            .map(|number| {
                let event = source.derive(number).content.into_event();
                (event.idempotency_key.clone(), event)
            })
            .collect::<BTreeMap<_, _>>()
    };
    let (one, other) = (keys(&gems), keys(&gold));
    for (key, event) in &one {
        assert!(other.get(key).is_none_or(|same| same == event));
    }
    assert_eq!((one.len(), other.len()), (200, 200));
}

#[test]
fn every_event_is_unique_even_if_its_scenario_shares_values() {
    let text = "  a: { player_id: { ending: -Ż }, transaction_id: { ending: -t }, context: { player: true } }\n  \
                b: { player_id: { same_as: a }, transaction_id: { same_as: a } }";
    let mut source = source(vec![entry("x", 1, &scenario(text))], 3);
    let mut own: [std::collections::BTreeSet<String>; 4] = Default::default();
    let mut names = BTreeMap::new();
    for number in 0..200 {
        let derived = source.derive(number);
        let origin = derived.origin().expect("a scenario");
        let event = derived.content.into_event();
        assert!(event.event_data.player_id.ends_with("-Ż"));
        assert!(event.transaction_id.ends_with("-t"));
        for (seen, value) in own.iter_mut().zip([
            event.event_data.player_id,
            event.transaction_id,
            event.event_id,
            event.idempotency_key,
        ]) {
            assert!(seen.insert(value.into_owned()));
        }
        assert_eq!(
            (origin.file.as_str(), origin.scenario.as_str()),
            ("mixed.yaml", "x")
        );
        *names.entry(origin.event).or_insert(0) += 1;
    }
    assert!(names["a"] > 60 && names["b"] > 60, "{names:?}");
}

#[test]
fn unsendable_events_are_reported_with_their_location() {
    for (event, line, message) in [
        ("  a: { raw: '{}' }", "mixed.yaml:3:13", "(`raw`)"),
        (
            "  a: { player_id: P1 }",
            "mixed.yaml:3:8",
            "it has a fixed `player_id`",
        ),
        (
            "  b: { player_id: P1 }\n  a: { player_id: { same_as: b } }",
            "mixed.yaml:4:8",
            "it has a fixed `player_id`",
        ),
        (
            "  a: { set: { /event_type: x.y } }",
            "mixed.yaml:3:8",
            "its `event_type` is `x.y`",
        ),
        (
            "  a: { set: { /event_data/item: 1 } }",
            "mixed.yaml:3:8",
            "no longer a valid event",
        ),
        (
            "  a: { unset: [/idempotency_key] }",
            "mixed.yaml:3:8",
            "no longer a valid event",
        ),
        (
            "  a: { set: { /idempotency_key: x } }",
            "mixed.yaml:3:8",
            "`idempotency_key` would be the same",
        ),
        (
            "  a: { set: { /event_data/player_id: x } }",
            "mixed.yaml:3:8",
            "`player_id` would be the same",
        ),
        (
            "  a: { set: { /context/player/x: 1 } }",
            "mixed.yaml:3:8",
            "no value at `/context/player`",
        ),
    ] {
        let cases = scenario(event);
        let refused = EventTemplate::new(&cases[0], "a", &settings(42)).expect_err(event);
        assert_eq!(refused.location(), line, "{event}: {refused}");
        assert!(refused.to_string().contains(message), "{event}: {refused}");
        assert!(refused.help.is_some());
    }
}

#[test]
fn every_coupon_event_of_the_bundled_suite_can_be_sent() {
    let mut refused = Vec::new();
    for case in bundled_suite().expect("the suite") {
        for (name, spec) in &case.scenario.events {
            let is_sent = EventTemplate::new(&case, name, &settings(42)).is_ok();
            assert!(!is_sent || spec.coupon_event.is_none(), "{name}");
            if !is_sent && spec.coupon_event.is_none() {
                refused.push(case.file_stem().to_owned());
            }
        }
    }
    refused.dedup();
    assert_eq!(refused, ["other_event_type", "unreadable_body"]);
}

#[test]
fn a_load_sends_the_events_on_which_the_game_credits() {
    let mut settings = settings(42);
    settings.policy.credit_on = Some(CreditOn::ItemAdd);
    let case =
        &scenario("  a: { item: { quantity: 7 }, set: { /event_data/item/name: Crystal } }")[0];
    let template = EventTemplate::new(case, "a", &settings).expect("a template");
    let generator = settings.generator.clone();
    let mut generated = EventSource::new(generator, TreatmentMix::default(), Seed::new(1))
        .drawn_from(None, settings.policy);
    for content in [template.content(3), generated.derive(3).content] {
        let mut body = Vec::new();
        content.write(&mut body);
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let event = content.into_event();
        assert_eq!(body["event_type"], "item.add");
        assert_eq!(body["idempotency_key"], *event.idempotency_key);
        let item = &body["event_data"]["items"][0];
        assert_eq!(
            item["quantity"],
            event.event_data.granted_items()[0].quantity
        );
        assert_eq!(item["name"], *event.event_data.granted_items()[0].name);
    }
}

#[test]
fn the_report_counts_per_entry_and_scenario_and_distinguishes_mixes() {
    let (gems, gold) = (
        "  a: { item: { sku: gems } }",
        "  a: { item: { sku: gold } }",
    );
    let counts = |events| MixCounts {
        events,
        ..MixCounts::default()
    };
    let report = |events: &str| {
        let both = [scenario(events), scenario(gems)].concat();
        let entries = vec![entry("random", 1, &[]), entry("x", 2, &both)];
        EventMix::new(entries, Seed::new(1)).report(&[counts(1), counts(2), counts(3)])
    };
    let mut one = report(gems);
    assert_eq!(one[0].counts, counts(1));
    assert_eq!(one[1].counts, counts(5));
    assert_eq!(one[1].scenarios[1].counts, counts(3));
    assert!(super::super::mix_report::is_same_mix(&one, &report(gems)));
    assert!(!super::super::mix_report::is_same_mix(&one, &report(gold)));
    assert!(!super::super::mix_report::is_same_mix(&one, &one[..1]));
    let other = one[1].clone();
    one[1].add(&other);
    assert_eq!(one[1].counts, counts(10));
    assert_eq!(one[1].scenarios[0].counts, counts(4));
}

#[test]
fn a_template_creates_the_same_events_in_every_release() {
    // Its seed comes from the Debug text of its content, which contains names of types. Shards of
    // two releases, and a load that is reproduced later, must send the same events.
    let cases = scenario("  a: { item: { sku: gem }, set: { /event_data/item/quantity: 3 } }");
    let template = EventTemplate::new(&cases[0], "a", &settings(42)).expect("a template");
    assert_eq!(
        template.content(0).into_event().event_id,
        "whevt_xOmgclXExuP1J3APm0jDsETfuf"
    );
}
