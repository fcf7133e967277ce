//! The wrong secret, or the right one read wrongly.

use crate::mistake::{GameServer, SetUp};
use crate::support::SECRET;

/// The receiver has this secret, and aghook the one of the tests.
#[track_caller]
fn receiver_has(secret: &str, doctor_says: &str) {
    let game = GameServer::with_secret(secret);
    let set_up = SetUp::new(&game.profile());
    set_up.is_named_by_run(3, "every genuine delivery was refused (403");
    set_up.is_named_by_load(3, "every genuine delivery was refused (403");
    set_up.is_named_by_doctor(3, doctor_says, "");
}

#[test]
fn another_secret() {
    receiver_has("whsec_of_another_webhook", "genuine delivery: refused (403");
}

#[test]
fn the_current_secret_as_the_expired_one() {
    let game = GameServer::new();
    let profile = format!("{}expired_secret_env: EXPIRED\n", game.profile());
    let set_up = SetUp::new(&profile).with("EXPIRED", SECRET);
    set_up.is_named(2, "the expired secret in EXPIRED is the current one", "");
    let set_up = SetUp::new(&profile);
    set_up.is_named(2, "or remove `expired_secret_env` from the profile", "");
}

#[test]
fn a_newline_at_the_end_in_the_receiver() {
    receiver_has(
        &format!("{SECRET}\n"),
        "with a newline at the end of the secret",
    );
}

#[test]
fn quotation_marks_in_the_receiver() {
    receiver_has(
        &format!("\"{SECRET}\""),
        "with quotation marks around the secret",
    );
}

#[test]
fn a_prefix_that_the_receiver_removes() {
    let bare = SECRET.trim_start_matches("whsec_");
    receiver_has(bare, "prefix up to the first `_` was removed");
}

#[test]
fn the_previous_secret_in_the_receiver() {
    let game = GameServer::with_secret("whsec_before");
    let profile = format!("{}expired_secret_env: EXPIRED\n", game.profile());
    let set_up = SetUp::new(&profile).with("EXPIRED", "whsec_before");
    set_up.is_named_by_doctor(3, "made with a different one of the given secrets", "");
}

#[test]
fn a_newline_at_the_end_in_the_environment() {
    let game = GameServer::new();
    let set_up = SetUp::new(&game.profile()).with("AGHOOK_SECRET", format!("{SECRET}\n"));
    set_up.is_named(3, "ends in a newline", "");
    set_up.is_named_by_doctor(3, "whitespace around it", "");
}

#[test]
fn a_variable_that_is_not_set() {
    let game = GameServer::new();
    let set_up = SetUp::new(&format!("{}secret_env: NOT_SET_HERE\n", game.profile()));
    set_up.is_named(2, "the secret variable NOT_SET_HERE is not set", "");
}

#[test]
fn an_empty_variable() {
    let game = GameServer::new();
    let set_up = SetUp::new(&game.profile()).with("AGHOOK_SECRET", "");
    set_up.is_named(2, "the secret variable AGHOOK_SECRET is empty", "");
}

#[test]
fn the_secret_in_place_of_its_variable() {
    let game = GameServer::new();
    let set_up = SetUp::new(&format!("{}secret_env: whsec_abc/def\n", game.profile()));
    set_up.is_named(2, "name hidden, because it may be the secret", "");
}
