//! Players and items that the game does not know, or holds otherwise.

use crate::mistake::SetUp;
use crate::support::{Game, PeerResponse};

/// A game that refuses every delivery like this.
#[track_caller]
fn refusing(status: u16, body: &'static str, words: &str, key: &str) {
    let game = Game::new(move |_, _| PeerResponse::new(status).body(body));
    let set_up = SetUp::of_game(&game);
    set_up.is_named(3, words, key);
    set_up.is_named_by_load(3, words);
}

#[test]
fn unknown_players() {
    let words = "the game does not know the player";
    refusing(404, "{\"error\":\"player not found\"}", words, "players");
    refusing(422, "{\"detail\":\"Unknown user id\"}", words, "players");
}

/// Neither the receiver nor the probe knows the player: the probe is not to blame.
#[test]
fn an_unknown_player_comes_before_the_probe() {
    let unknown = || PeerResponse::new(404).body("{\"error\":\"player not found\"}");
    let game = Game::with_probe(move |_, _| unknown(), move |_| unknown());
    let doctor = SetUp::of_game(&game).aghook(&["doctor"]).ends_with(3);
    doctor
        .says(&[
            "the game does not know the player",
            "? probe `quantity`: not read: the game does not know the player",
        ])
        .does_not_say(&["missing: 0"]);
}

#[test]
fn a_player_that_a_foreign_key_refuses() {
    let body = "insert or update on table \"inventory\" violates foreign key constraint \
                \"inventory_player_fkey\"";
    refusing(400, body, "the game does not know the player", "players");
}

#[test]
fn unknown_items() {
    let words = "the game does not know the item";
    refusing(400, "{\"error\":\"no such sku\"}", words, "items");
    refusing(422, "{\"error\":\"item does not exist\"}", words, "items");
}

#[test]
fn an_item_that_the_game_holds_under_another_name() {
    let game = Game::new(|event, inventories| {
        Game::grant(inventories, event, "gold", 5);
        PeerResponse::new(200)
    });
    let set_up = SetUp::of_game(&game);
    set_up.is_named_by_doctor(3, "accepted, but nothing changed", "items");
    set_up.is_named_by_run(3, "no probe shows any change");
}
