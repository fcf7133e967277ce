//! Probes that ask a real PostgreSQL server with psql. Skipped without PostgreSQL.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::database::Database;
use crate::mistake::{GameServer, SetUp};
use crate::support::{Peer, PeerRequest, PeerResponse, SECRET};

const QUERY: &str = "select coalesce(sum(quantity), 0) from inventory where player_id = \
                     '{player_id}' and sku = '{sku}'";

fn profile(target: &str, command: &str) -> String {
    format!("target: {target}\nsettle: 100ms\nprobes:\n  quantity:\n    command: [{command}]\n")
}

fn psql(query: &str) -> String {
    format!("psql, -wAtc, \"{query}\"")
}

/// A correct game whose probe is this command, with these variables in place of the correct ones.
#[track_caller]
fn probed(command: &str, variables: &[(&'static str, &str)], words: &str) {
    let Some(database) = Database::shared() else {
        return;
    };
    let game = GameServer::new();
    let command = command.replace("SOCKET", &database.socket());
    let mut set_up = database.connected(SetUp::new(&profile(&game.url(), &command)));
    for (name, value) in variables {
        set_up = set_up.with(name, value.replace("SOCKET", &database.socket()));
    }
    set_up.is_named(3, words, "probes");
}

#[test]
fn a_database_that_does_not_run() {
    let words =
        "psql failed with exit status: 2: psql: error: connection to server at \"127.0.0.1\"";
    probed(&psql(QUERY), &[("PGPORT", "1")], words);
}

#[test]
fn another_host() {
    let words = "could not translate host name \"db.invalid\" to address";
    probed(&psql(QUERY), &[("PGHOST", "db.invalid")], words);
}

#[test]
fn a_database_that_does_not_exist() {
    let words = "database \"games\" does not exist";
    probed(&psql(QUERY), &[("PGDATABASE", "games")], words);
}

#[test]
fn a_role_that_does_not_exist() {
    let variables = [("PGHOST", "SOCKET"), ("PGUSER", "gamer")];
    probed(&psql(QUERY), &variables, "role \"gamer\" does not exist");
}

#[test]
fn a_wrong_password() {
    let words = "password authentication failed for user \"game\"";
    probed(&psql(QUERY), &[("PGPASSWORD", "another")], words);
}

#[test]
fn no_password() {
    let words = "no password supplied";
    probed(&psql(QUERY), &[("PGPASSWORD", "")], words);
}

#[test]
fn a_role_that_may_not_read_the_table() {
    let words = "permission denied for table inventory";
    probed(&psql(QUERY), &[("PGUSER", "visitor")], words);
}

#[test]
fn a_table_that_does_not_exist() {
    let query = QUERY.replace("inventory", "inventories");
    probed(
        &psql(&query),
        &[],
        "relation \"inventories\" does not exist",
    );
}

#[test]
fn a_column_that_does_not_exist() {
    let query = QUERY.replace("sku =", "item =");
    probed(&psql(&query), &[], "column \"item\" does not exist");
}

#[test]
fn a_placeholder_without_quotation_marks() {
    let query = QUERY.replace("'{sku}'", "{sku}");
    probed(&psql(&query), &[], "exit status: 1: ERROR:");
}

#[test]
fn a_sum_of_no_rows() {
    let query = QUERY.replace("coalesce(sum(quantity), 0)", "sum(quantity)");
    probed(&psql(&query), &[], "psql printed nothing");
}

#[test]
fn a_table_with_headings() {
    let command = format!("psql, -wc, \"{QUERY}\"");
    probed(
        &command,
        &[],
        "psql printed 4 lines instead of one whole number",
    );
}

#[test]
fn a_program_that_is_not_installed() {
    let command = psql(QUERY).replace("psql", "psql-of-another-version");
    probed(&command, &[], "there is no such program: install it");
}

#[test]
fn a_wrong_path_of_the_program() {
    let command = psql(QUERY).replace("psql", "/opt/postgresql/bin/psql");
    let words = "failed to run /opt/postgresql/bin/psql: there is no such program";
    probed(&command, &[], words);
}

/// The database has the same tables, and the game writes to another one.
#[test]
fn the_database_of_another_environment() {
    let Some(database) = Database::shared() else {
        return;
    };
    let game = GameServer::new();
    let set_up = database.connected(SetUp::new(&profile(&game.url(), &psql(QUERY))));
    let set_up = set_up.with("PGDATABASE", "other");
    set_up.is_named_by_doctor(3, "accepted, but nothing changed", "items");
    set_up.is_named_by_run(3, "no probe shows any change");
}

#[test]
fn a_game_that_stores_in_the_database_works() {
    let Some(database) = Database::shared() else {
        return;
    };
    // The peer's threads outlive the test, and must not keep the server.
    let stored = std::sync::Arc::downgrade(&database);
    let game = Peer::answering(move |request| match stored.upgrade() {
        Some(database) => handle(&database, request),
        None => PeerResponse::new(503),
    });
    let set_up = database.connected(SetUp::new(&profile(&game.url(), &psql(QUERY))));
    set_up.works(&["the set-up works", "grant: ", "0 → "]);
    // A file with the query, in which psql itself quotes the values.
    let query = "select coalesce(sum(quantity), 0) from inventory where player_id = :'player' \
                 and sku = :'sku'";
    let command = "psql, -wXAt, '--set=player={player_id}', '--set=sku={sku}', --file=held.sql";
    let set_up = database.connected(SetUp::new(&profile(&game.url(), command)));
    set_up
        .with_file("held.sql", query)
        .works(&["the set-up works"]);
}

/// A sound handler: it stores the key and the grant in one transaction.
fn handle(database: &Database, request: &PeerRequest) -> PeerResponse {
    if !is_signed(request) {
        return PeerResponse::new(403);
    }
    let event = request.json();
    let text = |pointer: &str| event.pointer(pointer).and_then(|value| value.as_str());
    let quoted = |pointer| text(pointer).unwrap_or_default().replace('\'', "''");
    let (key, player) = (quoted("/idempotency_key"), quoted("/event_data/player_id"));
    let sku = quoted("/event_data/item/sku");
    let quantity = event.pointer("/event_data/item/quantity");
    let quantity = quantity.and_then(serde_json::Value::as_u64).unwrap_or(0);
    let grant = format!(
        "with new as (insert into granted values ('{key}') on conflict do nothing returning 1) \
         insert into inventory select '{player}', '{sku}', {quantity} from new \
         on conflict (player_id, sku) do update set quantity = inventory.quantity + excluded.quantity"
    );
    database.query("game", &grant);
    PeerResponse::new(200).body("{\"status\":\"ok\"}")
}

fn is_signed(request: &PeerRequest) -> bool {
    let header = |name| request.header(name).unwrap_or_default();
    let timestamp = header("x-aghanim-signature-timestamp");
    let signature = hex::decode(header("x-aghanim-signature")).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(&request.body);
    mac.verify_slice(&signature).is_ok()
}
