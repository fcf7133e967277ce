//! The proof that the bundled suite catches every flaw and blames no sound receiver.

mod flaw_matrix;
mod flaws;
mod interoperability;
mod sound_variants;
#[path = "../support/mod.rs"]
mod support;
