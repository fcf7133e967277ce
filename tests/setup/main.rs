//! Mistakes in the set-up, each made against a real server: `aghook doctor` names it, `aghook run` says
//! the same in its first lines, and neither blames the receiver.

#[cfg(unix)]
mod database;
mod game_data;
mod listed_items;
mod mistake;
mod nginx;
#[cfg(unix)]
mod postgres;
mod probes;
mod secrets;
mod sound;
#[path = "../support/mod.rs"]
mod support;
mod targets;
mod tokens;
