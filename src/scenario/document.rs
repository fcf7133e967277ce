//! Parses YAML into a tree with source spans, and decodes the tree into typed values.
//!
//! Nothing here depends on scenarios or profiles.

mod decode;
mod decode_error;
mod diagnostic;
mod disguise;
mod expansion;
mod node;
mod one_or_many;
mod recovery;
mod source_file;
mod source_reader;
mod spanned;
mod substitution;
#[cfg(test)]
mod tests;

pub use decode::decode;
pub(crate) use decode_error::{DecodeError, did_you_mean, nearest, shortened};
pub(crate) use diagnostic::Diagnostic;
pub use diagnostic::Diagnostics;
pub(crate) use disguise::is_disguising;
pub(crate) use expansion::Expansion;
pub use node::Node;
pub(crate) use node::NodeValue;
pub(crate) use one_or_many::OneOrMany;
pub(crate) use recovery::{DECODE_BUDGET, decode_all};
pub use source_file::SourceFile;
pub(crate) use spanned::{Span, Spanned};
pub(crate) use substitution::{Variables, substitute};
