//! Measures how fast one core generates, serializes and signs events, step by step and in total.
//!
//! `cargo bench --bench make_and_sign`, which first prints the mean body size. A time is that of a
//! batch, because events differ; the rate below it counts single events.

use std::hint::black_box;

use aghook::internals::generate::{EventShape, Generator, Seed, StartTime};
use aghook::internals::protocol::{Event, Secret, Signer};
use divan::Bencher;
use divan::counter::ItemsCount;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Enough different events to defeat caches and branch prediction.
const EVENTS: usize = 4_096;
/// The events of one measurement.
const BATCH: usize = 512;
const TIMESTAMP: u64 = 1_763_889_831;
const KEY: &str = "whsec_not_a_real_secret";

fn main() {
    let sizes = bodies().iter().map(Vec::len).sum::<usize>();
    println!(
        "mean body: {} bytes over {EVENTS} random events",
        sizes / EVENTS
    );
    println!("body of the shaped event: {} bytes\n", shaped_body().len());
    divan::main();
}

fn generator() -> Generator {
    let start: StartTime = TIMESTAMP.to_string().parse().expect("a start time");
    Generator::new(Seed::new(42), start)
}

fn events() -> Vec<Event> {
    let mut generator = generator();
    (0..EVENTS).map(|_| generator.random_event()).collect()
}

fn bodies() -> Vec<Vec<u8>> {
    let events = events();
    let body = |event: &Event| event.to_json().expect("serialises");
    events.iter().map(body).collect()
}

/// A typical shape in a scenario, with a body of about the same size.
fn shape() -> EventShape {
    let shape = serde_json::json!({
        "coupon": { "code": "WELCOME" },
        "item": {
            "sku": "bundle_starter",
            "bundle": [{ "sku": "crystals", "quantity": 500 }, { "sku": "chest_royal" }, {}],
        },
    });
    serde_json::from_value(shape).expect("a shape")
}

fn shaped_body() -> Vec<u8> {
    generator().event(&shape()).to_json().expect("serialises")
}

fn signer() -> Signer {
    Signer::new(&Secret::new(KEY).expect("not empty"))
}

/// Measures `step`, which handles one event.
fn measure<T>(bencher: Bencher<'_, '_>, mut step: impl FnMut() -> T) {
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            black_box(step());
        }
    });
}

#[divan::bench]
fn step_1_make(bencher: Bencher<'_, '_>) {
    let mut generator = generator();
    measure(bencher, || generator.random_event());
}

#[divan::bench]
fn step_2_serialise(bencher: Bencher<'_, '_>) {
    let events = events();
    let mut round = events.iter().cycle();
    let mut body = Vec::with_capacity(8_192);
    measure(bencher, || {
        body.clear();
        serde_json::to_writer(&mut body, round.next().expect("endless")).expect("serialises");
        black_box(body.as_slice());
    });
}

#[divan::bench]
fn step_3_sign(bencher: Bencher<'_, '_>) {
    let (bodies, signer) = (bodies(), signer());
    let mut round = bodies.iter().cycle();
    measure(bencher, || {
        signer.sign(TIMESTAMP, round.next().expect("endless"))
    });
}

/// The lower limit of signing: the bare algorithm over a message of 1,200 bytes.
#[divan::bench]
fn hmac_sha256_alone(bencher: Bencher<'_, '_>) {
    let keyed = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("any key");
    let message = [b'a'; 1_200];
    measure(bencher, || {
        let mut keyed = keyed.clone();
        keyed.update(black_box(&message));
        keyed.finalize().into_bytes()
    });
}

#[divan::bench]
fn total_random(bencher: Bencher<'_, '_>) {
    let mut generator = generator();
    total(bencher, || generator.random_event());
}

#[divan::bench]
fn total_shaped(bencher: Bencher<'_, '_>) {
    let (mut generator, shape) = (generator(), shape());
    total(bencher, || generator.event(&shape));
}

fn total(bencher: Bencher<'_, '_>, mut make: impl FnMut() -> Event) {
    let signer = signer();
    let mut body = Vec::with_capacity(8_192);
    measure(bencher, || {
        body.clear();
        serde_json::to_writer(&mut body, &make()).expect("serialises");
        signer.sign(TIMESTAMP, &body)
    });
}
