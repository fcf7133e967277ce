//! A correct set-up, and a receiver with a bug in one: `doctor` tells them from a wrong set-up.

use crate::mistake::{GameServer, SetUp};
use crate::support::{Folder, Game, PeerResponse, Transcript};

#[test]
fn a_correct_set_up_works() {
    let game = GameServer::new();
    SetUp::new(&game.profile()).works(&["the set-up works", "grant: ", "0 → "]);
}

#[test]
fn a_bug_of_the_receiver_is_not_a_mistake_in_the_set_up() {
    let game = Game::new(|event, inventories| {
        Game::grant_item(inventories, event);
        PeerResponse::new(200)
    });
    let folder = Folder::new().with("aghook.yaml", game.config(""));
    Transcript::of(&mut folder.aghook(&["doctor"]))
        .ends_with(1)
        .says(&[
            "✗ forgery: expected 4xx, observed 200",
            "✗ grant: ",
            "the set-up works, and the receiver has a bug",
        ]);
}

#[test]
fn a_start_time_that_was_used_before() {
    let game = GameServer::new();
    let folder = SetUp::new(&game.profile());
    let again = ["run", "suite", "--start-time", "1763889831"];
    folder.aghook(&again).ends_with(0);
    let words = "their idempotency keys were";
    folder
        .aghook(&again)
        .ends_with(3)
        .says(&[words, "leave out `--start-time`"]);
}
