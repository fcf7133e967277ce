//! The proof that the bundled suite catches every flaw and never blames a sound receiver.

mod flaw_matrix;
mod flaws;
mod interoperability;
mod sound_variants;
#[path = "../support/mod.rs"]
mod support;
