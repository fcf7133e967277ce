//! Probes that ask psql. Skipped without psql.

use std::process::{Command, Stdio};

use crate::mistake::{GameServer, SetUp};

#[test]
fn a_database_that_does_not_run() {
    if Command::new("psql")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        println!("skipped: psql is not installed (apt-get install postgresql-client)");
        return;
    }
    let game = GameServer::new();
    let profile = format!(
        "target: {}\nsettle: 100ms\nprobes:\n  quantity:\n    command: [psql, \
         'host=127.0.0.1 port=1 user=game dbname=game', -Atc, \"select 1\"]\n",
        game.url()
    );
    let words =
        "psql failed with exit status: 2: psql: error: connection to server at \"127.0.0.1\"";
    SetUp::new(&profile).is_named(3, words, "probes");
}
