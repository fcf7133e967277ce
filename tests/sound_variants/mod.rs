//! The bundled suite against sound receivers that differ from the built-in one: nothing may be said
//! against them but what is lawful. Another test includes this folder by its path, and calls
//! `judge_all` and `markdown`.

#![allow(dead_code, unused_imports, reason = "every test takes what it needs")]

mod cases;
mod difference;
mod outcome;
mod receivers;

pub(crate) use difference::shows;
pub(crate) use outcome::{Judged, judge_all, markdown};
