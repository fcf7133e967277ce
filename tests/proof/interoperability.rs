//! The bundled suite against idiomatic receivers in other languages, each with a persistent ledger.
//! The suite passes the sound receivers. With a flaw that is typical of the language or framework,
//! the flaw's main scenario fails.
//!
//! `tests/receivers/run` installs the dependencies and runs this test.

mod language;
mod receiver;
mod receiver_process;
mod row;

use std::env;
use std::thread;

use language::{LANGUAGES, Language};
use row::Row;

/// The receivers to run, separated by spaces; all of them if not set.
const RECEIVERS_VARIABLE: &str = "AGHOOK_RECEIVERS";

#[test]
#[ignore = "needs FastAPI, Express and Go; tests/receivers/run installs them and runs it"]
fn flaws_are_caught_and_sound_receivers_pass_in_other_languages() {
    let chosen = chosen();
    let mut rows: Vec<Row> = Vec::new();
    thread::scope(|scope| {
        let judged: Vec<_> = chosen
            .iter()
            .map(|language| scope.spawn(|| Row::all_of(language)))
            .collect();
        for rows_of_language in judged {
            rows.extend(rows_of_language.join().expect("a thread panicked"));
        }
    });
    let (table, as_expected) = row::table(&rows);
    println!("{table}");
    assert!(as_expected, "unexpected verdict on a receiver");
}

fn chosen() -> Vec<&'static Language> {
    let Ok(names) = env::var(RECEIVERS_VARIABLE) else {
        return LANGUAGES.iter().collect();
    };
    let find = |name: &str| LANGUAGES.iter().find(|language| language.name == name);
    let chosen: Vec<_> = names
        .split_whitespace()
        .map(|name| {
            find(name).unwrap_or_else(|| panic!("{RECEIVERS_VARIABLE}: unknown receiver {name}"))
        })
        .collect();
    assert!(!chosen.is_empty(), "{RECEIVERS_VARIABLE} names no receiver");
    chosen
}
