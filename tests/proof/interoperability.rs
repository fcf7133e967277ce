//! The bundled suite against receivers that engineers of other languages would write, each with a
//! real store. As they are, nothing is said against them. With a flaw that is typical for the
//! language or its framework, the suite says so, and names the scenario that is made for it.
//!
//! `tests/receivers/run` installs what they need and runs this.

mod language;
mod receiver;
mod row;

use std::env;
use std::thread;

use language::{LANGUAGES, Language};
use row::Row;

/// Which languages to run, separated by blanks; all of them where it is not set.
const CHOICE: &str = "AGHOOK_RECEIVERS";

#[test]
#[ignore = "needs FastAPI, Express and Go; tests/receivers/run installs them and runs it"]
fn receivers_in_other_languages_are_judged_right() {
    let chosen = chosen();
    let mut rows: Vec<Row> = Vec::new();
    thread::scope(|scope| {
        let judged: Vec<_> = chosen
            .iter()
            .map(|language| scope.spawn(|| Row::all_of(language)))
            .collect();
        for rows_of_language in judged {
            rows.extend(rows_of_language.join().expect("a language was not judged"));
        }
    });
    let (table, right) = row::table(&rows);
    println!("{table}");
    assert!(right, "a receiver was not judged right");
}

fn chosen() -> Vec<&'static Language> {
    let Ok(names) = env::var(CHOICE) else {
        return LANGUAGES.iter().collect();
    };
    let find = |name: &str| LANGUAGES.iter().find(|language| language.name == name);
    let chosen: Vec<_> = names
        .split_whitespace()
        .map(|name| find(name).unwrap_or_else(|| panic!("{CHOICE}: no receiver is called {name}")))
        .collect();
    assert!(!chosen.is_empty(), "{CHOICE} names no receiver");
    chosen
}
